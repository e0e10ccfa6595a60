public import Codec
import SystemSupport

/// The root's client.
///
/// The main thread exchanges messages through two small queues with the service thread, which owns the communicator and
/// the schedules.
public final class RootClient: RankClient {
    /// This client, as the root's.
    public var role: RankRole { .root(self) }
    /// This rank, from 0.
    public let rank = 0
    /// How many ranks the job has.
    public let size: Int
    /// Counts the collectives that this rank took part in.
    public var collectives: UInt64 = 0
    /// Counts the loops that this rank entered.
    public var loops: UInt64 = 0
    /// The line of the script that calls a collective, or 0.
    public var line = 0

    private let shared: RootShared
    private var thread: ServiceThread?

    /// Starts the service thread, and returns when it has connected with the other ranks.
    ///
    /// - Parameters:
    ///   - observer: Called on that thread.
    ///   - connect: Called on that thread too, which alone owns the communicator: some transports belong to the thread
    ///     that began them.
    /// - Throws: `CommunicationError` where no thread can be started, and what `connect` throws.
    public init(
        observer: any JobObserver = NoObserver(),
        connect: @escaping @Sendable () throws(CommunicationError) -> any Communicator
    ) throws(CommunicationError) {
        let beginning = Monitor<Result<RootShared, CommunicationError>?>(nil)
        let thread = try ServiceThread {
            do throws(CommunicationError) {
                let communicator = try connect()
                let shared = RootShared(communicator)
                beginning.update { $0 = .success(shared) }
                RootThread(communicator, shared, observer).run()
            } catch { beginning.update { $0 = .failure(error) } }
        }
        do { shared = try beginning.wait { $0 }.get() } catch {
            thread.join()
            throw error
        }
        self.thread = thread
        size = shared.inbox.withLock { $0.hasDeparted.count }
    }

    /// Whether broadcast data should lie in memory that processes can share: then some ranks get it without a copy.
    public var sharesMemory: Bool { shared.sharesMemory }

    /// Hands the message to the service thread, which treats it like one from any other rank.
    public func post(_ message: ToRoot) throws(JobEnd) { shared.command(.message(message)) }

    /// Hands the root's part of a collective to the service thread, which sends it to every other rank.
    ///
    /// - Parameter source: a rank that has it already; 0 where none has.
    func send(_ message: CollectiveMessage, exceptTo source: Int = 0) {
        shared.command(.collective(message, exceptTo: source))
    }

    /// Returns the feed that gives a loop the examples sent with its work.
    public func feed(for loop: UInt64) -> LoopFeed { LoopFeed(shared: shared, loop: loop) }

    /// Says, before this rank begins the loop `loop` of its script, which of its elements are done already: these are
    /// not handed out.
    public func skip(_ done: [Range<Int>], in loop: UInt64) { shared.command(.skip(loop, done)) }

    /// Gives, before this rank begins the loop `loop` of its script, the costs of its elements.
    ///
    /// All are finite and none is less than 0. The longest elements are begun first.
    public func order(by costs: [Double], in loop: UInt64) { shared.command(.order(loop, costs)) }

    /// Ends the hand-out of a loop early; results that still come are dropped.
    public func cancel(_ loop: UInt64) { shared.command(.cancel(loop)) }

    /// Ends the loop of a job early: nothing more of it is begun, and ranks give up at once what they work on.
    ///
    /// Results that still come are dropped, and this rank has left the loop.
    public func abandon(_ loop: UInt64) {
        shared.command(.abandon(loop))
        shared.command(.message(.leave(loop: loop)))
    }

    /// In a loop with a window: the examples below `end` may be handed out, and no others.
    public func allow(below end: Int, in loop: UInt64) { shared.command(.allow(loop, below: end)) }

    /// Gives up, from now on, ranks that have an example and report on none for longer than it may take.
    ///
    /// - Parameters:
    ///   - nanoseconds: how long an example may take; nil: no rank is given up any more.
    ///   - allowsSetup: whether ranks that did not come late may take any time before their first one.
    public func limitExamples(to nanoseconds: UInt64?, allowsSetup: Bool) {
        shared.command(.limit(nanoseconds, allowsSetup: allowsSetup))
    }

    /// Takes back, from now on, ranks that were lost because their connection broke, and that connect again.
    public func allowReturns() { shared.command(.allowReturns) }

    /// Lets no rank begin another example from a moment of the monotonic clock on, in nanoseconds.
    ///
    /// Any thread may call it.
    ///
    /// What is under way is finished, unstarted examples of chunks go back, and then loops end as if all were done.
    public var halt: @Sendable (_ moment: UInt64) -> Void {
        { [shared] moment in shared.command(.halt(at: moment)) }
    }

    /// Whether no more examples are to be begun.
    public func isHalted() -> Bool { shared.inbox.withLock { $0.isHalted } }

    /// Waits for the next part of a collective from `source`.
    public func collective(
        from source: Int, announcing announcement: CollectiveMessage
    ) throws(JobEnd) -> CollectiveMessage? {
        while true {
            enum Found {
                case message(CollectiveMessage)
                case loss
                case wish
            }
            let found: Result<Found, JobEnd> = shared.inbox.wait { inbox in
                if let message = inbox.collectives[source].popFirst() { return .success(.message(message)) }
                if let end = inbox.end { return .failure(end) }
                if let place = inbox.rootIsWantedAfter, place < announcement.number {
                    inbox.rootIsWantedAfter = nil
                    return .success(.wish)
                }
                guard inbox.hasDeparted[source] else { return nil }
                if inbox.lostRanks.contains(source) { return .success(.loss) }
                return .failure(.fault(.absence(of: source, missedBy: 0, in: announcement)))
            }
            switch try found.get() {
            case .message(let message): return message
            case .loss: return nil
            case .wish: shared.command(.rootIsAt(collective: announcement.number))
            }
        }
    }

    /// Waits for what the loop `loop` wants next.
    public func event(of loop: UInt64) throws(JobEnd) -> LoopEvent {
        let found: Result<LoopEvent, JobEnd> = shared.inbox.wait { inbox in
            if let end = inbox.end { return .failure(end) }
            return inbox.popEvent(of: loop).map { .success($0) }
        }
        resumeIfDrained()
        return try found.get()
    }

    /// Lets hand-out go on once most of the results that piled up have been taken.
    private func resumeIfDrained() {
        let isDrained = shared.inbox.withLock { inbox in
            inbox.isPaused && inbox.backlog < RootInbox.backlogLimit / 2
        }
        guard isDrained else { return }
        shared.inbox.update { $0.isPaused = false }
        shared.command(.resume)
    }

    /// The next event of a loop if it is there already.
    public func eventIfAny(of loop: UInt64) throws(JobEnd) -> LoopEvent? {
        let found: Result<LoopEvent?, JobEnd> = shared.inbox.withLock { inbox in
            if let end = inbox.end { return .failure(end) }
            return .success(inbox.popEvent(of: loop))
        }
        resumeIfDrained()
        return try found.get()
    }

    /// Waits until all other ranks have finished their scripts.
    ///
    /// - Parameter patience: how many nanoseconds may pass without another rank finishing. After that the remaining
    ///   ranks are given up, and `stop` names them. Nil: any time.
    public func waitForOthers(patience: UInt64? = nil) throws(JobEnd) {
        guard size > 1 else { return }
        shared.command(.rootHasFinished)
        var departed = 0
        while true {
            let deadline = patience.flatMap { Deadline.after($0).moment }
            let found: Result<Int, JobEnd>? = shared.inbox.wait(until: deadline) { inbox in
                if let end = inbox.end { return .failure(end) }
                // The others may all have gone before the service thread has checked whether one of them needed the
                // root.
                let isOver = inbox.departed == size - 1 && !inbox.isRootMissed
                return isOver || patience != nil && inbox.departed > departed ? .success(inbox.departed) : nil
            }
            guard let found else { return }
            departed = try found.get()
            if departed == size - 1, shared.inbox.withLock({ !$0.isRootMissed }) { return }
        }
    }

    /// Ends the job early.
    ///
    /// Any thread may call it.
    public var endJob: @Sendable (JobEnd) -> Void { { [shared] end in shared.command(.end(end)) } }

    /// Ends the job because a rank has died without which the communicator cannot go on.
    ///
    /// Any thread may call it.
    public var rankIsLost: @Sendable (_ rank: Int, _ reason: String) -> Void {
        { [shared] rank, reason in shared.command(.lost(rank: rank, reason: reason)) }
    }

    /// Asks what each rank does.
    ///
    /// Any thread may call it; the answer comes on the service thread.
    public var askForStates: @Sendable (_ listener: @escaping @Sendable ([RankState]) -> Void) -> Void {
        { [shared] listener in shared.command(.tellStates(listener)) }
    }

    /// Takes in workers that come late, and those that wait already; `offer` is what they must know of the job.
    ///
    /// To be called when the loop in which they are to take part has begun.
    public func admitLateRanks(_ offer: Bytes) { shared.command(.late(.open(offer))) }

    /// Turns away workers that come late, or wait; `reason` is a clause for their users.
    public func refuseLateRanks(_ reason: String) { shared.command(.late(.closed(reason))) }

    /// Why the job ends early, where it does.
    public var end: JobEnd? { shared.inbox.withLock { $0.end } }

    /// Tells all ranks that the job is over, with its exit status, and ends the service thread.
    public func stop(status: Int32) {
        guard let thread else { return }
        shared.command(.stop(status))
        thread.join()
        self.thread = nil
        // The service thread is gone: a script that still runs, in a finalizer, must not wait for it.
        shared.inbox.update { if $0.end == nil { $0.end = .stopped(status: status) } }
    }
}
