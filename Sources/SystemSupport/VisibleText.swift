extension String {
    /// The text that `bytes` spell in UTF-8, where each byte that belongs to no character is shown as `\xff`.
    package init(decodingVisibly bytes: [UInt8]) {
        self = bytes.withUnsafeBytes { String(decodingVisibly: $0) }
    }

    /// The text that `bytes` spell in UTF-8, where each byte that belongs to no character is shown as `\xff`.
    ///
    /// It is not generic over collections: at the first call the runtime would search all conformances of the program.
    package init(decodingVisibly bytes: UnsafeRawBufferPointer) {
        if let text = String(validating: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self) {
            self = text
            return
        }
        var text = ""
        var decoder = UTF8()
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            var next = rest.makeIterator()
            switch decoder.decode(&next) {
            case .scalarValue(let scalar):
                text.unicodeScalars.append(scalar)
                rest = rest.dropFirst(UTF8.width(scalar))
            case .error, .emptyInput:
                text += Self.escape("x", UInt32(rest.removeFirst()), digits: 2)
            }
            decoder = UTF8()
        }
        self = text
    }

    /// The text without anything that a terminal would take as a command: control characters, and those that change the
    /// direction of writing, are shown as escapes.
    ///
    /// - Parameter keepsLines: whether ends of lines and tabs stay what they are.
    package func visible(keepsLines: Bool) -> String {
        guard unicodeScalars.contains(where: { $0.isObeyed }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n", "\t":
                text += keepsLines ? String(scalar) : scalar == "\n" ? "\\n" : "\\t"
            case "\r": text += "\\r"
            case _ where scalar.isObeyed && scalar.value < 0x80: text += Self.escape("x", scalar.value, digits: 2)
            case _ where scalar.isObeyed: text += Self.escape("u", scalar.value, digits: 4)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func escape(_ letter: String, _ value: UInt32, digits: Int) -> String {
        let number = String(value, radix: 16)
        return "\\\(letter)\(String(repeating: "0", count: Swift.max(digits - number.utf8.count, 0)))\(number)"
    }
}

extension Unicode.Scalar {
    /// Whether a terminal may take it for a command, or for one about the direction of what follows.
    fileprivate var isObeyed: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
