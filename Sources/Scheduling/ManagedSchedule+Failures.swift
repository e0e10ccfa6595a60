// What goes wrong: examples that fail, workers that die.

extension ManagedSchedule {
    /// Decides what becomes of `example`, which has failed on `worker`.
    ///
    /// The worker lives, so the example is no suspect any more.
    mutating func recordFailure(_ example: Int, failedOn worker: Int) -> FailureVerdict {
        doneEnd = max(doneEnd, example + 1)
        tailProbe?.giveUp(on: worker)
        let tried = (attempts[example] ?? 0) + 1
        guard tried <= failures.retries else {
            attempts[example] = nil
            failedCount += 1
            workedOffAmount += queue.amount(of: Chunk(first: example, count: 1)) ?? 0
            return .final(attempts: tried)
        }
        attempts[example] = tried
        resting[example] = worker
        return .retry(attempts: tried)
    }

    /// `example`, which failed, has rested long enough; nothing happens where it does not rest.
    public mutating func retry(_ example: Int, into actions: inout [ScheduleAction]) {
        guard let worker = resting.removeValue(forKey: example) else { return }
        retries.add(example, failedOn: worker)
        serveWaiting(into: &actions)
    }

    /// `worker` may be dead: if it waits it is given nothing until it is known to be `lost`.
    ///
    /// Otherwise what it was given would be blamed for its death.
    public mutating func suspend(_ worker: Int) {
        if isWaiting(worker) { workers[worker].phase = .returning }
    }

    /// `worker` is dead: what it had goes back, and what it had done too where its results stayed with it.
    ///
    /// An example of its current chunk may have caused its death. These examples are handed out again in small
    /// portions, finally one by one, so that the next death shows which one it was; then the others are cleared.
    ///
    /// - Returns: the example that now counts as failed, because it was under work on too many workers that died.
    public mutating func lost(_ worker: Int, into actions: inout [ScheduleAction]) -> CrashedExample? {
        guard workers.indices.contains(worker), workers[worker].phase != .lost else { return nil }
        let crashed = blame(worker)
        workers[worker].unfinished = workers[worker].current.map { ($0.chunk, deaths) }
        remove(worker, as: .lost)
        serveWaiting(into: &actions)
        return crashed
    }

    /// `worker` ends because `example`, which it has under work, does not return.
    ///
    /// Its other examples are not to blame, and go back.
    ///
    /// - Returns: what becomes of the example.
    /// - Throws: `ScheduleViolation` where it does not have that example under work.
    public mutating func givenUp(
        _ worker: Int, on example: Int, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) -> FailureVerdict {
        guard workers.indices.contains(worker), let unit = workers[worker].current,
            let place = unit.chunk.clipped(to: queue.end).place(of: example)
        else { throw ScheduleViolation("rank \(worker) gave an example up that it does not have", by: worker) }
        workers[worker].current = nil
        remove(worker, as: .lost)
        for rest in [unit.chunk.dropFirst(place + 1), unit.chunk.prefix(place)] {
            queue.putBack(WorkUnit(rest, suspicion: unit.suspicion))
        }
        let verdict = recordFailure(example, failedOn: worker)
        serveWaiting(into: &actions)
        return verdict
    }

    /// Puts the examples that `worker`, which is dead, had under work under suspicion.
    private mutating func blame(_ worker: Int) -> CrashedExample? {
        guard var unit = workers[worker].current else { return nil }
        unit.chunk = unit.chunk.clipped(to: queue.end)
        if let death = unit.suspicion?.death {
            queue.clearBlame(of: death)
            for other in workers.indices where other != worker { workers[other].clearBlame(of: death) }
        }
        deaths += 1
        unit = unit.suspected(of: deaths)
        let died = unit.suspicion?.deaths ?? 0
        // In a list without a known end the example may not even exist.
        let isCertain = unit.chunk.count == 1 && extent != .unbounded
        guard isCertain, failures.crashLimit > 0, died >= failures.crashLimit else {
            workers[worker].current = unit
            return nil
        }
        workers[worker].current = nil
        attempts[unit.chunk.first] = nil
        doneEnd = max(doneEnd, unit.chunk.end)
        failedCount += 1
        workedOffAmount += queue.amount(of: unit.chunk) ?? 0
        return CrashedExample(example: unit.chunk.first, deaths: died)
    }
}
