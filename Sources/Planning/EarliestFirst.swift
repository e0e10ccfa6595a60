/// A binary heap of workers by the time at which something of theirs arrives.
struct EarliestFirst {
    private struct Entry {
        var time: Int64
        var worker: Int

        /// Of two that arrive at once the one with the smaller number is the first.
        func isBefore(_ other: Entry) -> Bool {
            time < other.time || time == other.time && worker < other.worker
        }
    }

    private var entries: [Entry] = []

    mutating func insert(_ worker: Int, at time: Int64) {
        entries.append(Entry(time: time, worker: worker))
        var child = entries.count - 1
        while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() -> (worker: Int, time: Int64)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        var parent = 0
        while 2 * parent + 1 < entries.count {
            var child = 2 * parent + 1
            if child + 1 < entries.count, entries[child + 1].isBefore(entries[child]) { child += 1 }
            guard entries[child].isBefore(last) else { break }
            entries[parent] = entries[child]
            parent = child
        }
        if !entries.isEmpty { entries[parent] = last }
        return (first.worker, first.time)
    }
}
