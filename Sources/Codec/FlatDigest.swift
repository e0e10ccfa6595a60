/// The digest of an array or a map of scalars, computed from the scalars one by one.
///
/// It equals the digest of the encoding, but takes less time than encoding the value and walking through the encoding.
package struct FlatDigest {
    /// A value that contains no others.
    package enum Scalar {
        case integer(Int64)
        case double(Double)
        case bool(Bool)
        /// Bytes, which count as text if they are UTF-8.
        case string(UnsafeRawBufferPointer)

        /// The scalar's own digest.
        @inline(__always)
        var digest: Digest {
            switch self {
            case .integer(let value):
                let sign = value >> 63
                return DigestWalk.digest(.integer, UInt64(bitPattern: value ^ sign), UInt64(bitPattern: sign & 1))
            case .double(let value): return DigestWalk.digest(.double, value.bitPattern, 0)
            case .bool(let value): return DigestWalk.digest(.simple, value ? 21 : 20, 0)
            case .string(let bytes): return DigestWalk.digest(isValidUTF8(bytes) ? .text : .bytes, bytes)
            }
        }
    }

    private var level: DigestWalk.Level

    /// An empty map, or an empty array.
    package init(isMap: Bool) { level = DigestWalk.Level(isMap ? .map : .array) }

    /// Adds the next element; in a map, keys and values alternate.
    package mutating func add(_ scalar: Scalar) { DigestWalk.add(scalar.digest, to: &level) }

    /// The digest of what was added.
    package var digest: Digest { DigestWalk.finish(level) }
}
