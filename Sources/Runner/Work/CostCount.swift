import Synchronization

/// Counts for how many examples the cost has been determined, for a user who waits meanwhile.
final class CostCount: Sendable {
    /// The number of examples whose costs are wanted.
    let wanted: Int
    private let count = Atomic(0)

    init(wanted: Int) { self.wanted = wanted }

    /// The number of examples whose costs are known.
    var known: Int { count.load(ordering: .relaxed) }

    /// Counts one more known cost.
    func increment() { count.add(1, ordering: .relaxed) }
}
