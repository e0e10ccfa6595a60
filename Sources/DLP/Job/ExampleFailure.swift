import Engine

/// The reason why an example has no result: its work threw an error in each attempt, or the ranks that worked on it died.
public struct ExampleFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The example's place in the list, from 0.
    public var index: Int
    /// The error that was thrown, as text, or how the ranks died.
    public var message: String
    /// How often it was tried.
    public var attempts: Int
    /// The rank on which it failed last.
    public var rank: Int
    /// That rank's host.
    public var host: String

    init(_ fault: Fault) {
        index = (fault.example ?? 0) - 1
        message = fault.message
        attempts = fault.attempts
        rank = fault.rank
        host = fault.host
    }

    /// One line for a user.
    public var description: String { "example \(index + 1) failed on rank \(rank) (host \(host)): \(message)" }
}
