// Workers that were lost, and come back.

extension ManagedSchedule {
    /// `worker`, which was lost, is there again.
    ///
    /// It goes on with what it had under work, as far as no other worker has been given that, and gets nothing new
    /// before `resume`.
    ///
    /// - Returns: what it may go on with, if there is something.
    /// - Throws: `ScheduleViolation` where it was not lost.
    public mutating func returned(_ worker: Int) throws(ScheduleViolation) -> Chunk? {
        guard workers.indices.contains(worker), workers[worker].phase == .lost else {
            throw ScheduleViolation("rank \(worker) returned to a loop in which it was not lost", by: worker)
        }
        workers[worker].phase = .returning
        goneWorkers -= 1
        activeWorkers += 1
        if let unfinished = workers[worker].unfinished {
            // It lives, so none of these examples caused its death.
            queue.clearBlame(of: unfinished.death)
            for other in workers.indices { workers[other].clearBlame(of: unfinished.death) }
        }
        reserve(for: worker)
        return workers[worker].current?.chunk
    }

    /// `worker`, which has returned, has done the examples of `chunk`, which it had before it was lost; it has worked on them
    /// for `nanoseconds`.
    ///
    /// - Returns: those that count: no other worker has done them, or has them to do.
    /// - Throws: `ScheduleViolation` where it has not returned.
    public mutating func claimed(
        _ worker: Int, _ chunk: Chunk, nanoseconds: Int64, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) -> [Chunk] {
        try checkIsReturning(worker)
        unreserve(for: worker)
        let runs = queue.takeOut(chunk)
        for run in runs {
            for index in run.indices { attempts[index] = nil }
            doneCount += run.count
            workedOffAmount += queue.amount(of: run) ?? 0
            doneEnd = max(doneEnd, run.end)
        }
        if let run = runs.first, run == chunk {
            cost.record(
                nanoseconds: nanoseconds, examples: queue.amount(of: run) ?? Double(run.count),
                window: max(16, presentWorkers))
        }
        reserve(for: worker)
        serveWaiting(into: &actions)
        return runs
    }

    /// `example`, which `worker` had before it was lost, has failed there after its return.
    ///
    /// - Returns: what becomes of it; nil where another worker has done it, or has it to do.
    /// - Throws: `ScheduleViolation` where it has not returned.
    public mutating func failedAfterReturn(
        _ worker: Int, _ example: Int, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) -> FailureVerdict? {
        try checkIsReturning(worker)
        unreserve(for: worker)
        let isFree = !queue.takeOut(Chunk(first: example, count: 1)).isEmpty
        let verdict = isFree ? recordFailure(example, failedOn: worker) : nil
        reserve(for: worker)
        serveWaiting(into: &actions)
        return verdict
    }

    /// `worker`, which has returned, has nothing more of what it had, and takes part like any other from now on.
    ///
    /// - Throws: `ScheduleViolation` where it has not returned.
    public mutating func resume(_ worker: Int, into actions: inout [ScheduleAction]) throws(ScheduleViolation) {
        try checkIsReturning(worker)
        unreserve(for: worker)
        workers[worker].unfinished = nil
        serve(worker, into: &actions)
        serveWaiting(into: &actions)
    }

    /// Whether `worker` has returned and not yet finished what it had.
    public func isReturning(_ worker: Int) -> Bool {
        workers.indices.contains(worker) && workers[worker].phase == .returning
    }

    /// Whether `worker` has `example` under work.
    package func has(_ worker: Int, example: Int) -> Bool {
        workers.indices.contains(worker) && workers[worker].current?.chunk.place(of: example) != nil
    }

    private func checkIsReturning(_ worker: Int) throws(ScheduleViolation) {
        guard isReturning(worker) else {
            throw ScheduleViolation("rank \(worker) goes on in a loop to which it has not returned", by: worker)
        }
    }

    /// Reserves for `worker` what it had under work, as far as no other worker has been given it.
    private mutating func reserve(for worker: Int) {
        guard let chunk = workers[worker].unfinished?.chunk, let unit = queue.takeReturned(of: chunk) else { return }
        workers[worker].current = unit
        busyWorkers += 1
    }

    private mutating func unreserve(for worker: Int) {
        guard let unit = workers[worker].current else { return }
        workers[worker].current = nil
        busyWorkers -= 1
        queue.putBack(unit)
    }
}
