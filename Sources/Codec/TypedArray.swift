/// The numbers of an array that is encoded as one byte string, RFC 8746.
///
/// It holds a pointer into memory that it does not own, as `CBORReader` does. Unsigned integers of 64 bits and floating-point
/// numbers of 128 bits are not supported, because Lua does not have them.
@frozen
public struct TypedArray {
    /// The tags that our encoder writes.
    public enum Tag {
        /// 72: integers of 8 bits.
        @inlinable public static var int8: UInt64 { 72 }
        /// 77: integers of 16 bits, little-endian.
        @inlinable public static var int16: UInt64 { 77 }
        /// 78: integers of 32 bits, little-endian.
        @inlinable public static var int32: UInt64 { 78 }
        /// 79: integers of 64 bits, little-endian.
        @inlinable public static var int64: UInt64 { 79 }
        /// 86: floating-point numbers of 64 bits, little-endian.
        @inlinable public static var float64: UInt64 { 86 }
    }

    /// The numbers, one after another.
    public let bytes: UnsafeRawBufferPointer
    /// How many numbers there are.
    public let count: Int
    /// How many bytes each takes: 1, 2, 4 or 8.
    public let width: Int
    /// Whether they are floating-point numbers rather than integers.
    public let isFloat: Bool
    @usableFromInline let isSigned: Bool
    @usableFromInline let isLittleEndian: Bool

    /// Whether a byte string with the tag `tag` is a typed array.
    @inlinable
    public static func isTypedArray(tag: UInt64) -> Bool {
        switch tag {
        case 64...66, 68...70, 72...75, 77...79, 80...82, 84...86: true
        default: false
        }
    }

    /// Reads the numbers in `bytes`, the content of a byte string with the tag `tag`; nil where the tag is not a typed
    /// array's.
    ///
    /// - Throws: `CodecError` where the number of bytes is not a multiple of the width.
    public init?(tag: UInt64, bytes: UnsafeRawBufferPointer) throws(CodecError) {
        guard Self.isTypedArray(tag: tag) else { return nil }
        // RFC 8746, section 2.1: the tag's bits are 010fsell, floating point, signed, little-endian, logarithm of size.
        isFloat = tag & 0x10 != 0
        isSigned = tag & 0x08 != 0
        isLittleEndian = tag & 0x04 != 0
        width = 1 << (Int(tag & 0x03) + (isFloat ? 1 : 0))
        guard bytes.count % width == 0 else {
            throw CodecError("a typed array of \(bytes.count) bytes cannot hold numbers of \(width) bytes each")
        }
        self.bytes = bytes
        count = bytes.count / width
    }

    /// The number at `index`, where the array holds integers.
    ///
    /// - Precondition: `index` lies within `0..<count`.
    @inlinable
    public func integer(at index: Int) -> Int64 {
        let bits = bits(at: index)
        let unused = 64 - 8 * width
        return isSigned ? Int64(bitPattern: bits << unused) >> unused : Int64(truncatingIfNeeded: bits)
    }

    /// The number at `index`, where the array holds floating-point numbers.
    ///
    /// - Precondition: `index` lies within `0..<count`.
    @inlinable
    public func double(at index: Int) -> Double {
        let bits = bits(at: index)
        return switch width {
        case 8: Double(bitPattern: bits)
        case 4: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        default: CBORHead.double(half: UInt16(truncatingIfNeeded: bits))
        }
    }

    @inlinable
    func bits(at index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "index outside the typed array")
        let offset = index &* width
        return switch width {
        case 1: UInt64(bytes.load(fromByteOffset: offset, as: UInt8.self))
        case 2: UInt64(inOrder(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        case 4: UInt64(inOrder(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        default: inOrder(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
    }

    @inlinable
    func inOrder<Integer: FixedWidthInteger>(_ stored: Integer) -> Integer {
        isLittleEndian ? Integer(littleEndian: stored) : Integer(bigEndian: stored)
    }
}
