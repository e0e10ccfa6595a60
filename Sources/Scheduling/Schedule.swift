/// Evenly spaced examples that one rank is to do, counted from 0; usually consecutive ones.
public struct Chunk: Sendable, Hashable {
    /// The first example.
    public var first: Int
    /// How many there are.
    public var count: Int
    /// The distance from one example to the next.
    public var stride: Int

    /// The examples `first`, `first + stride` and so on, `count` of them.
    @inlinable
    public init(first: Int, count: Int, stride: Int = 1) {
        self.first = first
        self.count = count
        self.stride = stride
    }

    /// The indices, from 0.
    @inlinable public var indices: StrideTo<Int> {
        Swift.stride(from: first, to: first + count * stride, by: stride)
    }

    /// Where the chunk would go on.
    @inlinable package var end: Int { first + count * stride }

    /// The first `count` examples.
    @inlinable package func prefix(_ count: Int) -> Chunk { Chunk(first: first, count: count, stride: stride) }

    /// All but the first `count` examples.
    @inlinable
    package func dropFirst(_ count: Int) -> Chunk {
        Chunk(first: first + count * stride, count: self.count - count, stride: stride)
    }

    /// The part of the chunk below `end`.
    func clipped(to end: Int) -> Chunk { prefix(first < end ? min(count, (end - first - 1) / stride + 1) : 0) }

    /// The place of `example` among these; nil where it is not one of them.
    func place(of example: Int) -> Int? {
        guard example >= first, example < end, (example - first) % stride == 0 else { return nil }
        return (example - first) / stride
    }

    /// Whether such examples can exist: another rank may claim anything.
    package var isPossible: Bool {
        guard first >= 0, count >= 0, stride > 0 else { return false }
        let (span, isTooLong) = stride.multipliedReportingOverflow(by: count)
        return !isTooLong && !first.addingReportingOverflow(span).overflow
    }
}

/// What a schedule wants done.
public enum ScheduleAction: Sendable, Hashable {
    /// Send `chunk` to `worker`; it should give the rest back once it has worked on it for `giveBackAfter` nanoseconds
    /// (0: never).
    case assign(worker: Int, Chunk, giveBackAfter: Int64)
    /// Tell `worker` to send the results that it keeps, and then to say that it has.
    case deliver(worker: Int)
    /// Tell `worker` that nothing is left for it.
    case end(worker: Int)
}
