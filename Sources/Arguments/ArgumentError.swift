/// A mistake in the words of a command line.
public struct ArgumentError: Error, Sendable {
    /// One sentence, without a full stop.
    public var message: String

    /// An error with its sentence.
    @inlinable
    public init(_ message: String) { self.message = message }

    /// `message` with a pointer to the help of `program`.
    public static func withHelp(_ message: String, of program: String) -> String {
        "\(message)\(message.hasSuffix("?") ? " See" : "; see") \(program) --help"
    }
}
