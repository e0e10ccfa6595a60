/// Reads encoded items head by head, and does not trust their counts.
///
/// It holds a pointer into memory that it does not own: use it only inside the `withUnsafeBytes` that gave the buffer.
/// A caller may reserve room for as many elements as a head claims. The sum of all claims never exceeds the number of
/// bytes; otherwise `readHead` throws.
@frozen
public struct CBORReader {
    @usableFromInline let base: UnsafeRawPointer?
    @usableFromInline let end: Int
    /// How many more items heads may claim.
    ///
    /// Each item takes at least one byte.
    @usableFromInline var claimable: Int
    /// The offset of the next byte from the beginning of the buffer.
    @usableFromInline var offset: Int

    /// A reader at the beginning of `buffer`.
    @inlinable
    public init(_ buffer: UnsafeRawBufferPointer) {
        base = buffer.baseAddress
        end = buffer.count
        claimable = buffer.count
        offset = 0
    }

    /// How many bytes have been read.
    @inlinable public var position: Int { offset }

    /// How many bytes are left.
    @inlinable public var remaining: Int { end &- offset }

    /// Continues at another position, where an item begins.
    ///
    /// - Precondition: `position` lies within the buffer.
    public mutating func seek(to position: Int) {
        precondition(position >= 0 && position <= end, "position outside the bytes")
        offset = position
        claimable = end - position
    }

    /// Reads the head of the next item, or a break.
    ///
    /// - Throws: `CodecError` where the bytes end, where the head is malformed, and where it claims a longer string or
    ///   more elements than the remaining bytes can hold.
    @inlinable
    public mutating func readHead() throws(CodecError) -> CBORHead {
        guard offset < end else { throw truncated(at: offset) }
        let start = offset
        let first = base.unsafelyUnwrapped.load(fromByteOffset: start, as: UInt8.self)
        offset = start &+ 1
        let (major, info) = (first >> 5, first & 31)
        let argument = info < 24 ? UInt64(info) : try readLongArgument(major: major, info: info, at: start)
        if major &- CBORMajor.bytes <= CBORMajor.map - CBORMajor.bytes {
            try claim(argument, major: major, at: start)
        }
        return CBORHead(major: major, info: info, argument: argument)
    }

    /// Reads an argument that did not fit into the first byte; returns 0 if there is none.
    @inlinable
    mutating func readLongArgument(major: UInt8, info: UInt8, at start: Int) throws(CodecError) -> UInt64 {
        let bytes = base.unsafelyUnwrapped + offset
        let left = remaining
        switch info {
        case 24 where left >= 1:
            offset &+= 1
            let argument = bytes.load(as: UInt8.self)
            if major == CBORMajor.simple, argument < 32 { throw malformed(at: start) }
            return UInt64(argument)
        case 25 where left >= 2:
            offset &+= 2
            return UInt64(UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self)))
        case 26 where left >= 4:
            offset &+= 4
            return UInt64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        case 27 where left >= 8:
            offset &+= 8
            return UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        case 24...27:
            throw truncated(at: end)
        case 31 where major >= CBORMajor.bytes && major != CBORMajor.tag:
            return 0
        default:
            throw malformed(at: start)
        }
    }

    /// Refuses a string, array or map longer than the remaining bytes can hold.
    @inlinable
    mutating func claim(_ count: UInt64, major: UInt8, at start: Int) throws(CodecError) {
        let left = UInt64(truncatingIfNeeded: remaining)
        if major <= CBORMajor.text {
            guard count <= left else { throw oversized(count, major: major, at: start) }
            return
        }
        let (items, overflow) = count.multipliedReportingOverflow(by: major == CBORMajor.map ? 2 : 1)
        guard !overflow, items <= left, items <= UInt64(truncatingIfNeeded: claimable) else {
            throw oversized(count, major: major, at: start)
        }
        claimable &-= Int(truncatingIfNeeded: items)
    }

    /// Reads `count` bytes, without a copy.
    ///
    /// - Throws: `CodecError` where fewer are left.
    @inlinable
    public mutating func readBytes(count: UInt64) throws(CodecError) -> UnsafeRawBufferPointer {
        guard count <= UInt64(truncatingIfNeeded: remaining) else { throw truncated(at: end) }
        let length = Int(truncatingIfNeeded: count)
        let bytes = UnsafeRawBufferPointer(start: base.map { $0 + offset }, count: length)
        offset &+= length
        return bytes
    }

    /// Reads the break that ends an item of indefinite length, if it is next.
    ///
    /// - Returns: whether there was a break.
    public mutating func skipBreak() -> Bool {
        guard remaining > 0, base.unsafelyUnwrapped.load(fromByteOffset: offset, as: UInt8.self) == 0xff else {
            return false
        }
        offset += 1
        return true
    }

    /// Checks that all bytes have been read.
    ///
    /// - Throws: `CodecError` where bytes are left.
    public func expectEnd() throws(CodecError) {
        guard remaining == 0 else { throw CodecError("something follows the encoded value", at: position) }
    }

    @usableFromInline @inline(never)
    func truncated(at offset: Int) -> CodecError { CodecError("the encoded value is cut off", at: offset) }

    @usableFromInline @inline(never)
    func malformed(at offset: Int) -> CodecError {
        CodecError("an item begins with a byte that CBOR does not allow", at: offset)
    }

    @usableFromInline @inline(never)
    func oversized(_ count: UInt64, major: UInt8, at offset: Int) -> CodecError {
        let claim =
            switch major {
            case CBORMajor.array: "an array claims \(count) elements"
            case CBORMajor.map: "a map claims \(count) entries"
            default: "a string claims \(count) bytes"
            }
        return CodecError("\(claim), more than the encoded value can hold", at: offset)
    }
}
