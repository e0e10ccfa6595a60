extension ByteWriter {
    /// Adds the head of an item in its shortest form.
    @inlinable @inline(__always)
    public mutating func appendHead(major: UInt8, argument: UInt64) {
        if argument < 24 {
            append(major << 5 | UInt8(truncatingIfNeeded: argument))
        } else {
            appendLongHead(major: major, argument: argument)
        }
    }

    @inlinable
    mutating func appendLongHead(major: UInt8, argument: UInt64) {
        if argument <= UInt64(UInt8.max) {
            append(major << 5 | 24)
            append(UInt8(truncatingIfNeeded: argument))
        } else if argument <= UInt64(UInt16.max) {
            append(major << 5 | 25)
            append(bigEndian: UInt16(truncatingIfNeeded: argument))
        } else if argument <= UInt64(UInt32.max) {
            append(major << 5 | 26)
            append(bigEndian: UInt32(truncatingIfNeeded: argument))
        } else {
            append(major << 5 | 27)
            append(bigEndian: argument)
        }
    }

    /// Adds an integer.
    @inlinable @inline(__always)
    public mutating func appendInteger(_ value: Int64) {
        // An arithmetic shift gives the major type 0 or 1; the argument of a negative number is -1 - value, its inverse.
        let sign = value >> 63
        appendHead(major: UInt8(truncatingIfNeeded: sign & 1), argument: UInt64(bitPattern: value ^ sign))
    }

    /// Adds a floating-point number, always as 64 bits, so that it is read back exactly, including the payload of a NaN.
    @inlinable @inline(__always)
    public mutating func appendDouble(_ value: Double) {
        append(0xfb)
        append(bigEndian: value.bitPattern)
    }

    /// Adds a boolean.
    @inlinable @inline(__always)
    public mutating func appendBool(_ value: Bool) { append(value ? 0xf5 : 0xf4) }

    /// Adds null.
    @inlinable @inline(__always)
    public mutating func appendNull() { append(0xf6) }

    /// Adds the head of a tag; the caller must then add the tagged item.
    @inlinable @inline(__always)
    public mutating func appendTag(_ number: UInt64) { appendHead(major: CBORMajor.tag, argument: number) }

    /// Adds a text string; the caller guarantees that its bytes are UTF-8.
    @inlinable
    public mutating func appendText(_ utf8: UnsafeRawBufferPointer) {
        appendHead(major: CBORMajor.text, argument: UInt64(truncatingIfNeeded: utf8.count))
        append(contentsOf: utf8)
    }

    /// Adds a byte string.
    @inlinable
    public mutating func appendByteString(_ bytes: UnsafeRawBufferPointer) {
        appendHead(major: CBORMajor.bytes, argument: UInt64(truncatingIfNeeded: bytes.count))
        append(contentsOf: bytes)
    }

    /// Adds a string of any bytes: as text if they are UTF-8, otherwise as a byte string.
    @inlinable
    public mutating func appendString(_ bytes: UnsafeRawBufferPointer) {
        appendHead(
            major: isValidUTF8(bytes) ? CBORMajor.text : CBORMajor.bytes,
            argument: UInt64(truncatingIfNeeded: bytes.count))
        append(contentsOf: bytes)
    }
}
