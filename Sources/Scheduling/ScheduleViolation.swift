/// A rank's report that cannot be true of the loop: the rank is broken or hostile, and its connection should end.
///
/// An event that throws this has changed nothing.
public struct ScheduleViolation: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for the user.
    public let description: String

    /// The rank whose own report cannot be true; nil where the violation is not one rank's fault.
    package let culprit: Int?

    package init(_ description: String, by culprit: Int? = nil) {
        self.description = description
        self.culprit = culprit
    }
}
