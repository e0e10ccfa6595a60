public import DLP
import LuaHost

/// A list of examples on the command line: the words behind `:::`, or the lines of a file behind `::::`.
public struct ExampleList: Sendable {
    /// The source of the examples.
    public enum Content: Sendable {
        case words([SystemString])
        /// The lines of this file; `-` stands for standard input.
        case lines(SystemString)
    }

    /// The source of the examples.
    public var content: Content
    /// Whether this list is linked with the one before it: the first example with its first, the second with its
    /// second, and so on.
    public var isLinked: Bool

    /// The words that begin lists; a `+` at the end links the list with the one before it.
    private static let marks = [":::", ":::+", "::::", "::::+"].map { SystemString($0) }

    /// Takes the lists off the end of a command line.
    ///
    /// - Returns: the words before them, and the lists.
    /// - Throws: `UsageError` where the first list is linked, or a list names no file.
    public static func split(_ words: [SystemString]) throws(UsageError) -> (
        before: [SystemString], lists: [ExampleList]
    ) {
        guard let first = words.firstIndex(where: marks.contains) else { return (words, []) }
        var lists: [ExampleList] = []
        var rest = words[first...]
        while let mark = rest.popFirst() {
            let end = rest.firstIndex(where: marks.contains) ?? rest.endIndex
            let its = Array(rest[..<end])
            rest = rest[end...]
            let isLinked = mark.bytes.last == UInt8(ascii: "+")
            if isLinked, lists.isEmpty {
                throw UsageError("\(mark) goes with a list before it: let the first begin with :::")
            }
            guard mark.bytes.starts(with: "::::".utf8) else {
                lists.append(ExampleList(content: .words(its), isLinked: isLinked))
                continue
            }
            guard !its.isEmpty else {
                throw UsageError("\(mark) wants a file with an example on each line; - is standard input")
            }
            lists += its.map { ExampleList(content: .lines($0), isLinked: isLinked) }
        }
        return (Array(words[..<first]), lists)
    }

    /// Whether its examples come from standard input.
    public var isStandardInput: Bool { if case .lines("-") = content { true } else { false } }

    /// Reads its examples.
    ///
    /// - Parameter format: how a file is divided.
    /// - Throws: `UsageError` where it cannot be read.
    func read(as format: InputReader.Format) throws(UsageError) -> [SystemString] {
        switch content {
        case .words(let words): return words
        case .lines(let path):
            var input = ExampleInput()
            input.path = path == "-" ? nil : path
            input.format = format
            if input.path == nil { StandardInput.mentionTerminal("the examples are the lines of standard input") }
            let descriptor = try input.open()
            do {
                let reader = try InputReader(descriptor: descriptor, name: input.name, format: format)
                var words: [SystemString] = []
                while let records = try reader.read() { words += records.compactMap(Self.string) }
                return words
            } catch { throw UsageError(error.message) }
        }
    }

    private static func string(_ record: Bytes) -> SystemString? {
        switch try? Value(decoding: record) {
        case .text(let text): SystemString(text)
        case .bytes(let bytes): SystemString(bytes: bytes)
        default: nil
        }
    }
}

extension Invocation {
    /// Adds the example lists of the command line, where the job can have examples from there.
    ///
    /// - Throws: `UsageError` where it cannot.
    public mutating func add(_ lists: [ExampleList]) throws(UsageError) {
        guard !lists.isEmpty else { return }
        switch source {
        case .file, .text, .command, .standardInput: break
        case .journal, .plan, .watch, .running, .none:
            throw UsageError("what stands behind ::: is for a job, which is not asked for")
        }
        guard options.input == nil else {
            throw UsageError("the examples are those of --input or those behind :::, not both: leave one of them out")
        }
        let format = options.format ?? .lines
        guard [.lines, .nul].contains(format) else {
            throw UsageError(
                "behind :::: are files of lines, or with -0 of what NUL ends: for \(format.rawValue) say --input")
        }
        let inputs = lists.filter(\.isStandardInput).count + (source == .standardInput ? 1 : 0)
        guard inputs < 2 else { throw UsageError("standard input can be read only once: give another list a file") }
        (self.lists, listFormat) = (lists, format)
        options.format = nil
    }
}
