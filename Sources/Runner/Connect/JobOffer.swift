import DLP
import LuaHost

/// What the root sends to a rank that joins late: everything that the other ranks know from their command lines and
/// from each other.
///
/// It is sent as a CBOR map.
struct JobOffer {
    var script: Script
    /// Options by name, and their values, as on the command line.
    var options: [(name: String, value: SystemString)]
    var isSandboxed: Bool
    /// What the ranks agreed on: whether each rank makes the examples itself, and if so, the finding by which to
    /// check that a rank makes the same ones.
    var source: LoopOptions.Examples
    var finding: Bytes
    /// The number of the loop in which the rank is to take part.
    var loop: UInt64 = 0

    /// An offer to take part in a job.
    init(_ script: Script, _ settings: JobSettings, _ agreement: Agreement) {
        self.script = script
        options = settings.forOthers
        isSandboxed = settings.isSandboxed
        source = agreement.source
        finding = agreement.finding
    }

    /// Returns the offer encoded for sending.
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

    /// Decodes an offer; nil where `encoded` holds none.
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

    /// Returns the settings of the job, which began with `size` ranks.
    ///
    /// - Throws: `UsageError` for an option that this program does not know.
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
    /// A text where the string is valid UTF-8, otherwise bytes.
    fileprivate init(_ string: SystemString) { self = string.text.map { .text($0) } ?? .bytes(string.bytes) }

    /// The string that this value holds; nil for other kinds of values.
    fileprivate var string: SystemString? {
        switch self {
        case .text(let text): SystemString(text)
        case .bytes(let bytes): SystemString(bytes: bytes)
        default: nil
        }
    }
}
