import AME
import DLP

/// What is said where the root is gone, and with it who speaks for the job: one rank of each host does.
///
/// Not where all are asked to end, as by a launcher that ends the job: who asked has said why, or knows.
struct LostRoot: Sendable {
    let rank: Int
    /// Nil: the ranks of a host cannot tell who is first, and the first of the job speaks.
    let environment: AMEEnvironment?
    /// Wakes where this rank was asked to end.
    let dismissal: EventWaker
    let interruption: Interruption

    /// How long ranks of one host may take to notice it, one after the other, in nanoseconds.
    private static let spread: UInt64 = 1_000_000_000

    /// Tells the user, unless another rank does.
    ///
    /// - Returns: this rank's status.
    func tell(_ message: String) -> Int32 {
        // The root may have had its signal a moment earlier, and be gone, or the launcher may have seen its end.
        let wasDismissed = dismissal.wait(nanoseconds: 500_000_000)
        if let signal = interruption.first { return 128 + signal }
        guard !wasDismissed, environment?.isFirstOnHost() ?? (rank == 1) else { return 3 }
        Complaint.write("rank \(rank) (host \(HostName.current)): \(message)")
        _ = dismissal.wait(nanoseconds: Self.spread)
        return 3
    }
}
