import Synchronization

/// Counts of how many examples it is known what they cost, while that is asked, for a user who waits meanwhile.
final class CostCount: Sendable {
    /// Of how many that is asked.
    let wanted: Int
    private let count = Atomic(0)

    init(wanted: Int) { self.wanted = wanted }

    /// Of how many it is known.
    var known: Int { count.load(ordering: .relaxed) }

    /// It is known of one more.
    func increment() { count.add(1, ordering: .relaxed) }
}
