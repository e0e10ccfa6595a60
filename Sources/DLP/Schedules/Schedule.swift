/// A run of consecutive examples that one rank is to do, counted from 0.
public struct Chunk: Sendable, Hashable {
    /// The first example.
    public var first: Int
    /// How many there are.
    public var count: Int

    /// The examples `first ..< first + count`.
    public init(first: Int, count: Int) {
        self.first = first
        self.count = count
    }

    /// The indices, from 0.
    public var indices: Range<Int> { first..<(first + count) }
}

/// What a schedule wants done.
public enum ScheduleAction: Sendable, Hashable {
    /// Send `chunk` to `worker`; it should give the rest back once it has worked on it for `giveBackAfter` nanoseconds
    /// (0: never).
    case assign(worker: Int, Chunk, giveBackAfter: Int64)
    /// Tell `worker` that nothing is left for it.
    case end(worker: Int)
}
