// What workers do: they come, report, deliver and go.

extension ManagedSchedule {
    /// All ranks are below this number; it bounds the memory that an event can ask for.
    private static let workerLimit = 1 << 24

    /// `worker` takes part from now on; it may be a rank beyond those with which the loop began.
    ///
    /// - Throws: `ScheduleViolation` where it has done so before, has left or is lost.
    public mutating func enter(_ worker: Int, into actions: inout [ScheduleAction]) throws(ScheduleViolation) {
        try admit(worker)
        activeWorkers += 1
        serve(worker, into: &actions)
    }

    /// `worker` will not take part.
    ///
    /// - Throws: `ScheduleViolation` where it takes part, or has done so.
    public mutating func abstain(_ worker: Int, into actions: inout [ScheduleAction]) throws(ScheduleViolation) {
        try admit(worker)
        remove(worker, as: .left)
        serveWaiting(into: &actions)
    }

    private mutating func admit(_ worker: Int) throws(ScheduleViolation) {
        guard 0..<Self.workerLimit ~= worker else { throw ScheduleViolation("there is no rank \(worker)") }
        while workers.count <= worker {
            workers.append(ScheduledWorker(phase: .unexpected))
            goneWorkers += 1
        }
        switch workers[worker].phase {
        case .absent: break
        case .unexpected:
            workers[worker].phase = .absent
            goneWorkers -= 1
        default: throw ScheduleViolation("rank \(worker) entered a loop twice", by: worker)
        }
    }

    /// `worker` has done the first `completed` examples of its chunk that begins at `first`, which took it
    /// `nanoseconds`; it gives the others back.
    ///
    /// - Returns: the examples that are done.
    /// - Throws: `ScheduleViolation` where it does not have that chunk, or not that many examples of it.
    @discardableResult
    public mutating func done(
        _ worker: Int, first: Int, completed: Int, nanoseconds: Int64, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) -> Chunk {
        let unit = try unit(of: worker, first: first, reported: completed)
        workers[worker].release(unit)
        queue.putBack(WorkUnit(unit.chunk.dropFirst(completed), suspicion: unit.suspicion))
        let done = unit.chunk.prefix(completed)
        settle(done, by: worker, nanoseconds)
        goOn(worker, into: &actions)
        return done
    }

    /// `worker` has done the first `completed` examples of its chunk that begins at `first`, which took it `nanoseconds`,
    /// and goes on with the others.
    ///
    /// - Returns: the examples that are done.
    /// - Throws: `ScheduleViolation` where it does not have that chunk, or where that is no part of it.
    public mutating func partlyDone(
        _ worker: Int, first: Int, completed: Int, nanoseconds: Int64
    ) throws(ScheduleViolation) -> Chunk {
        let unit = try unit(of: worker, first: first, reported: completed)
        guard completed > 0, completed < unit.chunk.count else {
            throw ScheduleViolation(
                "rank \(worker) reported \(completed) of \(unit.chunk.count) examples as a part of them",
                by: worker)
        }
        workers[worker].release(unit, keeping: unit.chunk.dropFirst(completed))
        let done = unit.chunk.prefix(completed)
        settle(done, by: worker, nanoseconds)
        return done
    }

    /// `worker` has done the first `completed` examples of its chunk that begins at `first`, the next one has failed, and
    /// it goes on with the others.
    ///
    /// - Returns: the examples that are done, and what becomes of the one that failed.
    /// - Throws: `ScheduleViolation` where it does not have that chunk, or not that many examples of it.
    public mutating func failed(
        _ worker: Int, first: Int, completed: Int, nanoseconds: Int64, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) -> (done: Chunk, verdict: FailureVerdict) {
        let reported = completed.addingReportingOverflow(1)
        let unit = try unit(of: worker, first: first, reported: reported.overflow ? -1 : reported.partialValue)
        guard completed >= 0 else {
            throw ScheduleViolation("rank \(worker) reported fewer examples than none", by: worker)
        }
        let rest = unit.chunk.dropFirst(completed + 1)
        workers[worker].release(unit, keeping: rest.count > 0 ? rest : nil)
        let done = unit.chunk.prefix(completed)
        settle(done, by: worker, nanoseconds)
        let verdict = recordFailure(done.end, failedOn: worker)
        if rest.count > 0 { serveWaiting(into: &actions) } else { goOn(worker, into: &actions) }
        return (done, verdict)
    }

    /// Results have come from `worker`, of the examples `run`.
    ///
    /// - Throws: `ScheduleViolation` where it was not asked for them, or these are not the next ones of those that it has
    ///   done.
    public mutating func takeDelivery(of run: Chunk, from worker: Int) throws(ScheduleViolation) {
        guard workers.indices.contains(worker), workers[worker].phase == .delivering else {
            throw ScheduleViolation("rank \(worker) sent results that it was not asked for", by: worker)
        }
        guard workers[worker].deliver(run) else {
            throw ScheduleViolation("rank \(worker) sent results of examples that it has not done", by: worker)
        }
    }

    /// `worker`, which was asked for them, has delivered all its results.
    ///
    /// - Throws: `ScheduleViolation` where it was not asked.
    public mutating func delivered(_ worker: Int, into actions: inout [ScheduleAction]) throws(ScheduleViolation) {
        guard workers.indices.contains(worker), workers[worker].phase == .delivering else {
            throw ScheduleViolation("rank \(worker) delivered results that it was not asked for", by: worker)
        }
        undeliveredCount -= workers[worker].finishedCount
        workers[worker].forgetFinished()
        if workers[worker].isRetiring {
            remove(worker, as: .left)
            actions.append(.end(worker: worker))
            serveWaiting(into: &actions)
        } else {
            serveWaiting(into: &actions)
            serve(worker, into: &actions)
        }
    }

    /// `worker`, which has nothing under work, takes no more: what it was given goes back, and what it has done counts.
    ///
    /// Results that stay with it are asked for; after that it is ended.
    ///
    /// - Throws: `ScheduleViolation` where it does not take part. One that has just been ended may still retire.
    public mutating func retire(_ worker: Int, into actions: inout [ScheduleAction]) throws(ScheduleViolation) {
        switch workers.indices.contains(worker) ? workers[worker].phase : .absent {
        case .working, .waiting:
            if workers[worker].finished.isEmpty {
                remove(worker, as: .left)
                actions.append(.end(worker: worker))
            } else {
                if workers[worker].phase == .working { busyWorkers -= 1 }
                for unit in workers[worker].releaseAll() { queue.putBack(unit) }
                workers[worker].phase = .delivering
                workers[worker].isRetiring = true
                actions.append(.deliver(worker: worker))
            }
            serveWaiting(into: &actions)
        // It has been asked already.
        case .delivering: workers[worker].isRetiring = true
        case .ended: break
        case .absent, .unexpected, .left, .lost, .returning:
            throw ScheduleViolation("rank \(worker) retired from a loop in which it did not take part", by: worker)
        }
    }

    /// `worker` takes no more; all that it has not reported as done goes back, and so do results that stay with it.
    ///
    /// - Throws: `ScheduleViolation` where it does not take part. One that has just been ended may still leave.
    public mutating func leave(_ worker: Int, into actions: inout [ScheduleAction]) throws(ScheduleViolation) {
        guard workers.indices.contains(worker), workers[worker].hasCome, !workers[worker].isGone else {
            throw ScheduleViolation("rank \(worker) left a loop in which it did not take part", by: worker)
        }
        remove(worker, as: .left)
        serveWaiting(into: &actions)
    }

    /// The unit of `worker` that begins at `first`, and of which it reports on `count` examples.
    private func unit(of worker: Int, first: Int, reported count: Int) throws(ScheduleViolation) -> WorkUnit {
        guard workers.indices.contains(worker), let unit = workers[worker].holding(first: first) else {
            throw ScheduleViolation("rank \(worker) reported a chunk of examples that it does not have", by: worker)
        }
        guard 0...unit.chunk.clipped(to: queue.end).count ~= count else {
            throw ScheduleViolation("rank \(worker) reported more examples as done than it had", by: worker)
        }
        return unit
    }

    private mutating func settle(_ done: Chunk, by worker: Int, _ nanoseconds: Int64) {
        guard done.count > 0 else { return }
        // An example that is tried again is handed out alone.
        if done.count == 1 { attempts[done.first] = nil }
        doneCount += done.count
        let amount = queue.amount(of: done)
        workedOffAmount += amount ?? 0
        doneEnd = max(doneEnd, done.end - done.stride + 1)
        let present = presentWorkers
        tailProbe?.learn(done, nanoseconds, others: cost.recent, workers: present)
        cost.record(
            nanoseconds: nanoseconds, examples: amount ?? Double(done.count), window: max(16, present))
        guard resultsStay else { return }
        workers[worker].finish(done)
        undeliveredCount += done.count
    }

    /// Serves `worker`, which has reported on a chunk, and the workers that wait for what it gave back.
    private mutating func goOn(_ worker: Int, into actions: inout [ScheduleAction]) {
        if workers[worker].current == nil { busyWorkers -= 1 }
        serveWaiting(into: &actions)
        serve(worker, into: &actions)
    }

    /// Takes `worker` out of the loop; what it has, done or not, goes back.
    mutating func remove(_ worker: Int, as phase: ScheduledWorker.Phase) {
        switch workers[worker].phase {
        case .working:
            activeWorkers -= 1
            busyWorkers -= 1
            goneWorkers += 1
        case .waiting, .delivering:
            activeWorkers -= 1
            goneWorkers += 1
        case .returning:
            activeWorkers -= 1
            if workers[worker].current != nil { busyWorkers -= 1 }
            goneWorkers += 1
        case .absent, .ended: goneWorkers += 1
        case .unexpected, .left, .lost: break
        }
        for chunk in workers[worker].finished.reversed() {
            doneCount -= chunk.count
            workedOffAmount -= queue.amount(of: chunk) ?? 0
            undeliveredCount -= chunk.count
            queue.putBack(WorkUnit(chunk))
            hasAskedForResults = false
        }
        workers[worker].forgetFinished()
        for unit in workers[worker].releaseAll() { queue.putBack(unit) }
        tailProbe?.giveUp(on: worker)
        workers[worker].phase = phase
    }
}
