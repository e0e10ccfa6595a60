/// The members of a JSON array or object, one after another, as JSON text.
///
/// It reads only text that `JSONRenderer` writes: well-formed, on one line, without spaces between tokens.
struct JSONMembers: Sequence, IteratorProtocol {
    /// One element of an array, or one entry of an object.
    struct Member {
        /// The characters of the key, without its quotes; empty in an array.
        var key: UnsafeRawBufferPointer
        var value: UnsafeRawBufferPointer
    }

    private let text: UnsafeRawBufferPointer
    private let hasKeys: Bool
    private var position = 1

    init(of text: UnsafeRawBufferPointer) {
        self.text = text
        hasKeys = text.first == UInt8(ascii: "{")
    }

    mutating func next() -> Member? {
        // The last byte closes the array or object.
        guard position < text.count - 1 else { return nil }
        var key = UnsafeRawBufferPointer(start: nil, count: 0)
        if hasKeys {
            let start = position + 1
            skipString()
            key = UnsafeRawBufferPointer(rebasing: text[start..<(position - 1)])
            position += 1
        }
        let start = position
        skipValue()
        let value = UnsafeRawBufferPointer(rebasing: text[start..<position])
        position += 1
        return Member(key: key, value: value)
    }

    /// Advances to the comma or bracket after a value.
    private mutating func skipValue() {
        var depth = 0
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""):
                skipString()
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth == 0 { return }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return }
            default: break
            }
            position += 1
        }
    }

    /// Advances past the closing quote of the string that begins here.
    private mutating func skipString() {
        position += 1
        while position < text.count, text[position] != UInt8(ascii: "\"") {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        position += 1
    }
}
