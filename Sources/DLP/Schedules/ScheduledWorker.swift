/// What the schedule knows of one rank.
struct ScheduledWorker: Sendable {
    /// Where a rank is in its part of the loop.
    enum Phase: Sendable {
        /// It has not come yet.
        case absent
        /// It has at least one chunk.
        case working
        /// It has nothing, but something may still come back.
        case waiting
        /// It was told that nothing is left.
        case ended
        /// It takes no more, of its own accord.
        case left
        /// It is dead.
        case lost
    }

    var phase = Phase.absent
    /// The chunk under work, or next to be.
    var current: Chunk?
    /// The chunk after that.
    var ahead: Chunk?
    /// How many examples its latest chunk had.
    var previousCount = 0
    /// What it has done, where its results stay with it.
    var finished: [Chunk] = []

    /// How many examples it has, done or not.
    var outstanding: Int { (current?.count ?? 0) + (ahead?.count ?? 0) }

    /// The chunk it has that begins at `first`.
    func holding(first: Int) -> Chunk? {
        if let current, current.first == first { return current }
        if let ahead, ahead.first == first { return ahead }
        return nil
    }

    /// Gives it one more chunk.
    mutating func receive(_ chunk: Chunk) {
        if current == nil { current = chunk } else { ahead = chunk }
        previousCount = chunk.count
    }

    /// Takes `chunk`, which it has, away from it.
    mutating func release(_ chunk: Chunk) {
        if current == chunk { current = ahead }
        ahead = nil
    }

    /// Takes everything away from it, what comes first in the list last.
    mutating func releaseAll() -> [Chunk] {
        defer {
            current = nil
            ahead = nil
        }
        return [ahead, current].compactMap { $0 }
    }

    /// Remembers that it has done `chunk`, together with what it did right before it in the list.
    mutating func finish(_ chunk: Chunk) {
        if let last = finished.indices.last, finished[last].indices.upperBound == chunk.first {
            finished[last].count += chunk.count
        } else {
            finished.append(chunk)
        }
    }
}
