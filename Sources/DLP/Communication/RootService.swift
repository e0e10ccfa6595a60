import CSystem

/// The root's service thread: it alone talks to the other ranks and drives the schedules.
///
/// Whatever comes, from a worker or from the main thread in its part as worker 0, is handled alike; what is meant for
/// worker 0 goes to the inbox instead of a connection.
final class RootService {
    private let communicator: any Communicator
    private let shared: RootShared
    private let observer: any JobObserver
    private var loops: [UInt64: ServedLoop] = [:]
    private var newestLoop: UInt64 = 0
    private var hasDeparted: [Bool]
    private var rootHasFinished = false
    private var actions: [ScheduleAction] = []
    private var end: JobEnd?
    /// Whether hand-out pauses until the main thread has taken its results, and what is to be done then.
    private var isPaused = false
    private var held: [(UInt64, ScheduleAction)] = []
    /// When to be surprised that the main thread has not ended yet.
    private var stuckDeadline: UInt64?

    /// How long the main thread may take to end once the job has: it may be deep in a C function.
    private static let grace: UInt64 = 2_000_000_000
    /// Results that the main thread has not taken before hand-out pauses: the memory that a slow `collect` may cost.
    static let backlogLimit = 256 << 20

    init(_ communicator: any Communicator, _ shared: RootShared, _ observer: any JobObserver) {
        self.communicator = communicator
        self.shared = shared
        self.observer = observer
        hasDeparted = Array(repeating: false, count: communicator.size)
    }

    func run() {
        while true {
            for command in shared.commands.withLock({ commands in
                defer { commands.removeAll() }
                return commands
            }) {
                if case .stop(let status) = command { return stop(status) }
                handle(command)
            }
            observer.loopChanged(loops[newestLoop]?.progress(newestLoop))
            do {
                switch try communicator.receive(until: stuckDeadline) {
                case .message(let message, let source): handle(message, from: source)
                case .lost(let rank, let reason): lost(rank, reason)
                case .woken: break
                case .timedOut:
                    if let end, let deadline = stuckDeadline, dlp_now() >= deadline {
                        stuckDeadline = nil
                        observer.jobIsStuck(end) { stop(end.status) }
                    }
                }
            } catch { fail(error) }
        }
    }

    private func stop(_ status: Int32) {
        try? communicator.sendToAll(Message(.stop, count: Int(status)))
        let deadline = dlp_now() + Self.grace
        let isEarly = end != nil || !rootHasFinished || hasDeparted.dropFirst().contains(false)
        if isEarly {
            communicator.abort(status: status, until: deadline)
        } else {
            communicator.close(until: deadline)
        }
    }

    private func handle(_ command: RootShared.Command) {
        switch command {
        case .message(let message, to: 0): handle(message, from: 0)
        case .message(let message, let destination): send(message, to: destination)
        case .toAll(let message): sendToAll(message)
        case .feed(let operation, let examples):
            change(operation) { (loop) throws(ScheduleViolation) in try loop.feed(examples, &actions) }
        case .close(let operation):
            change(operation) { (loop) throws(ScheduleViolation) in try loop.close(&actions) }
        case .cancel(let operation):
            cancel(operation)
        case .rootHasFinished: finishRoot()
        case .end(let end): finish(end)
        case .resume: resume()
        case .stop: break
        }
    }

    /// The root's script has ended: whatever needs the root's part in it is an error, whether it came before or comes
    /// after.
    private func finishRoot() {
        rootHasFinished = true
        let waiting = shared.inbox.withLock { inbox in
            // A message that only announces a wait may be one whose wait is over.
            inbox.collectives.indices.first { rank in inbox.collectives[rank].contains { $0.count == 0 } }
        }
        if let waiting { return missRoot(waiting, "calls a collective") }
        for (operation, loop) in loops where loop.options.results == .stream {
            if loop.isAwaiting(0) { return missRoot(nil, "begins a loop whose results rank 0 is to get") }
            // The root has taken what it wanted of it.
            cancel(operation)
        }
        leaveLoops(0)
        sendToAll(Message(.goodbye))
    }

    /// A rank counts on the root, whose script has ended.
    private func missRoot(_ source: Int?, _ what: String) {
        finish(
            .fault(
                Fault(
                    phase: .communication,
                    message: "\(source.map { "rank \($0)" } ?? "a rank") \(what), but rank 0 has finished its script",
                    rank: source ?? 0, host: HostName.current)))
    }

    private func cancel(_ operation: UInt64) {
        change(operation) { (loop) throws(ScheduleViolation) in try loop.cancel(&actions) }
        let isDrained = shared.inbox.withLock { inbox in
            inbox.drop(operation)
            guard inbox.isPaused, inbox.backlog < Self.backlogLimit / 2 else { return false }
            inbox.isPaused = false
            return true
        }
        if isDrained { resume() }
    }

    private func handle(_ message: Message, from source: Int) {
        switch message.kind {
        case .done, .leave, .length:
            guard message.operation <= newestLoop else {
                return finish(.fault(protocolFault(source, "reported on a loop that no rank has begun")))
            }
            report(message, from: source)
        case .enter: enter(message, from: source)
        case .results: results(message, from: source)
        case .collective: collective(message, from: source)
        case .fault:
            finish(
                Fault(encoded: message.body).map { .fault($0) }
                    ?? .fault(protocolFault(source, "sent a report that cannot be read")))
        case .exit: finish(.exit(status: Int32(clamping: message.count), rank: source))
        case .goodbye: depart(source)
        case .assign, .end, .stop: finish(.fault(protocolFault(source, "sent a message that only rank 0 sends")))
        }
    }

    /// A rank in a loop says how far it is.
    private func report(_ message: Message, from source: Int) {
        switch message.kind {
        case .done: done(message, from: source)
        case .leave:
            change(message.operation) { (loop) throws(ScheduleViolation) in try loop.leave(source, &actions) }
        default:
            change(message.operation) { (loop) throws(ScheduleViolation) in
                try loop.lengthBecameKnown(Int(message.count), &actions)
            }
        }
    }

    private func enter(_ message: Message, from source: Int) {
        let length = message.first < 0 ? nil : Int(message.first)
        // Only a list that the root feeds has examples that are sent, and its end is known when the root says so.
        guard let options = LoopOptions(packed: message.extra),
            options.examples == .replicated || (length == nil && !options.isUnbounded)
        else {
            return finish(.fault(protocolFault(source, "entered a loop with impossible options")))
        }
        if loops[message.operation] == nil {
            if rootHasFinished, options.results == .stream {
                return missRoot(source, "begins a loop whose results rank 0 is to get")
            }
            // Loops that every rank has left need no memory any more, once each rank has been told.
            if held.isEmpty { loops = loops.filter { !$0.value.isOver } }
            loops[message.operation] = ServedLoop(length: length, options: options, ranks: communicator.size)
            newestLoop = max(newestLoop, message.operation)
            for rank in hasDeparted.indices where rank == 0 ? rootHasFinished : hasDeparted[rank] {
                leaveLoop(message.operation, rank)
            }
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
        change(message.operation) { (loop) throws(ScheduleViolation) in
            try loop.enter(source, working: message.count != 0, &actions)
        }
    }

    private func describe(_ length: Int?) -> String {
        length.map { "\($0) examples" } ?? "an unknown number of examples"
    }

    private func done(_ message: Message, from source: Int) {
        let chunk = Chunk(first: Int(message.first), count: Int(message.count))
        change(message.operation) { (loop) throws(ScheduleViolation) in
            try loop.done(source, chunk, nanoseconds: message.extra, &actions)
            guard loop.options.results == .stream, chunk.count > 0, !loop.isCancelled else { return }
            guard chunk.count <= message.body.count else {
                throw ScheduleViolation("rank \(source) sent fewer results than it did examples")
            }
            // Before the schedule's actions are performed: an `end` among them must find the results in the inbox.
            put(
                ResultRun(first: chunk.first, count: chunk.count, results: message.body, rank: source),
                message.operation)
        }
    }

    private func results(_ message: Message, from source: Int) {
        let run = ResultRun(
            first: Int(message.first), count: Int(message.count), stride: Int(message.extra), results: message.body,
            rank: source)
        guard run.isPossible else {
            return finish(.fault(protocolFault(source, "sent results of impossible examples")))
        }
        put(run, message.operation)
    }

    private func put(_ run: ResultRun, _ operation: UInt64) {
        shared.inbox.update { inbox in
            inbox.loops[operation, default: RootInbox.Loop()].results.append(run)
            inbox.backlog += run.results.count
            inbox.isPaused = inbox.isPaused || inbox.backlog > Self.backlogLimit
            isPaused = inbox.isPaused
        }
    }

    private func collective(_ message: Message, from source: Int) {
        guard !rootHasFinished else { return missRoot(source, "calls a collective") }
        shared.inbox.update { $0.collectives[source].append(message) }
    }

    private func depart(_ source: Int) {
        guard !hasDeparted[source] else { return }
        hasDeparted[source] = true
        shared.inbox.update { inbox in
            inbox.hasDeparted[source] = true
            inbox.departed += 1
        }
        leaveLoops(source)
    }

    /// A rank has finished its script; it takes no part in any loop from now on.
    private func leaveLoops(_ rank: Int) {
        for operation in loops.keys { leaveLoop(operation, rank) }
    }

    private func leaveLoop(_ operation: UInt64, _ rank: Int) {
        change(operation) { (loop) throws(ScheduleViolation) in try loop.depart(rank, &actions) }
    }

    private func lost(_ rank: Int, _ reason: String) {
        guard !hasDeparted[rank], end == nil else { return }
        let cause = observer.explainLoss(of: rank) ?? reason
        finish(
            .fault(
                Fault(
                    phase: .communication, message: "lost rank \(rank): \(cause)", rank: rank, host: HostName.current,
                    status: 3)))
    }

    /// The job ends early: the main thread learns of it, and is watched from now on.
    private func finish(_ reason: JobEnd) {
        guard end == nil else { return }
        end = reason
        stuckDeadline = dlp_now() + Self.grace
        shared.inbox.update { $0.end = reason }
        observer.jobEnds(reason)
    }

    private func protocolFault(_ rank: Int, _ what: String) -> Fault {
        Fault(
            phase: .communication, message: "rank \(rank) \(what): is the same dlp-lua started on every rank?",
            rank: rank, host: HostName.current, status: 3)
    }

    /// Changes a loop and does what its schedule then wants.
    private func change(_ operation: UInt64, _ body: (inout ServedLoop) throws(ScheduleViolation) -> Void) {
        // Once the job is over no schedule matters, nor what it would make of what still comes.
        guard end == nil, var loop = loops.removeValue(forKey: operation) else { return }
        do { try body(&loop) } catch {
            actions.removeAll()
            finish(
                .fault(
                    Fault(
                        phase: .communication, message: "loop \(operation): \(error.description)", rank: 0,
                        host: HostName.current, status: 3)))
        }
        if loop.wantsExamples {
            shared.inbox.update { $0.loops[operation, default: RootInbox.Loop()].isHungry = true }
        }
        perform(operation, &loop)
        loops[operation] = loop
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
                    send(
                        Message(
                            .assign, operation: operation, first: chunk.first, count: chunk.count,
                            extra: giveBackAfter, body: examples), to: worker)
                }
            case .end(let worker):
                if worker == 0 {
                    let end = LoopEvent.end(length: loop.length)
                    shared.inbox.update { $0.loops[operation, default: RootInbox.Loop()].end = end }
                } else {
                    send(Message(.end, operation: operation, count: loop.length ?? -1), to: worker)
                }
            }
        }
        actions.removeAll(keepingCapacity: true)
    }

    /// The main thread has caught up with the results: hand-out goes on.
    private func resume() {
        isPaused = false
        let waiting = held
        held = []
        for (operation, action) in waiting {
            change(operation) { (_) throws(ScheduleViolation) in actions.append(action) }
        }
    }

    private func send(_ message: Message, to destination: Int) {
        do { try communicator.send(message, to: destination) } catch { fail(error) }
    }

    private func sendToAll(_ message: Message) {
        do { try communicator.sendToAll(message) } catch { fail(error) }
    }

    /// The transport itself has failed.
    private func fail(_ error: CommunicationError) {
        finish(
            .fault(
                Fault(
                    phase: .communication, message: error.description, rank: 0, host: HostName.current, status: 3)))
    }
}
