/// The reason why bytes are not an encoded value, or why a value cannot be written in the requested form.
public struct CodecError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence without its full stop that says what was wrong.
    public var message: String
    /// The position in the encoded bytes, from 0; nil where the position would not help.
    public var offset: Int?

    /// An error with its sentence and its place.
    public init(_ message: String, at offset: Int? = nil) {
        self.message = message
        self.offset = offset
    }

    /// The sentence, with the position.
    public var description: String {
        guard let offset else { return message }
        return "\(message) (at byte \(offset) of the encoded value)"
    }
}

extension CodecError {
    static func invalidText(at offset: Int) -> CodecError { CodecError("a text string is not valid UTF-8", at: offset) }
}
