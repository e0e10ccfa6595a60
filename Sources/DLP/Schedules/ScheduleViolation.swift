/// What a rank reported cannot be true of the loop: it is broken or hostile, and its connection should end.
///
/// An event that throws this has changed nothing.
public struct ScheduleViolation: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for the user.
    public let description: String

    init(_ description: String) { self.description = description }
}
