import CSystem
public import DLP
import Glibc

/// The words of a command line: the options, and the words after them.
///
/// The options end before the first word that is not an option, or at `--`. The following words belong to another program
/// or a script. They are not examined, however many there are.
public struct ParsedArguments: Sendable {
    /// An option that was given.
    public struct Given: Sendable {
        /// Its index among the known options.
        public var index: Int
        /// Its value; empty for a switch.
        public var value: SystemString
        fileprivate var words: Range<Int>
    }

    /// The options, in the order of the command line.
    public private(set) var given: [Given] = []
    /// The words after the options, without the `--` that ends them.
    public private(set) var rest: ArraySlice<SystemString>
    /// Whether `--` ends the options.
    public private(set) var isEndMarked = false

    private let arguments: [SystemString]

    /// Parses the words of a command line with the known `options`.
    ///
    /// - Throws: `ArgumentError` for an unknown option, and for an option without its value.
    public init(_ arguments: [SystemString], options: [Option]) throws(ArgumentError) {
        self.arguments = arguments
        rest = arguments[...]
        while let first = rest.first, first.bytes.first == UInt8(ascii: "-"), first.bytes.count > 1 {
            let start = rest.startIndex
            rest.removeFirst()
            if first == "--" {
                isEndMarked = true
                return
            }
            let (index, joined) = try Self.option(first, among: options)
            let option = options[index]
            var value: SystemString = ""
            if let placeholder = option.value {
                if let joined {
                    value = joined
                } else if let optional = option.optionalValue {
                    let isThere = optional.words.contains { rest.first == SystemString($0) }
                    value = isThere ? rest.removeFirst() : SystemString(optional.usual)
                } else if let next = rest.first, !Self.isLong(next, among: options) {
                    value = next
                    rest.removeFirst()
                } else {
                    throw ArgumentError("\(option.name) wants a value: \(option.name) \(placeholder)")
                }
            } else if joined != nil {
                throw ArgumentError("\(option.name) takes no value")
            }
            given.append(Given(index: index, value: value, words: start..<rest.startIndex))
        }
    }

    /// The index of the option that `word` names, and the value that is joined to the name.
    private static func option(
        _ word: SystemString, among options: [Option]
    ) throws(ArgumentError) -> (Int, SystemString?) {
        let name = name(of: word)
        let hasValue = name.utf8.count < word.bytes.count
        if let index = options.firstIndex(where: { $0.isCalled(name) }) {
            return (index, hasValue ? SystemString(bytes: word.bytes.dropFirst(name.utf8.count + 1)) : nil)
        }
        for index in options.indices where options[index].joinsNumbers && !hasValue {
            for name in options[index].names where word.bytes.starts(with: name.utf8) {
                let value = word.bytes.dropFirst(name.utf8.count)
                if value.allSatisfy({ (0x30...0x39).contains($0) }) { return (index, SystemString(bytes: value)) }
            }
        }
        // This also finds the option if someone writes -journal for --journal.
        let letters = name.drop { $0 == "-" }
        let names = options.filter { !$0.isHidden }.flatMap(\.names).filter { $0.utf8.count > 3 }
        let meant = nearestName(to: "--\(letters)", among: names).map { "; is \($0) meant?" } ?? ""
        throw ArgumentError("there is no option \(hasValue ? SystemString(name) : word)\(meant)")
    }

    /// The part before the first `=`, as text.
    private static func name(of word: SystemString) -> String {
        String(decoding: word.bytes.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    }

    /// Whether `word` is a known option with two dashes.
    ///
    /// Then it is not a value; the value was left out.
    private static func isLong(_ word: SystemString, among options: [Option]) -> Bool {
        guard word.bytes.starts(with: "--".utf8) else { return false }
        let name = name(of: word)
        return options.contains { $0.isCalled(name) }
    }

    /// The words without some of the options and their values.
    ///
    /// - Parameter isLeftOut: whether to leave out an option, by its index among the known options.
    public func without(_ isLeftOut: (Int) -> Bool) -> [SystemString] {
        let left = given.filter { isLeftOut($0.index) }.map(\.words)
        let end = rest.startIndex
        return (0..<end).filter { index in !left.contains { $0.contains(index) } }.map { arguments[$0] }
            + arguments[end...]
    }

    /// The first word after the options that would be an option if it stood before them.
    public func firstOptionBehind(among options: [Option]) -> SystemString? {
        // Only long ones count: short ones are too common to be a mistake.
        var names: Set<String>?
        for word in isEndMarked ? [] : rest.dropFirst() where word.bytes.first == UInt8(ascii: "-") {
            if word == "--" { return nil }
            let name = Self.name(of: word)
            let known =
                names ?? Set(options.filter { !$0.isHidden }.flatMap(\.names).filter { $0.utf8.count > 2 })
            names = known
            if known.contains(name) { return SystemString(name) }
        }
        return nil
    }
}

/// The arguments of this program, without its own name.
public func ownArguments() -> [SystemString] {
    let words = UnsafeBufferPointer(start: dlp_arguments(), count: Int(dlp_argument_count()))
    return words.dropFirst().compactMap { $0.map { SystemString(cString: $0) } }
}

/// A path by which another process can start this program; just its name where the system does not provide a path.
public func ownProgram() -> SystemString {
    let own: SystemString = "/proc/self/exe"
    if access(own.cString, F_OK) == 0 { return own }
    let words = UnsafeBufferPointer(start: dlp_arguments(), count: Int(dlp_argument_count()))
    return words.first.flatMap { $0 }.map { SystemString(cString: $0) } ?? own
}
