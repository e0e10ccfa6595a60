/// MurmurHash3 for x64 with 128 bits, by Austin Appleby, in the public domain; the constants are from there.
///
/// Blocks of 16 bytes are added one after another. It is fast and spreads well, but is not cryptographic: values with the
/// same digest can be made on purpose.
package struct DigestMixer {
    private var first: UInt64
    private var second: UInt64

    /// A mixer; different seeds give different digests.
    package init(seed: UInt64) {
        first = seed
        second = seed
    }

    /// Adds a block of 16 bytes.
    @inline(__always)
    package mutating func add(_ low: UInt64, _ high: UInt64) {
        let (c1, c2): (UInt64, UInt64) = (0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f)
        first ^= Self.rotate(low &* c1, by: 31) &* c2
        first = (Self.rotate(first, by: 27) &+ second) &* 5 &+ 0x52dc_e729
        second ^= Self.rotate(high &* c2, by: 33) &* c1
        second = (Self.rotate(second, by: 31) &+ first) &* 5 &+ 0x3849_5ab5
    }

    @inline(__always)
    mutating func add(_ digest: Digest) { add(digest.low, digest.high) }

    /// Adds bytes.
    ///
    /// The last block is filled up with zeros, so `finish` must be given their number.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while bytes.count - offset >= 16 {
            add(Self.load(bytes, offset), Self.load(bytes, offset + 8))
            offset += 16
        }
        guard offset < bytes.count else { return }
        var last: (low: UInt64, high: UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &last) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset...])) }
        add(UInt64(littleEndian: last.low), UInt64(littleEndian: last.high))
    }

    /// Returns the digest of what was added; `count` is how much that was.
    @inline(__always)
    package func finish(count: Int) -> Digest {
        var (low, high) = (first ^ UInt64(count), second ^ UInt64(count))
        low &+= high
        high &+= low
        low = Self.avalanche(low)
        high = Self.avalanche(high)
        low &+= high
        high &+= low
        return Digest(high: high, low: low)
    }

    @inline(__always)
    private static func load(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func rotate(_ value: UInt64, by bits: UInt64) -> UInt64 { value &<< bits | value &>> (64 &- bits) }

    @inline(__always)
    private static func avalanche(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value &>> 33) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ value &>> 33) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ value &>> 33
    }
}
