import Synchronization

/// Counts the examples that this rank has done, for other threads to read.
public final class WorkCounter: Sendable {
    private let count = Atomic(0)

    /// How many there are by now.
    public var value: Int { count.load(ordering: .relaxed) }

    /// One more; only the thread that works calls it.
    func increment() { count.store(value + 1, ordering: .relaxed) }
}
