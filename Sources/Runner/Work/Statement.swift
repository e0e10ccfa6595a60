import DLP

/// What must be the same on all ranks: how a rank was started, or what its script defines.
struct Statement {
    /// Names and values: options and functions in readable form, the rest as digests.
    var entries: [(name: String, value: String)]

    /// Returns the statement as it is sent: the entries, which are the same bytes on ranks that agree; then this
    /// rank's host; then `more`, which may differ.
    func encoded(with more: Bytes = .empty) -> Bytes {
        var writer = ByteWriter()
        for item in [Value.map(entries.map { (.text($0.name), .text($0.value)) }), .text(HostName.current)] {
            // They are flat and short, so they cannot exceed a limit of the encoder.
            if let encoded = try? item.encoded() { writer.append(encoded) }
        }
        writer.append(more)
        return writer.finish()
    }

    /// Describes how another rank differs, as a clause about it; nil where it does not.
    func difference(of other: [String: String]) -> String? {
        let own = Dictionary(entries.map { ($0.name, $0.value) }) { first, _ in first }
        let names = entries.map(\.name) + other.keys.sorted().filter { own[$0] == nil }
        guard let name = names.first(where: { own[$0] != other[$0] }) else { return nil }
        if name == Self.script { return "its script has another text than that of rank 0" }
        if name == Self.arguments { return "its script has other arguments than that of rank 0" }
        return "it has \(Self.show(name, other[name])), and rank 0 has \(Self.show(name, own[name]))"
    }

    private static func show(_ name: String, _ value: String?) -> String {
        guard let value else { return "no \(name)" }
        if name.hasPrefix("--") { return value.isEmpty ? name : "\(name) \(value)" }
        return "a \(name)"
    }

    /// The names of the entries that are digests.
    static let script = "script"
    static let arguments = "arguments"
}

/// A statement from another rank.
struct OthersStatement {
    var entries: [String: String] = [:]
    var host = "unknown"
    /// The part that may differ.
    var more = Bytes.empty

    init(encoded: Bytes) {
        let ends: [Int] = encoded.withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            return (0..<2).compactMap { _ in (try? reader.skip()).map { reader.position } }
        }
        guard ends.count == 2 else { return }
        if case .map(let items)? = try? Value(decoding: encoded[0..<ends[0]]) {
            for case (.text(let name), .text(let value)) in items { entries[name] = value }
        }
        if case .text(let name)? = try? Value(decoding: encoded[ends[0]..<ends[1]]) { host = name }
        more = encoded[ends[1]..<encoded.count]
    }
}

extension Statement {
    /// Ends the job where another rank's statement differs.
    ///
    /// - Parameters:
    ///   - all: the statements of the ranks, by rank.
    ///   - remedy: what the user can do, as a clause.
    func check(_ all: [OthersStatement], remedy: String) throws(JobEnd) {
        let differences = all.indices.compactMap { rank in
            difference(of: all[rank].entries).map { (rank: rank, text: $0) }
        }
        guard let first = differences.first else { return }
        let others = differences.count > 1 ? ", and \(differences.count - 1) more of the ranks differ" : ""
        throw .fault(
            Fault(
                phase: .load, message: "\(first.text)\(others): \(remedy)", rank: first.rank,
                host: all[first.rank].host, status: 2))
    }
}
