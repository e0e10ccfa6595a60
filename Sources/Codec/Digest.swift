/// 128 bits that identify an encoded value, the same in every process and on every machine.
///
/// The order of a map's entries does not count, because Lua's `pairs` gives a different order in each process. It does not
/// count either whether a value occurs twice or is referred to the second time. Everything else counts: 1, 1.0 and "1" have
/// three digests. A string of valid UTF-8 and the same bytes as a byte string have different digests, and so have an array
/// and the same numbers as a typed array; our encoder always chooses the same of the two forms.
public struct Digest: Sendable, Hashable {
    /// The upper 64 bits.
    public let high: UInt64
    /// The lower 64 bits.
    public let low: UInt64

    /// A digest of these bits.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Hashes the lower half, which identifies the digest as well as the whole.
    public func hash(into hasher: inout Hasher) { hasher.combine(low) }

    /// Computes the digest of the one item in `encoded`.
    ///
    /// - Throws: `CodecError` where the bytes are not exactly one well-formed item, or where a shared reference in it
    ///   refers to no item.
    public init(of encoded: UnsafeRawBufferPointer) throws(CodecError) {
        var walk = DigestWalk()
        let whole = try walk.digest(of: encoded)
        self = walk.hasCycle ? try DigestWalk.digestOfCycle(in: encoded, shareables: walk.shared.count) : whole
    }
}

extension Digest: CustomStringConvertible {
    /// The digest as 32 hexadecimal digits.
    public var description: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

    private static func hexadecimal(_ bits: UInt64) -> String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// Makes one digest of many, in their order: for a list of examples, without keeping the list.
public struct DigestBuilder: Sendable {
    private var mixer = DigestMixer(seed: DigestWalk.Domain.list.rawValue)
    /// How many digests have been added.
    public private(set) var count = 0

    /// A builder of the digest of an empty list.
    public init() {}

    /// Adds the digest of the next element.
    public mutating func add(_ digest: Digest) {
        mixer.add(digest)
        count += 1
    }

    /// The digest of the list so far.
    public var digest: Digest { mixer.finish(count: count) }
}
