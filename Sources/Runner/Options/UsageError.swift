/// A mistake in the options or their values: exit status 2.
public struct UsageError: Error, Sendable, CustomStringConvertible {
    /// The message, one sentence.
    public var message: String

    /// Creates an error from its sentence.
    public init(_ message: String) { self.message = message }

    /// The sentence.
    public var description: String { message }
}
