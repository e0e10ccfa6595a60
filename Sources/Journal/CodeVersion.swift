public import DLP

/// What rows were made with: the script, and everything that the function which did their examples could reach.
public struct CodeVersion: Sendable, Hashable {
    /// A function or a value that it could reach.
    public struct Part: Sendable, Hashable {
        /// What the script calls it.
        public var name: String
        /// Its place, as `job.lua:12`; may be empty.
        public var place: String
        /// The digest of the part.
        public var digest: Digest
        /// Whether it is a value that the script made while it was loaded.
        ///
        /// Such a value may be different in each process.
        public var isValue: Bool

        /// A part.
        public init(name: String, place: String, digest: Digest, isValue: Bool = false) {
            (self.name, self.place, self.digest, self.isValue) = (name, place, digest, isValue)
        }
    }

    /// The script's name.
    public var script: SystemString
    /// The digest of its text.
    public var text: Digest
    /// The digest of the modules that it had loaded; nil where it was not determined.
    public var modules: Digest?
    /// The stage whose examples the function does; nil: the job itself.
    var stage: String?
    /// The digest of everything that the function could reach, as far as it can be known; nil where it was not determined.
    public var reach: Digest?
    /// The parts of what it could reach.
    public var parts: [Part] = []
    /// The reasons why not everything can be known, as clauses about the function.
    public var obstacles: [String] = []
    /// Files that it reads, as such clauses, too; an example's trace says which files they are.
    public var inputs: [String] = []
    /// How the parts are connected; nil where it was not determined, or where there are too many.
    public var graph: ReachGraph?

    /// The version of a script of which nothing else is known.
    public init(_ identity: JournalIdentity) { (script, text) = (identity.script, identity.scriptDigest) }

    /// The version of a function of this script.
    ///
    /// - Parameters:
    ///   - modules: the digest of the modules that the script has loaded.
    ///   - reach: the digest of what it can reach.
    ///   - parts: the parts of what it can reach.
    ///   - obstacles: what it may reach that cannot be known; where there is any, only an equal text counts as the same.
    ///   - inputs: the same for files; but the trace of an example says which files these are.
    ///   - graph: how the parts are connected.
    public init(
        _ identity: JournalIdentity, modules: Digest, reach: Digest, parts: [Part], obstacles: [String],
        inputs: [String] = [], graph: ReachGraph? = nil
    ) {
        self.init(identity)
        self.modules = modules
        self.reach = reach
        self.parts = parts
        self.obstacles = obstacles
        self.inputs = inputs
        self.graph = graph
    }

    /// Everything that cannot be known of an example without a trace.
    private var unknowns: [String] { obstacles + inputs }

    /// Whether this version would make rows of an earlier version in the same way.
    enum Fit: Equatable {
        case same
        /// The text and the code are the same, but these values are not, for example values made from the time or the order
        /// of `pairs`.
        case drifted([String])
        /// They would be different, because these parts have changed.
        case changed([String])
        /// It cannot be known, for this reason, a clause.
        case unknown(String)

        /// Whether the rows stay valid, whatever their examples have met.
        var isBelieved: Bool {
            switch self {
            case .same, .drifted: true
            case .changed, .unknown: false
            }
        }
    }

    /// Whether the script and its modules are unchanged, as far as that is known.
    func hasSameText(as earlier: CodeVersion) -> Bool {
        text == earlier.text && (modules == nil || earlier.modules == nil || modules == earlier.modules)
    }

    /// Says how rows of an earlier version fit this one.
    func fit(_ earlier: CodeVersion) -> Fit {
        let isSameText = hasSameText(as: earlier)
        if let reach, let before = earlier.reach, isSameText || (unknowns + earlier.unknowns).isEmpty {
            guard reach != before else { return .same }
            let changed = changes(since: earlier)
            let isDrift = isSameText && !changed.isEmpty && changed.allSatisfy(\.isValue)
            return isDrift ? .drifted(names(of: changed)) : .changed(names(of: changed))
        }
        if isSameText { return .same }
        if let obstacle = unknowns.first { return .unknown("the function \(obstacle)") }
        if let obstacle = earlier.unknowns.first { return .unknown("before, the function \(obstacle)") }
        return .unknown("its rows do not say what they were made with")
    }

    /// The parts that differ from the earlier ones, and those that no longer exist.
    private func changes(since earlier: CodeVersion) -> [Part] {
        let before = Dictionary(grouping: earlier.parts, by: \.name).mapValues { Set($0.map(\.digest)) }
        let now = Set(parts.map(\.name))
        var gone = earlier.parts.filter { !now.contains($0.name) }
        for number in gone.indices {
            (gone[number].name, gone[number].place) = ("\(gone[number].name), which is gone,", "")
        }
        return parts.filter { before[$0.name]?.contains($0.digest) != true } + gone
    }

    /// The names of changed parts for messages, 100 at most.
    ///
    /// If no part has changed, the parts are the same but are connected differently; then the first part is named.
    private func names(of changed: [Part]) -> [String] {
        var known: Set<String> = []
        let names = (changed.isEmpty ? Array(parts.prefix(1)) : changed).map(\.description)
        return Array(names.filter { known.insert($0).inserted }.prefix(100))
    }
}

extension CodeVersion.Part {
    /// The part's name in messages: for code with the line where it begins, for a value with the function that led to it.
    var description: String {
        if place.isEmpty { return name }
        return isValue ? "\(name), met at \(place)," : "\(name) (\(place))"
    }
}

// The form in the table `meta`.

extension CodeVersion {
    /// The prefix of the names of such rows; the number follows it.
    static let rowPrefix = "version "

    /// The version as one encoded value.
    var encoded: Bytes {
        var entries: [(key: Value, value: Value)] = [
            (.text("script"), .bytes(Array(script.bytes))), (.text("text"), .bytes(text.bytes)),
            (
                .text("parts"),
                .array(
                    parts.map { .array([.text($0.name), .text($0.place), .bytes($0.digest.bytes), .bool($0.isValue)]) })
            ), (.text("obstacles"), .array(obstacles.map { .text($0) })),
        ]
        if !inputs.isEmpty { entries.append((.text("inputs"), .array(inputs.map { .text($0) }))) }
        if let graph { entries.append((.text("graph"), graph.value)) }
        if let modules { entries.append((.text("modules"), .bytes(modules.bytes))) }
        if let stage { entries.append((.text("stage"), .text(stage))) }
        if let reach { entries.append((.text("reach"), .bytes(reach.bytes))) }
        // It is flat, so no limit of the encoder applies.
        return (try? Value.map(entries).encoded()) ?? .empty
    }

    /// Reads the output of `encoded`; nil for anything else.
    init?(encoded: Bytes) {
        guard case .map(let entries)? = try? Value(decoding: encoded) else { return nil }
        var (script, text): (SystemString?, Digest?)
        for case (.text(let name), let value) in entries {
            switch (name, value) {
            case ("script", .bytes(let bytes)): script = SystemString(bytes: bytes)
            case ("text", .bytes(let bytes)): text = Digest(bytes: bytes)
            case ("stage", .text(let name)): stage = name
            case ("modules", .bytes(let bytes)): modules = Digest(bytes: bytes)
            case ("reach", .bytes(let bytes)): reach = Digest(bytes: bytes)
            case ("parts", .array(let items)): parts = items.compactMap { Part($0) }
            case ("obstacles", .array(let items)): obstacles = Self.clauses(items)
            case ("inputs", .array(let items)): inputs = Self.clauses(items)
            case ("graph", let value): graph = ReachGraph(value)
            default: continue
            }
        }
        guard let script, let text else { return nil }
        (self.script, self.text) = (script, text)
    }

    private static func clauses(_ items: [Value]) -> [String] {
        items.compactMap { if case .text(let clause) = $0 { clause } else { nil } }
    }
}

extension CodeVersion.Part {
    fileprivate init?(_ value: Value) {
        guard case .array(let items) = value, items.count == 4, case .text(let name) = items[0],
            case .text(let place) = items[1], case .bytes(let bytes) = items[2], let digest = Digest(bytes: bytes),
            case .bool(let isValue) = items[3]
        else { return nil }
        self.init(name: name, place: place, digest: digest, isValue: isValue)
    }
}

extension Digest {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }

    fileprivate init?(bytes: [UInt8]) {
        guard let digest = bytes.withUnsafeBytes({ Digest(bytes: $0) }) else { return nil }
        self = digest
    }
}
