/// A binary heap of workers by the time at which something of theirs arrives.
///
/// A time and a worker share one integer: arrays of integers are what is fast without optimisation.
struct EarliestFirst {
    /// For 131,072 workers; what is left holds 19 hours of nanoseconds.
    private static let workerBits = 17

    private var entries: [Int] = []

    mutating func insert(_ worker: Int, at time: Int64) {
        entries.append(Int(time) << Self.workerBits | worker)
        var child = entries.count - 1
        while child > 0, entries[child] < entries[(child - 1) / 2] {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() -> (worker: Int, time: Int64)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        var parent = 0
        while 2 * parent + 1 < entries.count {
            var child = 2 * parent + 1
            if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
            guard entries[child] < last else { break }
            entries[parent] = entries[child]
            parent = child
        }
        if !entries.isEmpty { entries[parent] = last }
        return (first & (1 << Self.workerBits - 1), Int64(first >> Self.workerBits))
    }
}
