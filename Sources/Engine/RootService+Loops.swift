import CSystem
import Codec
import Scheduling
import SystemSupport

// The loops that the root serves.

extension RootService {
    /// A rank in a loop says how far it is.
    func report(_ message: Message, from source: Int) {
        switch message.kind {
        case .done, .part: done(message, from: source)
        case .failed: failed(message, from: source)
        case .results: results(message, from: source)
        case .delivered: delivered(message, from: source)
        case .retire:
            retiredRanks.insert(source)
            reportWatch?.reported(source, isIdle: true)
            change(message.operation) { (loop) throws(ScheduleViolation) in try loop.retire(source, &actions) }
        case .leave: leave(message.operation, source)
        default:
            change(message.operation) { (loop) throws(ScheduleViolation) in
                do throws(ScheduleViolation) { try loop.lengthBecameKnown(Int(message.count), &actions) } catch {
                    throw ScheduleViolation(error.description, by: source)
                }
            }
        }
    }

    func enter(_ message: Message, from source: Int) {
        let length = message.first < 0 ? nil : Int(message.first)
        guard let options = LoopOptions(packed: message.extra), options.fit(length: length, ranks: communicator.size)
        else {
            return distrust(source, "entered a loop with impossible options")
        }
        if loops[message.operation] == nil {
            // Nothing comes after the loop of a job.
            guard !jobCanLoseRanks else { return distrust(source, "entered a loop in a job") }
            jobCanLoseRanks = options.canLoseRanks
            guard serve(message.operation, length: length, options: options, for: source) else { return }
        }
        guard let loop = loops[message.operation], loop.options == options, loop.announcedLength == length else {
            return finish(
                .fault(
                    Fault(
                        phase: .communication,
                        message:
                            "rank \(source) enters loop \(message.operation) over \(describe(length)), other ranks "
                            + "over \(describe(loops[message.operation]?.announcedLength)) or with other options: all "
                            + "ranks must call the same loops in the same order over the same sequence",
                        rank: source, host: HostName.current)))
        }
        if hosts[source] == nil, hostName(in: message) == HostName.current { ranksHere += 1 }
        hosts[source] = hostName(in: message)
        change(message.operation) { (loop) throws(ScheduleViolation) in
            try loop.enter(source, working: message.count != 0, &actions)
        }
    }

    /// Begins to serve a loop, which the rank `source` is the first to come to.
    ///
    /// - Returns: false where the job ends instead.
    func serve(_ operation: UInt64, length: Int?, options: LoopOptions, for source: Int) -> Bool {
        if rootHasFinished, options.results == .stream {
            missRoot(source, "begins a loop whose results rank 0 is to get")
            return false
        }
        // Loops that every rank has left need no memory any more, once each rank has been told.
        if held.isEmpty {
            latestForgottenLoop = loops.keys.indices.reduce(latestForgottenLoop) { latest, place in
                loops.values[place].isOver ? max(latest, loops.keys[place]) : latest
            }
            loops.keep { !$1.isOver }
        }
        loops[operation] = ServedLoop(
            length: length, options: options, ranks: communicator.size, done: skips.removeValue(forKey: operation) ?? []
        )
        newestLoop = max(newestLoop, operation)
        if isHalted { change(operation) { (loop) throws(ScheduleViolation) in try loop.halt(&actions) } }
        let lost = shared.inbox.withLock { $0.lostRanks }
        for rank in 0..<communicator.size where rank == 0 ? rootHasFinished : hasDeparted[rank] {
            guard lost.contains(rank) else {
                leaveLoop(operation, rank)
                continue
            }
            change(operation) { (loop) throws(ScheduleViolation) in _ = try loop.lost(rank, &actions) }
        }
        return true
    }

    /// The name of the host of the rank that enters a loop with `message`.
    func hostName(in message: Message) -> String {
        let host = message.body[0..<min(message.body.count, Self.longestHostName)]
        return String(decoding: host.array, as: UTF8.self)
    }

    /// A host's name as far as a rank may say it.
    static func shortened(_ host: String) -> String {
        String(decoding: host.utf8.prefix(longestHostName), as: UTF8.self)
    }

    /// A host's name has no more bytes (RFC 1035).
    private static let longestHostName = 255

    private func describe(_ length: Int?) -> String {
        length.map { "\($0) examples" } ?? "an unknown number of examples"
    }

    private func done(_ message: Message, from source: Int) {
        change(message.operation) { (loop) throws(ScheduleViolation) in
            try checkResults(message.body, of: message.count, loop.options, from: source)
            let report = try loop.done(
                source, first: Int(message.first), completed: Int(message.count), nanoseconds: message.extra,
                goesOn: message.kind == .part, &actions)
            reportWatch?.reported(source, isIdle: !loop.isBusy(source))
            guard let (done, attempts) = report else { return }
            loop.note(cpu: message.cpu)
            if done.count > 0 { noteWork(message, from: source, on: done, isFailed: false) }
            put(done, message.body, loop.options, message, from: source, attempts: attempts)
        }
    }

    private func failed(_ message: Message, from source: Int) {
        guard case (var fault, let results)? = splitFailure(message.body) else {
            return distrust(source, "sent a report that cannot be read")
        }
        change(message.operation) { (loop) throws(ScheduleViolation) in
            try checkResults(results, of: message.count, loop.options, from: source)
            let report = try loop.failed(
                source, first: Int(message.first), completed: Int(message.count), nanoseconds: message.extra, &actions)
            reportWatch?.reported(source, isIdle: !loop.isBusy(source))
            guard let (done, example, verdict) = report else { return }
            loop.note(cpu: message.cpu)
            let tried = Chunk(first: done.first, count: done.count + 1, stride: done.stride)
            noteWork(message, from: source, on: tried, isFailed: true)
            var before = message
            before.extra = max(0, message.extra &- (fault.nanoseconds ?? 0))
            // The failed one has its part of the processor time by the clock.
            let part = message.extra > 0 ? Double(before.extra) / Double(message.extra) : 0
            before.cpu = Int64(min(Double(max(0, message.cpu)) * min(part, 1), 1e18))
            fault.cpu = max(0, message.cpu &- before.cpu)
            put(done, results, loop.options, before, from: source, attempts: 1)
            judge(example, verdict, &fault, from: source, loop.options, message.operation)
        }
    }

    /// What the body of a report of a failure holds; nil where it cannot be read.
    func splitFailure(_ body: Bytes) -> (fault: Fault, results: Bytes)? {
        let end: Int? = body.withUnsafeBytes { body in
            var reader = CBORReader(body)
            return (try? reader.skip()).map { reader.position }
        }
        guard let end, let fault = Fault(encoded: body[0..<end]) else { return nil }
        return (fault, body[end..<body.count])
    }

    /// Does what follows from the failure of an example.
    func judge(
        _ example: Int, _ verdict: FailureVerdict, _ fault: inout Fault, from source: Int, _ options: LoopOptions,
        _ operation: UInt64
    ) {
        switch verdict {
        case .retry(let attempts): delays.add(operation, example, attempts: attempts, at: dlp_now())
        case .final(let attempts):
            (fault.example, fault.rank, fault.attempts) = (example + 1, source, attempts)
            giveUp(fault, options, operation)
        }
    }

    /// An example does not come back from `work`, and the rank that has it ends for that reason alone.
    func givenUp(_ message: Message, from source: Int) {
        guard var fault = Fault(encoded: message.body) else {
            return distrust(source, "sent a report that cannot be read")
        }
        guard canLose(source) else { return finish(.fault(fault)) }
        let operation = newestLoop
        let example = Int(message.first)
        // It may have come to its end just when the rank gave it up, or, where the rank was lost and is back, be somebody
        // else's by now: the rank ends all the same.
        if let loop = loops[operation], !loop.has(source, example: example), 0..<(loop.length ?? .max) ~= example {
            distrusted.insert(source)
            if !hasDeparted[source] { lose(source, "example \(example + 1) did not come back there in time") }
            return communicator.drop(source)
        }
        change(operation) { (loop) throws(ScheduleViolation) in
            guard let verdict = try loop.givenUp(source, on: example, &actions) else { return }
            judge(example, verdict, &fault, from: source, loop.options, operation)
        }
        guard end == nil, !hasDeparted[source] else { return }
        noteLoss(of: source, "example \(message.first &+ 1) does not come back there")
        loseFromLoops(source, host: hosts[source] ?? "unknown", cause: "an example does not come back there")
    }

    /// - Throws: where a rank reports examples as done without sending their results, which are a byte each at least.
    private func checkResults(
        _ results: Bytes, of count: Int64, _ options: LoopOptions, from source: Int
    ) throws(ScheduleViolation) {
        guard options.results != .stream || count <= results.count else {
            throw ScheduleViolation("rank \(source) reported fewer results than examples", by: source)
        }
    }

    func noteWork(_ report: Message, from source: Int, on chunk: Chunk, isFailed: Bool) {
        observer.rankHasWorked(
            source, host: hosts[source] ?? "unknown", on: chunk, isFailed: isFailed, nanoseconds: report.extra)
    }

    /// An example has failed for good.
    private func giveUp(_ fault: Fault, _ options: LoopOptions, _ operation: UInt64) {
        guard options.failures.continues else { return finish(.fault(fault)) }
        observer.exampleFailed(fault, in: operation)
        shared.inbox.update { $0.loops[operation, default: RootInbox.Loop()].failures.append(fault) }
    }

    /// Brings examples back that failed and have rested long enough.
    func retryDue() {
        while let rest = delays.takeDue(at: dlp_now()) {
            change(rest.operation) { (loop) throws(ScheduleViolation) in try loop.retry(rest.example, &actions) }
        }
    }

    /// A rank has died: others do what it had.
    func loseFromLoops(_ rank: Int, host: String, cause: String) {
        for operation in loops.keys {
            change(operation) { (loop) throws(ScheduleViolation) in
                guard let crashed = try loop.lost(rank, &actions) else { return }
                let others = crashed.deaths - 1
                let before = others > 0 ? ", after \(others) more that had it to do" : ""
                let message = "this rank died while at work on it\(before): \(cause)"
                var fault = Fault(
                    phase: .work, message: message, example: crashed.example + 1, rank: rank, host: host)
                fault.attempts = crashed.deaths
                giveUp(fault, loop.options, operation)
            }
        }
    }

    private func results(_ message: Message, from source: Int) {
        let run = ResultRun(
            first: Int(message.first), count: Int(message.count), stride: Int(message.extra), results: message.body,
            rank: source)
        guard run.isPossible else {
            return distrust(source, "sent results of impossible examples")
        }
        reportWatch?.reported(source, isIdle: false)
        change(message.operation) { (loop) throws(ScheduleViolation) in try loop.keep(run) }
    }

    private func delivered(_ message: Message, from source: Int) {
        reportWatch?.reported(source, isIdle: true)
        change(message.operation) { (loop) throws(ScheduleViolation) in
            for run in try loop.delivered(source, &actions) { put(run, message.operation) }
        }
    }

    /// Passes results on that came with the report that their examples are done.
    ///
    /// Before the schedule's actions are performed: an `end` among them must find the results in the inbox.
    private func put(
        _ done: Chunk, _ results: Bytes, _ options: LoopOptions, _ report: Message, from source: Int, attempts: Int
    ) {
        guard options.results == .stream, done.count > 0 else { return }
        let run = ResultRun(done, results: results, rank: source)
        observer.examplesAreDone(
            run, of: report.operation, host: hosts[source] ?? "unknown", nanoseconds: report.extra,
            cpu: max(0, report.cpu), attempts: attempts)
        put(run, report.operation)
    }

    func put(_ run: ResultRun, _ operation: UInt64) {
        shared.inbox.update { inbox in
            inbox.loops[operation, default: RootInbox.Loop()].results.append(run)
            inbox.backlog += run.results.count
            inbox.isPaused = inbox.isPaused || inbox.backlog > Self.backlogLimit
            isPaused = inbox.isPaused
        }
    }

    /// Changes a loop and does what its schedule then wants.
    func change(_ operation: UInt64, _ body: (inout ServedLoop) throws(ScheduleViolation) -> Void) {
        // Once the job is over no schedule matters, nor what it would make of what still comes.
        guard end == nil, let place = loops.index(forKey: operation) else { return }
        // In its place, for a loop is large; so nothing that `body` calls may look at the loops.
        var violation: ScheduleViolation?
        do { try body(&loops.values[place]) } catch {
            actions.removeAll()
            violation = error
        }
        follow(operation, &loops.values[place])
        guard let violation else { return }
        let fault = Fault(
            phase: .communication, message: "loop \(operation): \(violation.description)", rank: 0,
            host: HostName.current, status: 3)
        if let culprit = violation.culprit { distrust(culprit, fault) } else { finish(.fault(fault)) }
    }

    /// A rank has sent what cannot be: nothing of it is believed, and the job goes on without it where it can.
    func distrust(_ rank: Int, _ fault: Fault) {
        guard rank != 0, canLose(rank) else { return finish(.fault(fault)) }
        distrusted.insert(rank)
        guard !hasDeparted[rank] else { return }
        lose(rank, "\(fault.message); nothing more of it is believed")
        communicator.drop(rank)
    }

    /// The same, where that shows in the message alone.
    func distrust(_ rank: Int, _ what: String) { distrust(rank, protocolFault(rank, what)) }

    /// Does what follows from the change of a loop.
    private func follow(_ operation: UInt64, _ loop: inout ServedLoop) {
        if operation == newestLoop {
            progress = loop.progress(operation)
            progress?.ranksHere = ranksHere
        }
        if loop.wantsExamples {
            shared.inbox.update { $0.loops[operation, default: RootInbox.Loop()].isHungry = true }
        }
        perform(operation, &loop)
    }

    private func perform(_ operation: UInt64, _ loop: inout ServedLoop) {
        guard !isPaused else {
            held += actions.map { (operation, $0) }
            return actions.removeAll(keepingCapacity: true)
        }
        for action in actions {
            switch action {
            case .assign(let worker, let chunk, let giveBackAfter):
                let examples = loop.options.examples == .sent ? loop.examples(of: chunk) : .empty
                if worker == 0 {
                    shared.inbox.update { inbox in
                        inbox.loops[operation, default: RootInbox.Loop()].work
                            .append(.work(chunk, giveBackAfter: giveBackAfter, examples: examples))
                    }
                } else {
                    reportWatch?.assigned(
                        chunk, to: worker, giveBackAfter: giveBackAfter, isReady: isLate(worker))
                    send(
                        Message(
                            .assign, operation: operation, first: chunk.first, count: chunk.count,
                            extra: chunk.stride > 1 ? Int64(-chunk.stride) : giveBackAfter, body: examples),
                        to: worker)
                }
            case .deliver(let worker):
                if worker == 0 {
                    shared.inbox.update { $0.loops[operation, default: RootInbox.Loop()].work.append(.deliver) }
                } else {
                    reportWatch?.asked(worker)
                    send(Message(.deliver, operation: operation), to: worker)
                }
            case .end(let worker):
                if worker == 0 {
                    // What is shown in the end is what the loop has come to.
                    observer.loopChanged(progress)
                    let end: LoopEvent = loop.isCutShort ? .halted(length: loop.length) : .end(length: loop.length)
                    shared.inbox.update { $0.loops[operation, default: RootInbox.Loop()].end = end }
                } else {
                    send(
                        Message(
                            .end, operation: operation, first: loop.isCutShort ? 1 : 0, count: loop.length ?? -1),
                        to: worker)
                }
            }
        }
        actions.removeAll(keepingCapacity: true)
    }

    /// The main thread has caught up with the results: hand-out goes on.
    func resume() {
        isPaused = false
        let waiting = held
        held = []
        for (operation, action) in waiting {
            change(operation) { (_) throws(ScheduleViolation) in actions.append(action) }
        }
    }
}
