/// The digest of an array or a map of scalars, from these as they come: the same as that of its encoding, for less than what
/// it takes to encode it and to walk through that.
package struct FlatDigest {
    /// A value that holds no others.
    package enum Scalar {
        case integer(Int64)
        case double(Double)
        case bool(Bool)
        /// Bytes, which are text where they are UTF-8.
        case string(UnsafeRawBufferPointer)

        /// Its own digest.
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

    /// Adds the next element; in a map keys and values take turns.
    package mutating func add(_ scalar: Scalar) { DigestWalk.add(scalar.digest, to: &level) }

    /// The digest of what was added.
    package var digest: Digest { DigestWalk.finish(level) }
}
