import CSystem
import Glibc
import Scheduling
import SystemSupport

/// The root's service thread: it alone talks to the other ranks and drives the schedules.
///
/// Whatever comes, from a worker or from the main thread in its part as worker 0, is handled alike; what is meant for
/// worker 0 goes to the inbox instead of a connection.
final class RootService {
    let communicator: any Communicator
    let shared: RootShared
    let observer: any JobObserver
    var loops = LoopTable<ServedLoop>()
    var newestLoop: UInt64 = 0
    /// The highest number of a loop that every rank has left or left out, and that has been forgotten.
    var latestForgottenLoop: UInt64 = 0
    /// Who waits for the root in loops that scripts begin; and the latest collective that each rank is known to be at.
    var waitingForRoot = LoopTable<[LoopBeginning]>()
    var latestCollectives: [UInt64]
    /// Whether the user knows that ranks had different lists.
    var hasToldOfLists = false
    /// Whether the user knows that rank 0 does a loop alone.
    var hasToldOfSolitude = false
    /// How far that one is.
    var progress: LoopProgress?
    /// The ranks that have finished their script, or died; behind those of the start, the ones that came late.
    var hasDeparted: [Bool]
    /// The hosts of the ranks, once they have taken part in a loop.
    var hosts: [String?]
    /// How many of them are on this host.
    var ranksHere = 0
    var rootHasFinished = false
    var actions: [ScheduleAction] = []
    var end: JobEnd?
    /// Whether hand-out pauses until the main thread has taken its results, and what is to be done then.
    var isPaused = false
    var held: [(UInt64, ScheduleAction)] = []
    /// Examples that failed and are to be tried again.
    var delays = RetryDelays()
    /// Whether the loop of a job has begun that can do without a rank that dies; it is the only one of its job.
    var jobCanLoseRanks = false
    /// Ranks to whose elements the script itself sees, in the body of a loop: what they have made of them dies with them.
    var ownersOfResults: Set<Int> = []
    /// What is done already of loops that rank 0 is about to begin.
    var skips: [UInt64: [Range<Int>]] = [:]
    /// Ranks that have sent what cannot be, or were given up: what they still send comes to nothing.
    var distrusted: Set<Int> = []
    /// Whether lost ranks may come back; which are awaited; and which have come, but not yet to the end of what they had.
    var allowsReturns = false
    var awaitedReturns: Set<Int> = []
    var returningRanks: Set<Int> = []
    /// Those that have not reported on anything new since they came back: once more they are not awaited.
    var unprovenRanks: Set<Int> = []
    /// Notices ranks that do not report on their examples, where these have a limit.
    var reportWatch: ReportWatch?
    /// When to begin no more examples, and whether that moment has passed.
    private var haltMoment: UInt64?
    private(set) var isHalted = false
    /// What becomes of workers that come late, which of them wait to learn it, and which have retired.
    var lateEntry = LateEntry.undecided
    var waitingLateRanks: [Int] = []
    var retiredRanks: Set<Int> = []
    /// When to be surprised that the main thread has not ended yet.
    private var stuckDeadline: UInt64?

    /// How long the main thread may take to end once the job has: it may be deep in a C function.
    private static let grace: UInt64 = 2_000_000_000
    /// How long to wait after the communicator has failed, in microseconds.
    private static let pause: UInt32 = 10_000
    /// How long others may take to hear of the end where one of them does not answer.
    private static let shortGrace: UInt64 = 200_000_000
    /// Results that the main thread has not taken before hand-out pauses: the memory that a slow `collect` may cost.
    static let backlogLimit = 256 << 20

    init(_ communicator: any Communicator, _ shared: RootShared, _ observer: any JobObserver) {
        self.communicator = communicator
        self.shared = shared
        self.observer = observer
        hasDeparted = Array(repeating: false, count: communicator.size)
        hosts = Array(repeating: nil, count: communicator.size)
        latestCollectives = Array(repeating: 0, count: communicator.size)
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
            retryDue()
            haltIfDue()
            loseSilentRanks()
            if let end, let deadline = stuckDeadline, dlp_now() >= deadline {
                stuckDeadline = nil
                observer.jobIsStuck(end) { stop(end.status) }
            }
            observer.loopChanged(progress)
            do {
                switch try communicator.receive(until: nextDeadline) {
                case .message(let message, let source): handle(message, from: source)
                case .lost(let rank, let reason): lost(rank, reason)
                case .joined(let rank): joined(rank)
                case .returned(let rank): returned(rank)
                case .woken, .timedOut: break
                }
            } catch {
                fail(error)
                // One that cannot wait any more returns at once, for as long as the main thread needs to end.
                usleep(Self.pause)
            }
        }
    }

    private func stop(_ status: Int32) {
        // A rank that was given up although it may still be there does not take part in a common end.
        let isAbandoning = !distrusted.isEmpty
        let isEarly =
            end != nil || !rootHasFinished || isAbandoning
            || hasDeparted[..<communicator.size].dropFirst().contains(false)
        let stop = Message(.stop, first: isEarly ? 1 : 0, count: Int(status))
        try? communicator.sendToAll(stop)
        for rank in lateRanks where !hasDeparted[rank] { try? communicator.send(stop, to: rank) }
        let silent = end == nil && rootHasFinished ? (1..<communicator.size).filter { !hasDeparted[$0] } : []
        for rank in silent { observer.rankIsSilent(rank, host: host(of: rank) ?? "unknown", isDone: !isHalted) }
        let deadline = dlp_now() + (silent.isEmpty && !isAbandoning ? Self.grace : Self.shortGrace)
        if isEarly {
            communicator.abort(status: status, until: deadline)
        } else {
            communicator.close(until: deadline)
        }
    }

    private var nextDeadline: UInt64? {
        [delays.next, haltMoment, stuckDeadline, reportWatch?.deadline].compactMap { $0 }.min()
    }

    private func handle(_ command: RootShared.Command) {
        switch command {
        case .message(let message, to: 0): handle(message, from: 0)
        case .message(let message, let destination):
            if message.kind == .collective { note(collective: message.operation, of: 0) }
            if !hasDeparted[destination] { send(message, to: destination) }
        case .toAll(let message):
            if message.kind == .collective { note(collective: message.operation, of: 0) }
            sendToAll(message)
        case .collective(let number): note(collective: number, of: 0)
        case .feed(let operation, let part):
            change(operation) { (loop) throws(ScheduleViolation) in try loop.feed(part, &actions) }
        case .deliver(let operation, let run): put(run, operation)
        case .skip(let operation, let done): skips[operation] = done
        case .close(let operation):
            change(operation) { (loop) throws(ScheduleViolation) in try loop.close(&actions) }
        case .cancel(let operation):
            cancel(operation)
        case .halt(let moment): haltMoment = isHalted ? nil : min(moment, haltMoment ?? moment)
        case .rootHasFinished: finishRoot()
        case .end(let end): finish(end)
        case .lost(let rank, let reason): if !hasDeparted[rank] { miss(rank, reason) }
        case .late(let entry): decide(entry)
        case .limit(let limit, let allowsSetup):
            reportWatch = limit.map { ReportWatch(limit: $0, allowsSetup: allowsSetup, now: dlp_now()) }
        case .allowReturns: allowsReturns = true
        case .resume: resume()
        case .stop: break
        }
    }

    /// Lets every rank finish what it has begun, and begin no more, once it is time for that.
    private func haltIfDue() {
        guard let moment = haltMoment, dlp_now() >= moment else { return }
        haltMoment = nil
        isHalted = true
        shared.inbox.update { $0.isHalted = true }
        sendToAll(Message(.halt))
        for rank in lateRanks where !hasDeparted[rank] { send(Message(.halt), to: rank) }
        for operation in loops.keys {
            change(operation) { (loop) throws(ScheduleViolation) in try loop.halt(&actions) }
        }
    }

    /// Does without ranks that have examples but do not report on them, or do not send their results.
    private func loseSilentRanks() {
        guard let moment = reportWatch?.deadline, dlp_now() >= moment else { return }
        let overdue = reportWatch?.overdue(at: dlp_now()) { communicator.byteCount(from: $0) } ?? []
        for (rank, reason) in overdue where !hasDeparted[rank] && end == nil {
            distrusted.insert(rank)
            lose(rank, reason)
            communicator.drop(rank)
        }
    }

    /// The root's script has ended: whatever needs the root's part in it is an error, whether it came before or comes
    /// after.
    private func finishRoot() {
        rootHasFinished = true
        let waiting: Fault? = shared.inbox.withLock { inbox in
            for (rank, messages) in inbox.collectives.enumerated() {
                // A message that only announces a wait may be one whose wait is over.
                guard let message = messages.first(where: { $0.count == 0 }) else { continue }
                return .absence(of: 0, missedBy: rank, in: message)
            }
            return nil
        }
        if let waiting { return finish(.fault(waiting)) }
        for (operation, loop) in zip(loops.keys, loops.values) where loop.options.results == .stream {
            if loop.isAwaiting(0) { return missRoot(nil, "begins a loop whose results rank 0 is to get") }
            // The root has taken what it wanted of it.
            cancel(operation)
        }
        leaveLoops(0)
        takeWithoutRoot()
        sendToAll(Message(.goodbye))
        shared.inbox.update { $0.isRootMissed = false }
    }

    /// A rank counts on the root, whose script has ended.
    func missRoot(_ source: Int?, _ what: String) {
        finish(
            .fault(
                Fault(
                    phase: .communication,
                    message: "\(source.map { "rank \($0)" } ?? "a rank") \(what), but rank 0 has finished its script",
                    rank: source ?? 0, host: HostName.current)))
    }

    func cancel(_ operation: UInt64) {
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
        if distrusted.contains(source) { return }
        if takeFromReturning(message, source) { return }
        switch message.kind {
        case .givenUp: givenUp(message, from: source)
        case .done, .part, .failed, .leave, .length, .results, .delivered, .retire:
            if !unprovenRanks.isEmpty { unprovenRanks.remove(source) }
            guard message.operation <= newestLoop else {
                return distrust(source, "reported on a loop that no rank has begun")
            }
            report(message, from: source)
        case .enter where isLate(source): enterLate(message, from: source)
        case .enter: enter(message, from: source)
        case .begin: begin(message, from: source)
        case .collective: collective(message, from: source)
        case .fault:
            guard let fault = Fault(encoded: message.body) else {
                return distrust(source, "sent a report that cannot be read")
            }
            finish(.fault(fault))
        case .exit:
            let example = message.first > 0 ? Int(clamping: message.first) : nil
            finish(.exit(status: Int32(clamping: message.count), rank: source, example: example))
        case .goodbye: depart(source)
        case .assign, .deliver, .end, .list, .halt, .stop, .welcome, .offer, .refusal:
            distrust(source, "sent a message that only rank 0 sends")
        }
    }

    private func collective(_ message: Message, from source: Int) {
        guard !isLate(source) else {
            return distrust(source, "calls a collective although it came late")
        }
        note(collective: message.operation, of: source)
        guard !rootHasFinished else {
            // A rank that only says what it waits for has got it already, or learns from the goodbye that it will not.
            if message.count == 0 { finish(.fault(.absence(of: 0, missedBy: source, in: message))) }
            return
        }
        shared.inbox.update { $0.collectives[source].append(message) }
    }

    private func depart(_ source: Int) {
        guard !hasDeparted[source] else { return }
        markAsDeparted(source)
        if retiredRanks.contains(source), end == nil { observer.rankLeft(source, host: hosts[source] ?? "unknown") }
        leaveLoops(source)
        noteSolitude()
    }

    /// Nothing more comes from a rank, and nobody waits for it.
    private func markAsDeparted(_ rank: Int) {
        hasDeparted[rank] = true
        returningRanks.remove(rank)
        // Nobody waits for the end of one that came late.
        guard !isLate(rank) else { return }
        shared.inbox.update { inbox in
            inbox.hasDeparted[rank] = true
            inbox.departed += 1
        }
    }

    /// A rank that had been lost is there again.
    func markAsPresent(_ rank: Int) {
        hasDeparted[rank] = false
        shared.inbox.update { inbox in
            inbox.lostRanks.remove(rank)
            inbox.hasDeparted[rank] = false
            inbox.departed -= 1
        }
    }

    /// A rank has finished its script; it takes no part in any loop from now on.
    private func leaveLoops(_ rank: Int) {
        for operation in loops.keys { leaveLoop(operation, rank) }
    }

    func leaveLoop(_ operation: UInt64, _ rank: Int) {
        change(operation) { (loop) throws(ScheduleViolation) in try loop.depart(rank, &actions) }
    }

    private func lost(_ rank: Int, _ reason: String) {
        guard !hasDeparted[rank], end == nil else { return }
        // Nothing of the job's was with a late rank that has not begun.
        guard !isLate(rank) || hosts[rank] != nil else { return markAsDeparted(rank) }
        let death = observer.explainLoss(of: rank)
        lose(rank, death ?? reason)
        if death == nil { awaitReturn(of: rank) }
    }

    /// Whether the others can go on without `rank`: in a job that says so; in a script as long as that is in a loop whose
    /// results are with rank 0, and has taken part in no other.
    func canLose(_ rank: Int) -> Bool {
        if jobCanLoseRanks { return true }
        guard !ownersOfResults.contains(rank) else { return false }
        let begins = waitingForRoot.values.joined().first { $0.source == rank && !$0.hasLeft }
        if let begins { return begins.options.canLoseRanks }
        return loops.values.contains { $0.options.canLoseRanks && $0.isActive(rank) }
    }

    /// A rank is gone, or is to be: others do what it had, where the job can do without it.
    func lose(_ rank: Int, _ cause: String) {
        guard canLose(rank) else { return miss(rank, cause) }
        noteLoss(of: rank, cause)
        loseFromLoops(rank, host: host(of: rank) ?? "unknown", cause: cause)
    }

    /// Tells of a rank that is gone, and without which the job goes on.
    func noteLoss(of rank: Int, _ cause: String) {
        let isDone = loops.values.allSatisfy(\.isFinished)
        observer.rankWasLost(
            rank, host: host(of: rank) ?? "unknown", cause: cause, isDone ? .none : isHalted ? .leftUndone : .redone)
        markAsDeparted(rank)
        shared.inbox.update { _ = $0.lostRanks.insert(rank) }
    }

    /// The job cannot go on without a rank.
    private func miss(_ rank: Int, _ cause: String) {
        let place = host(of: rank).map { " (host \($0))" } ?? ""
        finish(
            .fault(
                Fault(
                    phase: .communication, message: "lost rank \(rank)\(place): \(cause)", rank: rank,
                    host: HostName.current, status: 3)))
    }

    /// A rank's host: what it has said itself or, before it has, what the transport knows.
    func host(of rank: Int) -> String? { hosts[rank] ?? communicator.host(of: rank) }

    /// The job ends early: the main thread learns of it, and is watched from now on.
    func finish(_ reason: JobEnd) {
        guard end == nil else { return }
        end = reason
        stuckDeadline = dlp_now() + Self.grace
        shared.inbox.update { $0.end = reason }
        observer.jobEnds(reason)
    }

    func protocolFault(_ rank: Int, _ what: String) -> Fault {
        Fault(
            phase: .communication, message: "rank \(rank) \(what): is the same dlp-lua started on every rank?",
            rank: rank, host: HostName.current, status: 3)
    }

    func send(_ message: Message, to destination: Int) {
        do { try communicator.send(message, to: destination) } catch { fail(error) }
    }

    func sendToAll(_ message: Message) {
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
