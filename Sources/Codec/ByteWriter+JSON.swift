extension ByteWriter {
    /// Adds text unchanged.
    @inline(__always)
    public mutating func append(utf8 text: String) {
        var text = text
        text.withUTF8 { append(contentsOf: UnsafeRawBufferPointer($0)) }
    }

    /// Adds a JSON string of UTF-8 text: quoted, on one line.
    public mutating func appendJSONString(_ utf8: UnsafeRawBufferPointer) {
        append(UInt8(ascii: "\""))
        appendJSONCharacters(utf8)
        append(UInt8(ascii: "\""))
    }

    /// Adds text as a JSON string: quoted, on one line.
    public mutating func appendJSON(_ text: String) {
        var text = text
        text.withUTF8 { appendJSONString(UnsafeRawBufferPointer($0)) }
    }

    /// Adds the characters of a JSON string, without its quotes.
    mutating func appendJSONCharacters(_ utf8: UnsafeRawBufferPointer) {
        var start = 0
        for (index, byte) in utf8.enumerated() {
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            append(contentsOf: UnsafeRawBufferPointer(rebasing: utf8[start..<index]))
            appendJSONEscape(of: byte)
            start = index + 1
        }
        append(contentsOf: UnsafeRawBufferPointer(rebasing: utf8[start...]))
    }

    private mutating func appendJSONEscape(of byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0a: append(UInt8(ascii: "n"))
        case 0x0c: append(UInt8(ascii: "f"))
        case 0x0d: append(UInt8(ascii: "r"))
        case 0..<0x20:
            append(utf8: byte < 0x10 ? "u000" : "u001")
            append(utf8: String(byte & 0xf, radix: 16))
        default: append(byte)
        }
    }

    /// Adds, in decimal, the integer that the head of an item contains.
    mutating func appendDecimal(_ head: CBORHead) {
        guard head.major == CBORMajor.negative else { return appendDecimal(head.argument) }
        append(UInt8(ascii: "-"))
        let (magnitude, overflow) = head.argument.addingReportingOverflow(1)
        // Only 2^64 does not fit.
        if overflow { append(utf8: "18446744073709551616") } else { appendDecimal(magnitude) }
    }

    /// Adds an integer in decimal.
    mutating func appendDecimal(_ value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendDecimal(value.magnitude)
    }

    private mutating func appendDecimal(_ value: UInt64) {
        if value < 10 { return append(UInt8(ascii: "0") + UInt8(value)) }
        appendDecimal(value / 10)
        append(UInt8(ascii: "0") + UInt8(value % 10))
    }

    /// Adds a floating-point number: the shortest text that is read back as the same number and differs from an integer.
    ///
    /// NaN and infinities are written as Python does if `named`, otherwise as null.
    mutating func appendJSONNumber(_ value: Double, named: Bool) {
        if value.isFinite { return append(utf8: value.description) }
        append(utf8: !named ? "null" : value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
    }

    /// Adds bytes in base64url without padding (RFC 4648, section 5).
    package mutating func appendBase64URL(_ bytes: UnsafeRawBufferPointer) {
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let present = min(bytes.count - start, 3)
            var group: UInt32 = 0
            for offset in 0..<3 {
                group = group << 8 | (offset < present ? UInt32(bytes[start + offset]) : 0)
            }
            for digit in 0...present {
                append(Self.base64URLDigit(UInt8(group >> (18 - 6 * UInt32(digit)) & 0x3f)))
            }
        }
    }

    private static func base64URLDigit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }
}
