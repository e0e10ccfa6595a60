import DLP

extension ByteWriter {
    /// Adds a JSON value as a field of a table: nothing for null, strings unchanged, and everything else as JSON.
    mutating func appendCSVField(json: UnsafeRawBufferPointer) {
        if json.elementsEqual("null".utf8) { return }
        guard json.first == UInt8(ascii: "\"") else { return appendCSVField(json) }
        appendCSVField(jsonCharacters: UnsafeRawBufferPointer(rebasing: json.dropFirst().dropLast()))
    }

    /// Adds the characters of a JSON string, without its quotes, as a field of a table.
    mutating func appendCSVField(jsonCharacters: UnsafeRawBufferPointer) {
        guard jsonCharacters.contains(UInt8(ascii: "\\")) else { return appendCSVField(jsonCharacters) }
        var text = ByteWriter(capacity: jsonCharacters.count)
        var rest = jsonCharacters[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                text.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "n"): text.append(0x0a)
            case UInt8(ascii: "f"): text.append(0x0c)
            case UInt8(ascii: "r"): text.append(0x0d)
            case UInt8(ascii: "u"):
                // The renderer writes only control characters in this form.
                text.append(UInt8(String(decoding: rest.prefix(4), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(4)
            default: text.append(escape)
            }
        }
        text.withUnsafeMutableBytes { appendCSVField(UnsafeRawBufferPointer($0)) }
    }

    /// Adds a field.
    ///
    /// It is quoted where RFC 4180 demands it, and where it is empty, so that it differs from a missing value.
    private mutating func appendCSVField(_ text: UnsafeRawBufferPointer) {
        let quote = UInt8(ascii: "\"")
        let isPlain = !text.contains { $0 == quote || $0 == UInt8(ascii: ",") || $0 == 0x0a || $0 == 0x0d }
        if isPlain && !text.isEmpty { return append(contentsOf: text) }
        append(quote)
        for byte in text {
            if byte == quote { append(quote) }
            append(byte)
        }
        append(quote)
    }
}
