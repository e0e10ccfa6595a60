public import DLP

/// What rows were made with: the script, and what the function in it could reach that did their examples.
public struct CodeVersion: Sendable, Hashable {
    /// A function or a value that it could reach.
    public struct Part: Sendable, Hashable {
        /// What the script calls it.
        public var name: String
        /// Where it stands, as `job.lua:12`; may be empty.
        public var place: String
        /// What it is.
        public var digest: Digest

        /// A part.
        public init(name: String, place: String, digest: Digest) {
            (self.name, self.place, self.digest) = (name, place, digest)
        }
    }

    /// The script's name.
    public var script: SystemString
    /// The digest of its text.
    public var text: Digest
    /// That of what the function could reach; nil where nobody can know it.
    public var reach: Digest?
    /// What that consists of.
    public var parts: [Part] = []
    /// Why nobody can, as clauses about the function.
    public var obstacles: [String] = []

    /// What is made with a script of which nothing else is known.
    public init(_ identity: JournalIdentity) { (script, text) = (identity.script, identity.scriptDigest) }

    /// What is made with a function of this script.
    ///
    /// - Parameters:
    ///   - reach: the digest of what it can reach.
    ///   - parts: what that consists of.
    ///   - obstacles: what it may reach that nobody can know; where there is any, `reach` counts for nothing.
    public init(_ identity: JournalIdentity, reach: Digest, parts: [Part], obstacles: [String]) {
        self.init(identity)
        self.reach = obstacles.isEmpty ? reach : nil
        self.parts = parts
        self.obstacles = obstacles
    }

    /// Whether rows of an earlier version are as this one would make them.
    enum Fit: Equatable {
        case same
        /// They are not, for these parts have changed.
        case changed([String])
        /// Nobody knows, for this reason, a clause.
        case unknown(String)
    }

    /// How rows of an earlier version fit.
    func fit(_ earlier: CodeVersion) -> Fit {
        if let reach, let before = earlier.reach { return reach == before ? .same : .changed(changes(since: earlier)) }
        if text == earlier.text { return .same }
        if let obstacle = obstacles.first { return .unknown("the function \(obstacle)") }
        if let obstacle = earlier.obstacles.first { return .unknown("before, the function \(obstacle)") }
        return .unknown("its rows do not say what they were made with")
    }

    /// The parts that are others than before, as messages name them.
    private func changes(since earlier: CodeVersion) -> [String] {
        let before = Dictionary(grouping: earlier.parts, by: \.name)
        let changed = parts.filter { part in !(before[part.name] ?? []).contains { $0.digest == part.digest } }
        var names = changed.map(\.description)
        let now = Set(parts.map(\.name))
        names += earlier.parts.filter { !now.contains($0.name) }.map { "\($0.name), which is gone," }
        // What it consists of is the same, and hangs together otherwise.
        if names.isEmpty { names = parts.prefix(1).map(\.description) }
        var known: Set<String> = []
        return names.filter { known.insert($0).inserted }
    }
}

extension CodeVersion.Part {
    /// As a message names it: with the line where it begins.
    fileprivate var description: String { place.isEmpty ? name : "\(name) (\(place))" }
}

// As the table `meta` has it.

extension CodeVersion {
    /// The beginning of the names of such rows, behind which is the number.
    static let rowPrefix = "version "

    /// One encoded value.
    var encoded: Bytes {
        var entries: [(key: Value, value: Value)] = [
            (.text("script"), .bytes(Array(script.bytes))), (.text("text"), .bytes(text.bytes)),
            (
                .text("parts"),
                .array(parts.map { .array([.text($0.name), .text($0.place), .bytes($0.digest.bytes)]) })
            ), (.text("obstacles"), .array(obstacles.map { .text($0) })),
        ]
        if let reach { entries.append((.text("reach"), .bytes(reach.bytes))) }
        // Flat and short, it is within every limit of the encoder.
        return (try? Value.map(entries).encoded()) ?? .empty
    }

    /// What `encoded` has written; nil for anything else.
    init?(encoded: Bytes) {
        guard case .map(let entries)? = try? Value(decoding: encoded) else { return nil }
        var (script, text): (SystemString?, Digest?)
        for case (.text(let name), let value) in entries {
            switch (name, value) {
            case ("script", .bytes(let bytes)): script = SystemString(bytes: bytes)
            case ("text", .bytes(let bytes)): text = Digest(bytes: bytes)
            case ("reach", .bytes(let bytes)): reach = Digest(bytes: bytes)
            case ("parts", .array(let items)): parts = items.compactMap { Part($0) }
            case ("obstacles", .array(let items)):
                obstacles = items.compactMap { if case .text(let clause) = $0 { clause } else { nil } }
            default: continue
            }
        }
        guard let script, let text else { return nil }
        (self.script, self.text) = (script, text)
    }
}

extension CodeVersion.Part {
    fileprivate init?(_ value: Value) {
        guard case .array(let items) = value, items.count == 3, case .text(let name) = items[0],
            case .text(let place) = items[1], case .bytes(let bytes) = items[2], let digest = Digest(bytes: bytes)
        else { return nil }
        self.init(name: name, place: place, digest: digest)
    }
}

extension Digest {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }

    fileprivate init?(bytes: [UInt8]) {
        guard let digest = bytes.withUnsafeBytes({ Digest(bytes: $0) }) else { return nil }
        self = digest
    }
}
