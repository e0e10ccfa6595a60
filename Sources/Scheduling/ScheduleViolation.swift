/// What a rank reported cannot be true of the loop: it is broken or hostile, and its connection should end.
///
/// An event that throws this has changed nothing.
public struct ScheduleViolation: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for the user.
    public let description: String

    /// The rank that it is about, where it is that rank's own report that cannot be true.
    package let culprit: Int?

    package init(_ description: String, by culprit: Int? = nil) {
        self.description = description
        self.culprit = culprit
    }
}
