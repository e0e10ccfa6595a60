import Synchronization

/// Counts the examples that this rank has done, for other threads to read.
public final class WorkCounter: Sendable {
    private let count = Atomic(0)

    /// The current count.
    public var value: Int { count.load(ordering: .relaxed) }

    /// Adds one.
    ///
    /// Only the working thread may call this.
    func increment() { count.store(value + 1, ordering: .relaxed) }
}
