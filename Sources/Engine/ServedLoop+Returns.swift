import Scheduling

// Ranks that were lost, and come back.

extension ServedLoop {
    /// Whether a rank that is lost may come back: not where each has its share from the start.
    var allowsReturns: Bool { options.failures.crashLimit > 0 && options.shares == nil && !options.isUnbounded }

    /// Whether `rank` has `example` under work.
    func has(_ rank: Int, example: Int) -> Bool { schedule.has(rank, example: example) }

    /// `rank`, which was lost, is there again.
    ///
    /// - Returns: what it may go on with, if there is something.
    mutating func returned(_ rank: Int, _ actions: inout [ScheduleAction]) throws(ScheduleViolation) -> Chunk? {
        let rest = try schedule.returned(rank)
        try update(&actions)
        return rest
    }

    /// `rank`, which has returned, has done examples that it had before it was lost.
    ///
    /// - Returns: those that count; none in a loop that is over.
    mutating func claimed(
        _ rank: Int, _ chunk: Chunk, nanoseconds: Int64, _ actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) -> [Chunk] {
        guard !isCancelled else { return [] }
        let runs = try schedule.claimed(rank, chunk, nanoseconds: nanoseconds, into: &actions)
        for run in runs { settleClaim(of: run, nanoseconds / Int64(max(1, chunk.count)) * Int64(run.count)) }
        try update(&actions)
        return runs
    }

    /// `example`, which `rank` had before it was lost, has failed there after its return.
    ///
    /// - Returns: what becomes of it; nil where that is somebody else's affair by now.
    mutating func failedAfterReturn(
        _ rank: Int, _ example: Int, _ actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) -> FailureVerdict? {
        guard !isCancelled else { return nil }
        let verdict = try schedule.failedAfterReturn(rank, example, into: &actions)
        if case .final = verdict { forget(example) }
        try update(&actions)
        return verdict
    }

    /// `rank`, which has returned, takes part like any other from now on.
    mutating func resume(_ rank: Int, _ actions: inout [ScheduleAction]) throws(ScheduleViolation) {
        guard !isCancelled else { return end(rank, &actions) }
        try schedule.resume(rank, into: &actions)
        try update(&actions)
    }
}
