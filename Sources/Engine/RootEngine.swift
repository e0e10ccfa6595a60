import Scheduling
import SystemSupport

/// Drives the schedules on the root: handles the messages of ranks, the commands of the main thread, and the time.
///
/// Each event is one call. Its effects go out through the communicator, to the main thread's inbox and to the observer.
/// The engine has no thread, waits for nothing and reads no clock: `now` is the time. Messages are handled alike,
/// whether they come from a worker or from the main thread in its role as worker 0; messages for worker 0 go to the
/// inbox instead of a connection.
final class RootEngine {
    let communicator: any Communicator
    let shared: RootShared
    let observer: any JobObserver
    /// The time, in nanoseconds of the monotonic clock; set by the code that brings the events.
    var now: UInt64
    var loops = LoopTable<ServedLoop>()
    var newestLoop: UInt64 = 0
    /// The highest number of a loop that every rank has left or left out, and that has been forgotten.
    var latestForgottenLoop: UInt64 = 0
    /// The ranks that wait for the root in loops that scripts begin; and the latest collective that each rank is known
    /// to be at.
    var waitingForRoot = LoopTable<[LoopWish]>()
    var latestCollectives: [UInt64]
    /// Whether the user knows that ranks had different lists.
    var hasToldOfLists = false
    /// Whether the user knows that rank 0 does a loop alone.
    var hasToldOfSolitude = false
    /// How far the newest loop is.
    var progress: LoopProgress?
    /// The ranks that died in a loop which could go on without them.
    private(set) var lostRanks: Set<Int> = []
    /// Which ranks have finished their script, or died.
    ///
    /// Those that came late stand behind those of the start.
    var hasDeparted: [Bool]
    /// The hosts of the ranks, once they have taken part in a loop.
    var hosts: [String?]
    /// How many ranks are on this host.
    var ranksHere = 0
    /// When each rank was given the examples that it works on, or last reported on them.
    var newsTimes: [UInt64] = []
    var rootHasFinished = false
    /// Why the job ends early, once it does.
    private(set) var end: JobEnd?
    /// Lost ranks of which the launcher may still say how they ended: the reason that their connections give, and until
    /// when the launcher is asked.
    private var unexplained: [Int: (reason: String, deadline: UInt64)] = [:]
    /// Whether hand-out pauses until the main thread has taken its results, and the actions that are held until then.
    var isPaused = false
    var held: [(loop: ServedLoop, action: ScheduleAction)] = []
    /// Examples that failed and are to be tried again.
    var delays = RetryDelays()
    /// Whether the loop of a job has begun that can do without a rank that dies; it is the only one of its job.
    var jobCanLoseRanks = false
    /// Ranks on which the script itself handles the elements, in the body of a loop: their results die with them.
    var ownersOfResults: Set<Int> = []
    /// The elements that are done already of loops that rank 0 is about to begin.
    var skips: [UInt64: [Range<Int>]] = [:]
    /// The known costs of the elements of such loops.
    var orders: [UInt64: [Double]] = [:]
    /// Ranks that have sent impossible messages, or were given up: what they still send is ignored.
    var distrusted: Set<Int> = []
    /// Ranks that were told, before the others, that the job is over: they are not waited for.
    private var dismissedRanks: Set<Int> = []
    /// Whether lost ranks may come back; which are awaited; and which have come back, but not yet finished what they
    /// had.
    var allowsReturns = false
    var awaitedReturns: Set<Int> = []
    var returningRanks: Set<Int> = []
    /// The ranks that have reported on nothing new since they came back: if lost once more they are not awaited.
    var unprovenRanks: Set<Int> = []
    /// Notices ranks that do not report on their examples, where these have a limit.
    var reportWatch: ReportWatch?
    /// When to begin no more examples, and whether that moment has passed.
    private var haltMoment: UInt64?
    private(set) var isHalted = false
    /// How workers that come late are treated, which of them wait to learn it, and which ranks have retired.
    var lateEntry = LateEntry.undecided
    var waitingLateRanks: [Int] = []
    var retiredRanks: Set<Int> = []
    /// When the main thread counts as stuck, if it has not ended by then.
    private var stuckDeadline: UInt64?

    /// How long the main thread may take to end once the job has: it may be deep in a C function.
    private static let grace: UInt64 = 2_000_000_000
    /// How long the launcher may take to notice that a rank has ended, after its connection has, and how often to ask it.
    private static let explanationTime: UInt64 = 500_000_000
    private static let explanationInterval: UInt64 = 5_000_000

    init(_ communicator: any Communicator, _ shared: RootShared, _ observer: any JobObserver, now: UInt64) {
        self.communicator = communicator
        self.shared = shared
        self.observer = observer
        self.now = now
        hasDeparted = Array(repeating: false, count: communicator.size)
        hosts = Array(repeating: nil, count: communicator.size)
        latestCollectives = Array(repeating: 0, count: communicator.size)
    }

    // MARK: - Time

    /// When the engine wants to be told the time, whatever else happens; nil: it need not be.
    var deadline: UInt64? {
        var deadline = delays.next
        for moment in [haltMoment, stuckDeadline, reportWatch?.deadline, nextQuestion] {
            if let moment { deadline = min(moment, deadline ?? .max) }
        }
        return deadline
    }

    /// Does what is due by now; to be called after other events, too.
    ///
    /// - Returns: whether the main thread has not ended although the job has, and is not waited for any longer.
    func advance() -> Bool {
        retryDue()
        haltIfDue()
        explainLosses()
        loseSilentRanks()
        observer.loopChanged(progress)
        guard let moment = stuckDeadline, now >= moment else { return false }
        stuckDeadline = nil
        return true
    }

    // MARK: - The main thread

    /// Handles a command of the main thread, or of another thread of the root.
    func handle(_ command: RootShared.Command) {
        switch command {
        case .message(let message): handle(message, from: 0)
        case .collective(let message, let source):
            note(collective: message.number, of: 0)
            if source == 0 {
                sendToAll(.collective(message))
            } else {
                for rank in 1..<communicator.size where rank != source && !hasDeparted[rank] {
                    send(.collective(message), to: rank)
                }
            }
        case .rootIsAt(let number): note(collective: number, of: 0)
        case .feed(let loop, let part): change(loop) { (loop) throws(ScheduleViolation) in try loop.feed(part) }
        case .deliver(let loop, let run):
            put(run, loop)
            // The thread that makes examples may have waited for it.
            change(loop) { (loop) throws(ScheduleViolation) in try loop.update() }
        case .skip(let loop, let done): skips[loop] = done
        case .order(let loop, let costs): orders[loop] = costs
        case .close(let loop): change(loop) { (loop) throws(ScheduleViolation) in try loop.close() }
        case .cancel(let loop): cancel(loop)
        case .abandon(let loop): abandon(loop)
        case .allow(let loop, let end):
            change(loop) { (loop) throws(ScheduleViolation) in try loop.allow(below: end) }
        case .halt(let moment): haltMoment = isHalted ? nil : min(moment, haltMoment ?? moment)
        case .rootHasFinished: finishRoot()
        case .end(let end): finish(end)
        case .lost(let rank, let reason): if !hasDeparted[rank] { miss(rank, reason) }
        case .late(let entry): decide(entry)
        case .limit(let limit, let allowsSetup):
            reportWatch = limit.map { ReportWatch(limit: $0, allowsSetup: allowsSetup, now: now) }
        case .allowReturns: allowsReturns = true
        case .resume: resume()
        case .tellStates(let listener): listener(rankStates)
        case .stop: break
        }
    }

    /// Lets every rank finish what it has begun, and begin no more, once it is time for that.
    private func haltIfDue() {
        guard let moment = haltMoment, now >= moment else { return }
        haltMoment = nil
        isHalted = true
        shared.inbox.update { $0.isHalted = true }
        sendToAll(.halt)
        for rank in lateRanks where !hasDeparted[rank] { send(.halt, to: rank) }
        for loop in loops.values { change(loop) { (loop) throws(ScheduleViolation) in try loop.halt() } }
    }

    /// Gives up ranks that have examples but do not report on them, or do not send their results.
    private func loseSilentRanks() {
        guard let moment = reportWatch?.deadline, now >= moment else { return }
        let overdue = reportWatch?.overdue(at: now) { communicator.byteCount(from: $0) } ?? []
        for (rank, reason) in overdue where !hasDeparted[rank] && end == nil {
            distrusted.insert(rank)
            lose(rank, reason)
            communicator.drop(rank)
        }
    }

    /// The root's script has ended: every message that needs the root's part in the script is an error, whether it came
    /// before or comes after.
    private func finishRoot() {
        rootHasFinished = true
        let waiting: Fault? = shared.inbox.withLock { inbox in
            for (rank, messages) in inbox.collectives.enumerated() {
                // An announcement may be about a wait that is over.
                guard let message = messages.first(where: { !$0.isAnnouncement }) else { continue }
                return .absence(of: 0, missedBy: rank, in: message)
            }
            return nil
        }
        if let waiting { return finish(.fault(waiting)) }
        for loop in loops.values where loop.options.results == .stream {
            if loop.isAwaiting(0) { return missRoot(nil, "begins a loop whose results rank 0 is to get") }
            // The root has taken all that it wanted of the loop.
            cancel(loop.number)
        }
        leaveLoops(0)
        takeWithoutRoot()
        sendToAll(.goodbye)
        shared.inbox.update { $0.isRootMissed = false }
    }

    /// A rank needs the root, whose script has ended.
    func missRoot(_ source: Int?, _ what: String) {
        finish(
            .fault(
                Fault(
                    phase: .communication,
                    message: "\(source.map { "rank \($0)" } ?? "a rank") \(what), but rank 0 has finished its script",
                    rank: source ?? 0, host: HostName.current)))
    }

    private func cancel(_ number: UInt64) {
        change(number) { (loop) throws(ScheduleViolation) in try loop.cancel() }
        let isDrained = shared.inbox.withLock { inbox in
            inbox.drop(number)
            guard inbox.isPaused, inbox.backlog < RootInbox.backlogLimit / 2 else { return false }
            inbox.isPaused = false
            return true
        }
        if isDrained { resume() }
    }

    /// Ends the loop of a job before all is done.
    ///
    /// No loop comes after it, so a rank that works on it is told that the job is over: it gives up its work as soon as
    /// it notices.
    private func abandon(_ number: UInt64) {
        cancel(number)
        allowsReturns = false
        for rank in awaitedReturns { communicator.drop(rank) }
        awaitedReturns = []
        guard let loop = loops[number] else { return }
        for rank in hasDeparted.indices.dropFirst() where !hasDeparted[rank] && loop.isActive(rank) {
            reportWatch?.reported(rank, isIdle: true)
            unexplained[rank] = nil
            send(.stop(status: 0, isEarly: true), to: rank)
            communicator.dismiss(rank)
            dismissedRanks.insert(rank)
            markAsDeparted(rank)
            change(loop) { (loop) throws(ScheduleViolation) in try loop.depart(rank) }
        }
    }

    // MARK: - What ranks say

    /// A rank has sent a message.
    func receive(_ message: Message, from source: Int) {
        if distrusted.contains(source) { return }
        do throws(ImpossibleMessage) { handle(try ToRoot(message, from: source), from: source) } catch {
            distrust(source, error.clause)
        }
    }

    private func handle(_ message: ToRoot, from source: Int) {
        // Its last reports may have been under way.
        if dismissedRanks.contains(source) { return }
        if !returningRanks.isEmpty, takeFromReturning(message, source) { return }
        switch message {
        case .done(let loop, let report): done(report, in: loop, from: source)
        case .failed(let loop, let report, let fault): failed(report, fault, in: loop, from: source)
        case .traces(let loop, let report): observer.examplesWereTraced(report, of: loop, by: source)
        case .results(let loop, let run): results(run, in: loop, from: source)
        case .delivered(let loop): delivered(in: loop, from: source)
        case .retire(let loop): retire(loop, source)
        case .leave(let loop) where loop > newestLoop: distrust(source, "reported on a loop that no rank has begun")
        case .leave(let loop): leave(loop, source)
        case .length(let loop, let count): length(count, of: loop, from: source)
        case .givenUp(let example, let fault): givenUp(example, fault, from: source)
        case .enter(let loop, let entry): enter(loop, entry, from: source)
        case .resume: distrust(source, "returned although it had not been lost")
        case .collective(let message): collective(message, from: source)
        case .fault(let fault): finish(.fault(fault))
        case .exit(let status, let example): finish(.exit(status: status, rank: source, example: example))
        case .goodbye: depart(source)
        }
    }

    private func collective(_ message: CollectiveMessage, from source: Int) {
        guard !isLate(source) else {
            return distrust(source, "calls a collective although it came late")
        }
        note(collective: message.number, of: source)
        guard !rootHasFinished else {
            // A rank that only announces its wait has got the answer already, or learns from the goodbye that none will
            // come.
            if !message.isAnnouncement { finish(.fault(.absence(of: 0, missedBy: source, in: message))) }
            return
        }
        shared.inbox.update { $0.collectives[source].append(message) }
    }

    // MARK: - Ranks that go

    private func depart(_ source: Int) {
        guard !hasDeparted[source] else { return }
        markAsDeparted(source)
        if retiredRanks.contains(source), end == nil { observer.rankLeft(source, host: hosts[source] ?? "unknown") }
        leaveLoops(source)
        noteSolitude()
    }

    /// Notes that nothing more comes from a rank, so that it is not waited for.
    private func markAsDeparted(_ rank: Int) {
        hasDeparted[rank] = true
        returningRanks.remove(rank)
        // The end of a rank that came late is not waited for.
        guard !isLate(rank) else { return }
        shared.inbox.update { inbox in
            inbox.hasDeparted[rank] = true
            inbox.departed += 1
        }
    }

    /// Notes that a lost rank is connected again.
    func markAsPresent(_ rank: Int) {
        hasDeparted[rank] = false
        lostRanks.remove(rank)
        shared.inbox.update { inbox in
            inbox.lostRanks = lostRanks
            inbox.hasDeparted[rank] = false
            inbox.departed -= 1
        }
    }

    /// A rank has finished its script; it takes no part in any loop from now on.
    private func leaveLoops(_ rank: Int) {
        for loop in loops.values { change(loop) { (loop) throws(ScheduleViolation) in try loop.depart(rank) } }
    }

    /// The connection with a rank has ended.
    func lost(_ rank: Int, _ reason: String) {
        guard !hasDeparted[rank], end == nil else { return }
        // A late rank that has not begun had no part of the job.
        guard !isLate(rank) || hosts[rank] != nil else { return markAsDeparted(rank) }
        unexplained[rank] = (reason, now + Self.explanationTime)
        explainLosses()
        if unexplained[rank] != nil { for loop in loops.values { loop.suspend(rank) } }
    }

    /// When to ask the launcher again how ranks have ended.
    private var nextQuestion: UInt64? { unexplained.isEmpty ? nil : now + Self.explanationInterval }

    /// Asks the launcher how lost ranks have ended.
    ///
    /// Gives up those for which it knows the answer, never will, or has not answered in time.
    private func explainLosses() {
        guard !unexplained.isEmpty else { return }
        for rank in unexplained.keys.sorted() {
            guard let (reason, deadline) = unexplained[rank] else { continue }
            switch observer.explainLoss(of: rank) {
            case .known(let death):
                unexplained[rank] = nil
                if !hasDeparted[rank], end == nil { lose(rank, death) }
            case .pending where now < deadline: continue
            case .pending, .unknown:
                unexplained[rank] = nil
                guard !hasDeparted[rank], end == nil else { continue }
                lose(rank, reason)
                awaitReturn(of: rank)
            }
        }
    }

    /// Whether the others can go on without `rank`.
    ///
    /// In a job: where its options say so. In a script: as long as the rank is in a loop whose results are with rank 0,
    /// and has taken part in no loop of another kind.
    func canLose(_ rank: Int) -> Bool {
        if jobCanLoseRanks { return true }
        guard !ownersOfResults.contains(rank) else { return false }
        let begins = waitingForRoot.values.joined().first { $0.source == rank && !$0.hasLeft }
        if let begins { return begins.entry.options.canLoseRanks }
        return loops.values.contains { $0.options.canLoseRanks && $0.isActive(rank) }
    }

    /// A rank is gone, or is given up.
    ///
    /// Others do its examples where the job can go on without it; otherwise the job ends.
    func lose(_ rank: Int, _ cause: String) {
        guard canLose(rank) else { return miss(rank, cause) }
        noteLoss(of: rank, cause)
        loseFromLoops(rank, host: host(of: rank) ?? "unknown", cause: cause)
    }

    /// Tells the observer of a rank that is gone, and without which the job goes on.
    func noteLoss(of rank: Int, _ cause: String) {
        let isDone = loops.values.allSatisfy(\.isFinished)
        observer.rankWasLost(
            rank, host: host(of: rank) ?? "unknown", cause: cause, isDone ? .none : isHalted ? .leftUndone : .redone)
        markAsDeparted(rank)
        lostRanks.insert(rank)
        shared.inbox.update { $0.lostRanks = lostRanks }
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
        stuckDeadline = now + Self.grace
        shared.inbox.update { $0.end = reason }
        observer.jobEnds(reason)
    }

    func protocolFault(_ rank: Int, _ what: String) -> Fault {
        Fault(
            phase: .communication, message: "rank \(rank) \(what): is the same dlp-lua started on every rank?",
            rank: rank, host: HostName.current, status: 3)
    }

    // MARK: - Sending

    func send(_ message: ToWorker, to destination: Int) {
        do { try communicator.send(Message(toWorker: message), to: destination) } catch { fail(error) }
    }

    /// To all ranks of the start.
    func sendToAll(_ message: ToWorker) {
        do { try communicator.sendToAll(Message(toWorker: message)) } catch { fail(error) }
    }

    /// The transport itself has failed.
    func fail(_ error: CommunicationError) {
        finish(
            .fault(
                Fault(
                    phase: .communication, message: error.description, rank: 0, host: HostName.current, status: 3)))
    }

    // MARK: - The end

    /// Tells the other ranks that the job is over.
    ///
    /// - Returns: whether that is before all have finished, and whether one of them is not waited for.
    func stop(status: Int32) -> (isEarly: Bool, isAbandoning: Bool) {
        // A rank that was given up although it may still be there does not take part in a common end.
        let isEarly =
            end != nil || !rootHasFinished || !distrusted.isEmpty
            || hasDeparted[..<communicator.size].dropFirst().contains(false)
        let stop = ToWorker.stop(status: status, isEarly: isEarly)
        try? communicator.sendToAll(Message(toWorker: stop))
        for rank in lateRanks where !hasDeparted[rank] { try? communicator.send(Message(toWorker: stop), to: rank) }
        let silent = end == nil && rootHasFinished ? (1..<communicator.size).filter { !hasDeparted[$0] } : []
        for rank in silent { observer.rankIsSilent(rank, host: host(of: rank) ?? "unknown", isDone: !isHalted) }
        return (isEarly, !silent.isEmpty || !distrusted.isEmpty)
    }
}
