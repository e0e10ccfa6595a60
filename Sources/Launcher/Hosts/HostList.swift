public import DLP

/// A list of hosts, in the order in which they get ranks.
public struct HostList: Equatable, Sendable {
    /// A host, and how many ranks it gets there.
    public struct Entry: Equatable, Sendable {
        /// A name, an address, or `user@name`, as ssh accepts it.
        public var name: String
        /// Nil: one rank for each core.
        public var places: Int?

        init(_ name: String, _ places: Int? = nil) { (self.name, self.places) = (name, places) }
    }

    /// At least one entry; a host may occur several times.
    public private(set) var entries: [Entry]

    init(_ entries: [Entry]) { self.entries = entries }

    /// The largest number of ranks for a host: the largest number of processes on a system.
    private static let mostPlaces = 1 << 22

    /// Parses the value of `--hosts`: `a:8,b:8,c`, where an address with colons is in brackets.
    ///
    /// - Throws: `LaunchError` where the text is no such list.
    public init(_ text: SystemString) throws(LaunchError) {
        entries = []
        for word in text.description.split(separator: ",", omittingEmptySubsequences: false) {
            guard let entry = Self.entry(Self.trimmed(word)) else {
                if SlurmNotation.nodes(text.description) != nil, text.description.contains("[") {
                    throw LaunchError(
                        "--hosts takes no list of nodes such as '\(text)': name each host, or let --hosts auto take those "
                            + "of the batch system",
                        status: 2)
                }
                throw LaunchError("--hosts takes HOST or HOST:RANKS, parted by commas, not '\(text)'", status: 2)
            }
            entries.append(entry)
        }
    }

    /// Parses a host file like that of mpiexec: on each line `a slots=8`, `a:8` or `a`; `#` begins a comment.
    ///
    /// - Parameter name: the file's name, for messages.
    /// - Throws: `LaunchError` with the first bad line.
    init(lines text: String, of name: String) throws(LaunchError) {
        entries = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let first = words.first else { continue }
            var entry = Self.entry(first)
            for word in words.dropFirst() {
                let parts = word.split(separator: "=", omittingEmptySubsequences: false)
                // Open MPI's max_slots does not say how many ranks are wanted.
                if parts.count == 2, parts[0] == "max_slots" || parts[0] == "max-slots" { continue }
                guard parts.count == 2, parts[0] == "slots" else {
                    entry = nil
                    break
                }
                entry = entry?.places == nil ? Self.places(parts[1]).flatMap { Entry(entry?.name ?? "", $0) } : nil
            }
            guard let entry, !entry.name.isEmpty else {
                throw LaunchError(
                    "line \(index + 1) of \(name) is no host: it must be HOST, HOST:RANKS or HOST slots=RANKS",
                    status: 2)
            }
            entries.append(entry)
        }
        if entries.isEmpty { throw LaunchError("there is no host in \(name)", status: 2) }
    }

    /// Reads the host file at `path`.
    ///
    /// - Throws: `LaunchError` where it cannot be read, or is no host file.
    public init(file path: SystemString) throws(LaunchError) {
        try self.init(lines: try textOfFile(path), of: path.description)
    }

    // MARK: - Entries

    /// Parses a host with its number of ranks; nil where `word` is no host.
    private static func entry(_ word: Substring) -> Entry? {
        var name = word
        var places: Int?
        if word.contains("[") {
            // user@[fd00::1]:8
            guard let end = word.firstIndex(of: "]"), let start = word.firstIndex(of: "["), start < end else {
                return nil
            }
            let rest = word[word.index(after: end)...]
            let address = word[word.index(after: start)..<end]
            guard address.contains(":") else { return nil }
            name = word[..<start] + address
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = Self.places(rest.dropFirst()) else { return nil }
                places = number
            }
        } else if let colon = word.firstIndex(of: ":") {
            name = word[..<colon]
            guard let number = Self.places(word[word.index(after: colon)...]) else { return nil }
            places = number
        }
        return isName(name) ? Entry(String(name), places) : nil
    }

    /// Whether ssh can only take `name` as a host, not as an option, and no shell takes it as anything special.
    static func isName(_ name: Substring) -> Bool {
        !name.isEmpty && name.utf8.first != UInt8(ascii: "-")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
                    true
                default: "-._@:%+".utf8.contains(byte)
                }
            }
    }

    /// Parses a number of ranks; nil where `word` is no such number.
    static func places(_ word: Substring) -> Int? {
        guard !word.isEmpty, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(word),
            (1...mostPlaces).contains(number)
        else { return nil }
        return number
    }

    private static func trimmed(_ word: Substring) -> Substring {
        var word = word.drop(while: \.isWhitespace)
        while word.last?.isWhitespace == true { word.removeLast() }
        return word
    }
}
