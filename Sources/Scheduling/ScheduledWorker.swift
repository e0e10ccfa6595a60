/// What the schedule knows of one rank.
@usableFromInline struct ScheduledWorker: Sendable {
    /// Where a rank is in its part of the loop.
    enum Phase: Sendable {
        /// It has not come yet.
        case absent
        /// It has not come, and is not expected: a rank with such a number comes late, if at all.
        case unexpected
        /// It has at least one chunk.
        case working
        /// It has nothing, but something may still come back.
        case waiting
        /// It sends the results that it has kept.
        case delivering
        /// It was told that nothing is left.
        case ended
        /// It takes no more, by its own choice, or never took any.
        case left
        /// It is dead or unreachable.
        case lost
        /// It was lost and is there again, and may still work on what it had: it is given nothing until it has finished
        /// that. Or it waited, and is unreachable at present.
        case returning
    }

    var phase: Phase
    /// Whether it leaves as soon as it has delivered.
    var isRetiring = false
    /// What is left of its share, which only it is given; the last chunk comes first in the list.
    var shares: [Chunk] = []
    /// The unit that is under work, or next to be.
    @usableFromInline var current: WorkUnit?
    /// The unit after that.
    var ahead: WorkUnit?
    /// What was under work when it was lost, and the number of the death for which that is under suspicion.
    var unfinished: (chunk: Chunk, death: Int)?
    /// How many examples its latest chunk had.
    var previousCount = 0
    /// What it has done, where its results stay with it and it has not delivered them.
    private(set) var finished: [Chunk] = []
    /// How much of that has been delivered: whole chunks, and examples of the next.
    private var delivered = (chunks: 0, examples: 0)

    init(phase: Phase = .absent) { self.phase = phase }

    /// How many examples it has, done or not.
    var outstanding: Int { (current?.chunk.count ?? 0) + (ahead?.chunk.count ?? 0) }

    /// How many results it keeps.
    var finishedCount: Int { finished.reduce(0) { $0 + $1.count } }

    /// Whether it has ever taken part.
    var hasCome: Bool { phase != .absent && phase != .unexpected }

    /// Whether it takes no more.
    var isGone: Bool { phase == .left || phase == .lost }

    /// Whether it has not got all of its share that comes before `limit`.
    func hasShare(below limit: Int) -> Bool { shares.last.map { $0.first < limit } ?? false }

    /// Up to `count` consecutive examples of its share before `limit`, if it has one and has not got all of that yet.
    mutating func takeShare(_ count: Int, below limit: Int) -> WorkUnit? {
        guard hasShare(below: limit), let front = shares.popLast() else { return nil }
        let taken = front.prefix(min(count, front.clipped(to: limit).count))
        if taken.count < front.count { shares.append(front.dropFirst(taken.count)) }
        return WorkUnit(taken)
    }

    /// Adds to its share, the first examples last.
    mutating func addShares(_ more: [Chunk]) {
        var more = more
        if let first = more.last, let last = shares.first, last.stride == first.stride, last.end == first.first {
            shares[0].count += first.count
            more.removeLast()
        }
        shares.insert(contentsOf: more, at: 0)
    }

    /// What it has that begins at `first`.
    func holding(first: Int) -> WorkUnit? {
        if let current, current.chunk.first == first { return current }
        if let ahead, ahead.chunk.first == first { return ahead }
        return nil
    }

    /// Gives it one more unit.
    mutating func receive(_ unit: WorkUnit) {
        if current == nil { current = unit } else { ahead = unit }
        previousCount = unit.chunk.count
    }

    /// Takes `unit`, which it has, away from it, except for the `rest`.
    mutating func release(_ unit: WorkUnit, keeping rest: Chunk? = nil) {
        let rest = rest.map { WorkUnit($0, suspicion: unit.suspicion) }
        if current == unit {
            current = rest ?? ahead
            if rest == nil { ahead = nil }
        } else {
            ahead = rest
        }
    }

    /// Takes everything away from it.
    ///
    /// What comes first in the list comes last in the result.
    mutating func releaseAll() -> [WorkUnit] {
        defer {
            current = nil
            ahead = nil
            shares = []
        }
        return shares.map { WorkUnit($0) } + [ahead, current].compactMap { $0 }
    }

    /// Remembers that it has done `chunk`, together with what it did right before it in the list.
    mutating func finish(_ chunk: Chunk) {
        if let last = finished.indices.last, finished[last].end == chunk.first, finished[last].stride == chunk.stride {
            finished[last].count += chunk.count
        } else {
            finished.append(chunk)
        }
    }

    /// Records that the results of `run` have come; false where these are not the next ones of what it has done.
    mutating func deliver(_ run: Chunk) -> Bool {
        guard run.count > 0 else { return run.count == 0 }
        guard delivered.chunks < finished.count else { return false }
        let chunk = finished[delivered.chunks]
        guard run == chunk.dropFirst(delivered.examples).prefix(run.count),
            run.count <= chunk.count - delivered.examples
        else { return false }
        delivered.examples += run.count
        if delivered.examples == chunk.count { delivered = (delivered.chunks + 1, 0) }
        return true
    }

    /// How many results have been delivered.
    var deliveredCount: Int { finished.prefix(delivered.chunks).reduce(delivered.examples) { $0 + $1.count } }

    /// Forgets what it has done, which is safe, or is to be done again.
    mutating func forgetFinished() {
        finished = []
        delivered = (0, 0)
    }

    /// Clears what it has of the blame for the death number `death`.
    mutating func clearBlame(of death: Int) {
        if current?.suspicion?.death == death { current?.suspicion = nil }
        if ahead?.suspicion?.death == death { ahead?.suspicion = nil }
    }
}
