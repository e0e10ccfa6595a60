import DLP
import LuaHost

/// What the root tells a rank that comes late: all that the others know from their command lines, and from each other.
///
/// It travels as a CBOR map.
struct JobOffer {
    var script: Script
    /// Options by name, and their values, as on the command line.
    var options: [(name: String, value: SystemString)]
    var isSandboxed: Bool
    /// What the ranks agree on: whether they have the examples, and then what tells these from others.
    var source: LoopOptions.Examples
    var finding: Bytes
    /// The number of the loop in which it is to take part.
    var loop: UInt64 = 0

    /// An offer to take part in a job.
    init(_ script: Script, _ settings: JobSettings, _ agreement: Agreement) {
        self.script = script
        options = settings.forOthers
        isSandboxed = settings.isSandboxed
        source = agreement.source
        finding = agreement.finding
    }

    /// As it is sent.
    ///
    /// - Throws: `CodecError` where the script is too large.
    func encoded() throws(CodecError) -> Bytes {
        let options = options.map { (key: Value.text($0.name), value: Value($0.value)) }
        return try Value.map([
            (.text("chunk name"), Value(script.chunkName)), (.text("source"), .bytes(script.source.array)),
            (.text("name"), Value(script.name)),
            (.text("arguments"), .array(script.arguments.map { Value($0) })),
            (.text("options"), .map(options)), (.text("sandboxed"), .bool(isSandboxed)),
            (.text("sent"), .bool(source == .sent)), (.text("finding"), .bytes(finding.array)),
            (.text("loop"), .integer(Int64(loop))),
        ]).encoded()
    }

    /// The offer that `encoded` holds; nil where it holds none.
    init?(encoded: Bytes) {
        guard case .map(let entries)? = try? Value(decoding: encoded) else { return nil }
        func value(_ name: String) -> Value? { entries.first { $0.key == .text(name) }?.value }
        guard let chunkName = value("chunk name")?.string, case .bytes(let text)? = value("source"),
            let name = value("name")?.string, case .array(let arguments)? = value("arguments"),
            case .map(let options)? = value("options"), case .bool(let isSandboxed)? = value("sandboxed"),
            case .bool(let isSent)? = value("sent"), case .bytes(let finding)? = value("finding"),
            case .integer(let loop)? = value("loop"), loop > 0
        else { return nil }
        script = Script(
            chunkName: chunkName, source: Bytes(text), name: name,
            arguments: arguments.compactMap(\.string))
        self.options = options.compactMap { entry in
            guard case .text(let name) = entry.key, let value = entry.value.string else { return nil }
            return (name, value)
        }
        self.isSandboxed = isSandboxed
        source = isSent ? .sent : .replicated
        self.finding = Bytes(finding)
        self.loop = UInt64(loop)
    }

    /// The settings of the job, which began with `size` ranks.
    ///
    /// - Throws: `UsageError` where this program does not know one of them.
    func settings(size: Int) throws(UsageError) -> JobSettings {
        var known = JobOptions()
        for (name, value) in options { try known.set(name, value) }
        known.isSandboxed = isSandboxed
        guard case .number(let seed)? = known.seed else { throw UsageError("the job does not say its seed") }
        var settings = JobSettings(known, seed: seed, size: size)
        settings.journal = try JournalSettings(known)
        settings.isCommand = script.isCommand
        return settings
    }
}

extension Value {
    /// As text where it is UTF-8, otherwise as bytes.
    fileprivate init(_ string: SystemString) { self = string.text.map { .text($0) } ?? .bytes(string.bytes) }

    /// The string that this is; nil where it is something else.
    fileprivate var string: SystemString? {
        switch self {
        case .text(let text): SystemString(text)
        case .bytes(let bytes): SystemString(bytes: bytes)
        default: nil
        }
    }
}
