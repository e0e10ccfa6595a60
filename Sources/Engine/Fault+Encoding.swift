public import Codec

extension Fault {
    /// The fault as a CBOR map, to be sent.
    public var encoded: Bytes {
        let entries: [(key: Value, value: Value)] = [
            (.text("phase"), .text(phase.rawValue)), (.text("message"), .text(message)),
            (.text("traceback"), .text(traceback)), (.text("example"), example.map { .integer(Int64($0)) } ?? .null),
            (.text("rank"), .integer(Int64(rank))), (.text("host"), .text(host)),
            (.text("status"), .integer(Int64(status))), (.text("attempts"), .integer(Int64(attempts))),
            (.text("given"), .text(given)), (.text("loop"), .text(loop)),
            (.text("nanoseconds"), nanoseconds.map { .integer($0) } ?? .null),
            (.text("result"), result.map { .bytes($0.array) } ?? .null),
        ]
        // A flat map of short values is within every limit of the encoder.
        return (try? Value.map(entries).encoded()) ?? .empty
    }

    /// The fault that `encoded` holds, or nil where it holds none.
    public init?(encoded: Bytes) {
        guard case .map(let entries)? = try? Value(decoding: encoded) else { return nil }
        var texts: [String: String] = [:]
        var numbers: [String: Int64] = [:]
        var result: Bytes?
        for case (.text(let key), let value) in entries {
            switch value {
            case .text(let text): texts[key] = text
            case .integer(let number): numbers[key] = number
            case .bytes(let bytes): result = Bytes(bytes)
            default: break
            }
        }
        guard let phase = texts["phase"].flatMap(Phase.init(rawValue:)), let message = texts["message"],
            let rank = numbers["rank"]
        else { return nil }
        self.init(
            phase: phase, message: message, traceback: texts["traceback"] ?? "",
            example: numbers["example"].map { Int($0) }, rank: Int(rank), host: texts["host"] ?? "",
            status: Int32(clamping: numbers["status"] ?? 1))
        attempts = Int(numbers["attempts"] ?? 1)
        self.result = result
        given = texts["given"] ?? ""
        loop = texts["loop"] ?? ""
        nanoseconds = numbers["nanoseconds"].map { max(0, $0) }
    }
}
