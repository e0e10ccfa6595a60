import Codec
import Scheduling
import SystemSupport

// The loops that the root serves.

extension RootEngine {
    /// A rank takes part in a loop.
    func enter(_ number: UInt64, _ entry: LoopEntry, from source: Int) {
        if let beginning = entry.beginning {
            begin(LoopWish(source: source, loop: number, entry: entry, beginning: beginning))
        } else if isLate(source) {
            enterLate(number, entry, from: source)
        } else {
            enterJob(number, entry, from: source)
        }
    }

    /// A rank takes part in the loop of a job.
    private func enterJob(_ number: UInt64, _ entry: LoopEntry, from source: Int) {
        let (length, options) = (entry.length, entry.options)
        guard options.fit(length: length, ranks: communicator.size) else {
            return distrust(source, "entered a loop with impossible options")
        }
        if loops[number] == nil {
            // Nothing comes after the loop of a job.
            guard !jobCanLoseRanks else { return distrust(source, "entered a loop in a job") }
            jobCanLoseRanks = options.canLoseRanks
            guard serve(number, length: length, options: options, for: source) != nil else { return }
        }
        guard let loop = loops[number], loop.options == options, loop.announcedLength == length else {
            return finish(
                .fault(
                    Fault(
                        phase: .communication,
                        message:
                            "rank \(source) enters loop \(number) over \(describe(length)), other ranks over "
                            + "\(describe(loops[number]?.announcedLength)) or with other options: all ranks must call the "
                            + "same loops in the same order over the same sequence",
                        rank: source, host: HostName.current)))
        }
        note(host: entry.host, of: source)
        change(loop) { (loop) throws(ScheduleViolation) in try loop.enter(source, working: entry.isWorking) }
    }

    /// Begins to serve a loop, which the rank `source` is the first to come to.
    ///
    /// - Returns: nil where the job ends instead.
    func serve(_ number: UInt64, length: Int?, options: LoopOptions, for source: Int) -> ServedLoop? {
        if rootHasFinished, options.results == .stream {
            missRoot(source, "begins a loop whose results rank 0 is to get")
            return nil
        }
        // Loops that every rank has left need no memory any more, once each rank has been told.
        if held.isEmpty {
            for loop in loops.values where loop.isOver { latestForgottenLoop = max(latestForgottenLoop, loop.number) }
            loops.keep { !$1.isOver }
        }
        let loop = ServedLoop(
            number, length: length, options: options, ranks: communicator.size,
            done: skips.removeValue(forKey: number) ?? [])
        if let costs = orders.removeValue(forKey: number) { loop.order(by: costs) }
        loops[number] = loop
        newestLoop = max(newestLoop, number)
        if isHalted { change(loop) { (loop) throws(ScheduleViolation) in try loop.halt() } }
        for rank in 0..<communicator.size where rank == 0 ? rootHasFinished : hasDeparted[rank] {
            let isLost = lostRanks.contains(rank)
            change(loop) { (loop) throws(ScheduleViolation) in
                if isLost { _ = try loop.lost(rank) } else { try loop.depart(rank) }
            }
        }
        return loop
    }

    /// Remembers on which host a rank is.
    func note(host: String, of rank: Int) {
        if hosts[rank] == nil, host == HostName.current { ranksHere += 1 }
        hosts[rank] = host
    }

    private func describe(_ length: Int?) -> String {
        length.map { "\($0) examples" } ?? "an unknown number of examples"
    }

    // MARK: - Reports

    /// A rank has done examples.
    func done(_ report: ChunkReport, in number: UInt64, from source: Int) {
        noteNews(of: source)
        reportOn(number, from: source) { (loop) throws(ScheduleViolation) in
            try checkResults(report, loop, from: source)
            let outcome = try loop.done(source, report)
            reportWatch?.reported(source, isIdle: !loop.isBusy(source))
            guard let (done, attempts) = outcome else { return }
            let cost = ExampleCost(report)
            loop.note(cost, of: done)
            if done.count > 0 {
                noteWork(source, on: done, isFailed: false, cost)
            }
            put(done, report.results, cost, loop, from: source, attempts: attempts)
        }
    }

    /// An example has failed, behind those of the report.
    func failed(_ report: ChunkReport, _ fault: Fault, in number: UInt64, from source: Int) {
        noteNews(of: source)
        reportOn(number, from: source) { (loop) throws(ScheduleViolation) in
            try checkResults(report, loop, from: source)
            let outcome = try loop.failed(source, report)
            reportWatch?.reported(source, isIdle: !loop.isBusy(source))
            guard let (done, example, verdict) = outcome else { return }
            var (fault, before) = (fault, ExampleCost(report))
            before.nanoseconds = max(0, report.nanoseconds &- (fault.nanoseconds ?? 0))
            // The failed example gets a part of the processor time in proportion to its elapsed time.
            let part = report.nanoseconds > 0 ? Double(before.nanoseconds) / Double(report.nanoseconds) : 0
            before.cpu = ExampleCost.part(part, of: report.cpu)
            fault.cpu = max(0, report.cpu &- before.cpu)
            fault.peak = before.peak
            noteFailure(behind: done, before, fault, report, from: source)
            loop.note(before, of: done)
            loop.note(fault, example)
            put(done, report.results, before, loop, from: source, attempts: 1)
            recordFailure(example, verdict, fault, from: source, loop)
        }
    }

    /// A rank takes no more of a loop.
    func retire(_ number: UInt64, _ source: Int) {
        retiredRanks.insert(source)
        reportWatch?.reported(source, isIdle: true)
        reportOn(number, from: source) { (loop) throws(ScheduleViolation) in try loop.retire(source) }
    }

    /// The number of examples turned out to be `count`.
    func length(_ count: Int, of number: UInt64, from source: Int) {
        reportOn(number, from: source) { (loop) throws(ScheduleViolation) in
            do throws(ScheduleViolation) { try loop.lengthBecameKnown(count) } catch {
                throw ScheduleViolation(error.description, by: source)
            }
        }
    }

    /// Results have come that had stayed with their rank.
    func results(_ run: ResultRun, in number: UInt64, from source: Int) {
        reportWatch?.reported(source, isIdle: false)
        reportOn(number, from: source) { (loop) throws(ScheduleViolation) in try loop.keep(run) }
    }

    /// A rank has sent all results that had stayed with it.
    func delivered(in number: UInt64, from source: Int) {
        reportWatch?.reported(source, isIdle: true)
        reportOn(number, from: source) { (loop) throws(ScheduleViolation) in
            for run in try loop.delivered(source) { put(run, number) }
        }
    }

    /// Changes a loop as a rank's report says.
    private func reportOn(
        _ number: UInt64, from source: Int, _ body: (ServedLoop) throws(ScheduleViolation) -> Void
    ) {
        if !unprovenRanks.isEmpty { unprovenRanks.remove(source) }
        guard number <= newestLoop else { return distrust(source, "reported on a loop that no rank has begun") }
        change(number, body)
    }

    /// Has a failed example retried, or gives it up, as `verdict` says.
    func recordFailure(_ example: Int, _ verdict: FailureVerdict, _ fault: Fault, from source: Int, _ loop: ServedLoop)
    {
        switch verdict {
        case .retry(let attempts): delays.add(loop.number, example, attempts: attempts, at: now)
        case .final(let attempts):
            var fault = fault
            (fault.example, fault.rank, fault.attempts) = (example + 1, source, attempts)
            giveUp(fault, loop)
        }
    }

    /// An example does not return from `work`, and its rank ends for that reason alone.
    func givenUp(_ example: Int, _ fault: Fault, from source: Int) {
        guard canLose(source) else { return finish(.fault(fault)) }
        // The example may have ended just when the rank gave it up. Or the rank was lost and is back, and the example
        // is with another rank by now. The rank ends all the same.
        if let loop = loops[newestLoop], !loop.has(source, example: example), 0..<(loop.length ?? .max) ~= example {
            distrusted.insert(source)
            if !hasDeparted[source] { lose(source, "example \(example + 1) did not come back there in time") }
            return communicator.drop(source)
        }
        change(newestLoop) { (loop) throws(ScheduleViolation) in
            guard let verdict = try loop.givenUp(source, on: example) else { return }
            recordFailure(example, verdict, fault, from: source, loop)
        }
        guard end == nil, !hasDeparted[source] else { return }
        noteLoss(of: source, "example \(example &+ 1) does not come back there")
        loseFromLoops(source, host: hosts[source] ?? "unknown", cause: "an example does not come back there")
    }

    /// - Throws: where a rank reports examples as done without sending their results, which have at least one byte
    ///   each.
    private func checkResults(
        _ report: ChunkReport, _ loop: ServedLoop, from source: Int
    ) throws(ScheduleViolation) {
        guard loop.options.results != .stream || report.completed <= report.results.count else {
            throw ScheduleViolation("rank \(source) reported fewer results than examples", by: source)
        }
    }

    /// Tells the observer that a rank has worked on examples.
    func noteWork(_ source: Int, on chunk: Chunk, isFailed: Bool, _ cost: ExampleCost) {
        observer.rankHasWorked(source, host: hosts[source] ?? "unknown", on: chunk, isFailed: isFailed, cost: cost)
    }

    /// Tells the observer that a rank has worked on examples, which cost `before`, and on one behind them that has
    /// failed.
    ///
    /// They are reported separately where it is known how long the failed one took.
    private func noteFailure(
        behind done: Chunk, _ before: ExampleCost, _ fault: Fault, _ report: ChunkReport, from source: Int
    ) {
        let tried = Chunk(first: done.first, count: done.count + 1, stride: done.stride)
        // No range is formed: with the numbers of a rank its end might come before its beginning, which traps.
        guard done.count > 0, let nanoseconds = fault.nanoseconds, nanoseconds >= 0, nanoseconds <= report.nanoseconds
        else { return noteWork(source, on: tried, isFailed: true, ExampleCost(report)) }
        noteWork(source, on: done, isFailed: false, before)
        let cost = ExampleCost(nanoseconds: nanoseconds, cpu: fault.cpu ?? 0, peak: fault.peak ?? 0)
        noteWork(source, on: tried.dropFirst(done.count), isFailed: true, cost)
    }

    /// An example has failed for good.
    private func giveUp(_ fault: Fault, _ loop: ServedLoop) {
        guard loop.options.failures.continues else { return finish(.fault(fault)) }
        observer.exampleFailed(fault, in: loop.number)
        shared.inbox.update { $0.loops[loop.number, default: RootInbox.Loop()].failures.append(fault) }
    }

    /// Brings back failed examples that have waited long enough.
    func retryDue() {
        while let rest = delays.takeDue(at: now) {
            change(rest.loop) { (loop) throws(ScheduleViolation) in try loop.retry(rest.example) }
        }
    }

    /// A rank has died: others do its examples.
    func loseFromLoops(_ rank: Int, host: String, cause: String) {
        for loop in loops.values {
            change(loop) { (loop) throws(ScheduleViolation) in
                guard let crashed = try loop.lost(rank) else { return }
                let others = crashed.deaths - 1
                let before = others > 0 ? ", after \(others) more that had it to do" : ""
                let message = "this rank died while at work on it\(before): \(cause)"
                var fault = Fault(
                    phase: .work, message: message, example: crashed.example + 1, rank: rank, host: host)
                fault.attempts = crashed.deaths
                giveUp(fault, loop)
            }
        }
    }

    // MARK: - Results

    /// Passes on results that came with the report that their examples are done.
    ///
    /// Called before the schedule's actions are performed: an `end` among them must find the results in the inbox.
    private func put(
        _ done: Chunk, _ results: Bytes, _ cost: ExampleCost, _ loop: ServedLoop, from source: Int, attempts: Int
    ) {
        guard loop.options.results == .stream, done.count > 0 else { return }
        let run = ResultRun(done, results: results, rank: source)
        observer.examplesAreDone(
            run, of: loop.number, host: hosts[source] ?? "unknown", cost: cost, attempts: attempts)
        put(run, loop.number)
    }

    /// Passes results on to the main thread.
    func put(_ run: ResultRun, _ number: UInt64) {
        shared.inbox.update { inbox in
            inbox.loops[number, default: RootInbox.Loop()].results.append(run)
            inbox.backlog += run.results.count
            inbox.isPaused = inbox.isPaused || inbox.backlog > RootInbox.backlogLimit
            isPaused = inbox.isPaused
        }
    }

    // MARK: - What schedules want

    /// Changes a loop and does what its schedule then wants.
    func change(_ number: UInt64, _ body: (ServedLoop) throws(ScheduleViolation) -> Void) {
        if let loop = loops[number] { change(loop, body) }
    }

    /// Like `change(_:_:)` with the number of the loop.
    func change(_ loop: ServedLoop, _ body: (ServedLoop) throws(ScheduleViolation) -> Void) {
        // Once the job is over, neither schedules nor later reports matter.
        guard end == nil else { return }
        var violation: ScheduleViolation?
        do { try body(loop) } catch {
            loop.actions.removeAll()
            violation = error
        }
        if loop.number == newestLoop {
            progress = loop.progress
            progress?.ranksHere = ranksHere
            progress?.lost = lostRanks.count
        }
        if let added = loop.workedOff.take() {
            shared.inbox.update { $0.loops[loop.number, default: RootInbox.Loop()].workedOff = added }
        }
        if let demand = loop.demand {
            shared.inbox.update { $0.loops[loop.number, default: RootInbox.Loop()].demand = demand }
        }
        perform(loop)
        guard let violation else { return }
        let fault = Fault(
            phase: .communication, message: "loop \(loop.number): \(violation.description)", rank: 0,
            host: HostName.current, status: 3)
        if let culprit = violation.culprit { distrust(culprit, fault) } else { finish(.fault(fault)) }
    }

    /// A rank has sent an impossible message: nothing from it is believed any more, and the job goes on without it
    /// where it can.
    func distrust(_ rank: Int, _ fault: Fault) {
        guard rank != 0, canLose(rank) else { return finish(.fault(fault)) }
        distrusted.insert(rank)
        guard !hasDeparted[rank] else { return }
        lose(rank, "\(fault.message); nothing more of it is believed")
        communicator.drop(rank)
    }

    /// Like `distrust(_:_:)` with a fault, which is made from `what`, a clause about the message.
    func distrust(_ rank: Int, _ what: String) { distrust(rank, protocolFault(rank, what)) }

    private func perform(_ loop: ServedLoop) {
        guard !isPaused else {
            for action in loop.actions { held.append((loop, action)) }
            return loop.actions.removeAll(keepingCapacity: true)
        }
        for action in loop.actions {
            switch action {
            case .assign(let worker, let chunk, let giveBackAfter):
                if loop.chunk(of: worker) == chunk { noteNews(of: worker) }
                let isSent = loop.options.examples == .sent || loop.options.mayGrow
                let examples = isSent ? loop.examples(of: chunk) : .empty
                if worker == 0 {
                    tellRoot(.work(chunk, giveBackAfter: giveBackAfter, examples: examples), loop)
                } else {
                    reportWatch?.assigned(chunk, to: worker, giveBackAfter: giveBackAfter, isReady: isLate(worker))
                    send(
                        .assign(
                            loop: loop.number, chunk, giveBackAfter: chunk.stride > 1 ? 0 : giveBackAfter,
                            examples: examples),
                        to: worker)
                }
            case .deliver(let worker):
                if worker == 0 {
                    tellRoot(.deliver, loop)
                } else {
                    reportWatch?.asked(worker)
                    send(.deliver(loop: loop.number), to: worker)
                }
            case .end(let worker):
                if worker == 0 {
                    // The last progress that is shown must be the final one.
                    observer.loopChanged(progress)
                    let end: LoopEvent = loop.isCutShort ? .halted(length: loop.length) : .end(length: loop.length)
                    shared.inbox.update { $0.loops[loop.number, default: RootInbox.Loop()].end = end }
                } else {
                    send(.end(loop: loop.number, length: loop.length, isCutShort: loop.isCutShort), to: worker)
                }
            }
        }
        loop.actions.removeAll(keepingCapacity: true)
    }

    /// Gives the main thread something to do, as one of the ranks.
    private func tellRoot(_ event: LoopEvent, _ loop: ServedLoop) {
        shared.inbox.update { $0.loops[loop.number, default: RootInbox.Loop()].work.append(event) }
    }

    /// The main thread has caught up with the results: hand-out goes on.
    func resume() {
        isPaused = false
        let waiting = held
        held = []
        for (loop, action) in waiting {
            change(loop) { (loop) throws(ScheduleViolation) in loop.actions.append(action) }
        }
    }
}
