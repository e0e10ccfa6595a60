public import Codec

/// What a rank knows of the elements of a loop that its script begins.
///
/// Those of the root count. A rank that has others is sent them before it is given any to do.
public struct LoopList: Sendable {
    /// What the elements come from.
    public enum Kind: Int64, Sendable {
        /// A number n, for 1 to n.
        case number
        /// A list.
        case list
        /// An iterator, of which each rank has a copy.
        case iterator
    }

    /// What the elements come from.
    public var kind: Kind
    /// Of a list's elements, where they have one.
    public var digest: Digest?
    /// The list as one encoded value, on the root, where it can be sent.
    public var encoded: Bytes
    /// Where in the script the loop begins, for messages.
    public var place: String

    /// A list.
    public init(_ kind: Kind, digest: Digest? = nil, encoded: Bytes = .empty, place: String) {
        self.kind = kind
        self.digest = digest
        self.encoded = encoded
        self.place = place
    }
}

/// How a rank enters a loop of its script.
struct LoopEntry {
    var list: LoopList
    /// How many collectives the rank has begun before.
    var collectives: UInt64
    var host: String

    /// A CBOR array, and behind it the list where that is there.
    var encoded: Bytes {
        let digest = list.digest.map { [$0.high, $0.low].map { Value.integer(Int64(bitPattern: $0)) } } ?? []
        let parts: [Value] = [
            .integer(list.kind.rawValue), .integer(Int64(clamping: collectives)), .text(host), .text(list.place),
            .array(digest),
        ]
        var writer = ByteWriter()
        // A flat array of short values is within every limit of the encoder.
        if let head = try? Value.array(parts).encoded() { writer.append(head) }
        writer.append(list.encoded)
        return writer.finish()
    }

    init(_ list: LoopList, collectives: UInt64, host: String) {
        self.list = list
        self.collectives = collectives
        self.host = host
    }

    /// What `encoded` holds, or nil where it holds nothing of the kind.
    init?(encoded: Bytes) {
        let end = encoded.withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            return (try? reader.skip()).map { reader.position }
        }
        guard let end, case .array(let parts)? = try? Value(decoding: encoded[0..<end]), parts.count == 5,
            case .integer(let number) = parts[0], let kind = LoopList.Kind(rawValue: number),
            case .integer(let collectives) = parts[1], collectives >= 0, case .text(let host) = parts[2],
            case .text(let place) = parts[3], case .array(let halves) = parts[4]
        else { return nil }
        list = LoopList(kind, encoded: encoded[end..<encoded.count], place: place)
        if halves.count == 2, case .integer(let high) = halves[0], case .integer(let low) = halves[1] {
            list.digest = Digest(high: UInt64(bitPattern: high), low: UInt64(bitPattern: low))
        }
        self.collectives = UInt64(collectives)
        self.host = host
    }
}
