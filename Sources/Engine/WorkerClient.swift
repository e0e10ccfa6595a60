import CSystem
public import Codec
import Scheduling
import SystemSupport

/// A worker's client: its main thread owns the communicator and does everything itself.
public final class WorkerClient: RankClient {
    /// This client, as a worker's.
    public var role: RankRole { .worker(self) }
    /// This rank, from 0.
    public var rank: Int { communicator.rank }
    /// How many ranks the job has.
    public var size: Int { communicator.size }
    /// Counts the collectives that this rank took part in.
    public var collectives: UInt64 = 0
    /// Counts the loops that this rank entered.
    public var loops: UInt64 = 0
    /// The line of the script that calls a collective, or 0.
    public var line = 0

    private let communicator: any Communicator
    /// Messages that came while another kind was waited for.
    private var waitingCollectives = Queue<CollectiveMessage>()
    private var waitingEvents = LoopTable<Queue<LoopEvent>>()
    /// The loop whose events were waited for last.
    private var latestLoop: UInt64 = 0
    private var rootHasFinished = false
    private var hasBeenHalted = false
    /// Whether the root had lost this rank, and this rank has not yet told it that it has finished what it had.
    private var hasReturned = false
    /// What the root has sent a worker that came late.
    private var offer: Bytes?
    /// Whether this worker has come late, and the only loop in which it then may take part.
    private let isLate: Bool
    private var onlyLoop: UInt64 = 0
    /// Whether the root has said that the job is over and every rank has finished.
    private var haveAllFinished = false
    /// The status with which the job is over, once the root has said so, which it does once.
    private var stopStatus: Int32?

    /// How long a rank waits for a collective before it tells the root so, in nanoseconds.
    private static let patience: UInt64 = 500_000_000
    /// How long the other ranks may take to receive this one's last messages, in nanoseconds.
    private static let grace: UInt64 = 2_000_000_000

    /// A client that owns `communicator` from now on.
    ///
    /// - Parameters:
    ///   - communicator: this rank's end of the messages.
    ///   - isLate: whether this rank joins a job that has begun.
    public init(_ communicator: any Communicator, isLate: Bool = false) {
        self.communicator = communicator
        self.isLate = isLate
    }

    /// Sends the message to the root.
    public func post(_ message: ToRoot) throws(JobEnd) {
        switch message {
        case .collective: try checkIsPunctual()
        case .enter(let loop, _) where loop != onlyLoop: try checkIsPunctual()
        default: break
        }
        do { try communicator.send(Message(toRoot: message), to: 0) } catch { throw lostRoot(error.description) }
    }

    /// Waits for the next part of a collective from the root.
    public func collective(
        from source: Int, announcing announcement: CollectiveMessage
    ) throws(JobEnd) -> CollectiveMessage? {
        try checkIsPunctual()
        var deadline: UInt64? = dlp_now() + Self.patience
        while true {
            if let message = waitingCollectives.popFirst() { return message }
            if rootHasFinished { throw .fault(.absence(of: 0, missedBy: rank, in: announcement)) }
            if try receive(until: deadline) { continue }
            try post(.collective(announcement))
            deadline = nil
        }
    }

    /// Waits for what the loop `loop` wants next.
    public func event(of loop: UInt64) throws(JobEnd) -> LoopEvent {
        while true { if let event = try event(of: loop, while: { true }) { return event } }
    }

    /// Like `event(of:)`, but returns nil when the communicator has been woken and `isWanted` is no longer true.
    public func event(of loop: UInt64, while isWanted: () -> Bool) throws(JobEnd) -> LoopEvent? {
        if loop != latestLoop {
            latestLoop = loop
            // Events of loops that this rank has left are not needed any more.
            waitingEvents.keep { number, _ in number >= loop }
        }
        while isWanted() {
            if hasReturned { return .returned }
            if let event = waitingEvents[loop, default: Queue()].popFirst() { return event }
            try receive()
        }
        return nil
    }

    /// Waits, as a worker that came late, for what it must know of the job.
    ///
    /// - Returns: nil when the communicator has been woken and `isWanted` is no longer true.
    /// - Throws: `JobEnd`, too, where the job does not take this worker.
    public func offer(while isWanted: () -> Bool) throws(JobEnd) -> Bytes? {
        while isWanted() {
            if let offer { return offer }
            try receive()
        }
        return nil
    }

    /// Takes part in `loop`, as a worker that came late; see `enterLoop`.
    public func enterLate(_ loop: UInt64, length: Int?, options: LoopOptions) throws(JobEnd) {
        onlyLoop = loop
        loops = loop - 1
        _ = try enterLoop(length: length, options: options)
    }

    /// From now on this rank connects again where its connection breaks, trying for at most `limit` nanoseconds; nil:
    /// no longer.
    public func allowReturn(within limit: UInt64?) { communicator.allowReturn(within: limit) }

    /// Calls `action` once, on another thread, when the root has ended the job while this rank is at work.
    ///
    /// Does nothing where the end of the connection shows that.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    public func watchForStop(_ action: @escaping @Sendable () -> Void) throws(CommunicationError) {
        try communicator.watchForStop(action)
    }

    /// Says, after `LoopEvent.returned`, that this rank has reported on all that it had in a loop, and takes part again.
    public func resume(_ loop: UInt64, options: LoopOptions) throws(JobEnd) {
        hasReturned = false
        try post(.resume(loop: loop, options, host: HostName.current))
    }

    /// Throws on a worker that came late: a script whose ranks communicate before the job begins has done so without
    /// it.
    private func checkIsPunctual() throws(JobEnd) {
        guard isLate else { return }
        throw .fault(
            Fault(
                phase: .communication,
                message: "its script lets all ranks communicate while it is loaded, so that nobody can join later",
                rank: rank, host: HostName.current))
    }

    /// Whether no more examples are to be begun; handles the messages that have come by now.
    public func isHalted() throws(JobEnd) -> Bool {
        while try receive(until: 0) {}
        return hasBeenHalted || hasReturned
    }

    /// Says that this rank is done and waits until the root ends the job.
    ///
    /// - Returns: the job's exit status.
    public func finish() throws(JobEnd) -> Int32 {
        try post(.goodbye)
        while true {
            do { try receive() } catch {
                if case .stopped(let status) = error { return status }
                throw error
            }
        }
    }

    /// Tells the root why this rank ends the job; a root that has gone knows already.
    public func report(_ end: JobEnd) {
        switch end {
        case .fault(let fault): try? communicator.send(Message(toRoot: .fault(fault)), to: 0)
        case .exit(let status, _, let example):
            try? communicator.send(Message(toRoot: .exit(status: status, example: example)), to: 0)
        case .interrupted, .stopped: break
        }
    }

    /// Tells the root, from any thread, that an example, from 0, does not return and that this process ends.
    ///
    /// Nil where the transport has no way.
    public var giveUp: (@Sendable (_ example: Int, Fault) -> Void)? {
        guard let send = communicator.sendLast else { return nil }
        return { example, fault in send(Message(toRoot: .givenUp(example: example, fault))) }
    }

    /// Says that this rank is done, without waiting for the others.
    public func leave() { try? communicator.send(Message(toRoot: .goodbye), to: 0) }

    /// Waits until the root ends the job, or its connection ends.
    ///
    /// - Returns: the job's exit status; nil where the root has gone, or `deadline` has passed, before it came.
    public func waitForStop(until deadline: UInt64?) -> Int32? {
        while true {
            if let stopStatus { return stopStatus }
            do {
                switch try communicator.receive(until: deadline) {
                case .message(let message, _):
                    if case .stop(let status, _)? = try? ToWorker(message) { stopStatus = status }
                case .lost, .timedOut: return nil
                case .joined, .returned, .woken: continue
                }
            } catch { return nil }
        }
    }

    /// Ends communication with the other ranks at the end of the job, whose exit status is `status`.
    public func close(status: Int32) {
        let deadline = dlp_now() + Self.grace
        if status == 0 || haveAllFinished {
            communicator.close(until: deadline)
        } else {
            communicator.abort(status: status, until: deadline)
        }
    }

    /// Handles the next delivery; false where none came until `deadline`.
    @discardableResult
    private func receive(until deadline: UInt64? = nil) throws(JobEnd) -> Bool {
        let delivery: Delivery
        do { delivery = try communicator.receive(until: deadline) } catch { throw lostRoot(error.description) }
        switch delivery {
        case .message(let message, _):
            let said: ToWorker
            do { said = try ToWorker(message) } catch { throw lostRoot("it \(error.clause)") }
            try handle(said)
        case .lost(_, let reason): throw lostRoot(reason)
        case .returned:
            hasReturned = true
            // Other ranks have been given those examples.
            waitingEvents.keep { _, _ in false }
        case .joined, .woken: break
        case .timedOut: return false
        }
        return true
    }

    private func handle(_ message: ToWorker) throws(JobEnd) {
        switch message {
        case .collective(let message): waitingCollectives.append(message)
        case .assign(let loop, let chunk, let giveBackAfter, let examples):
            note(.work(chunk, giveBackAfter: giveBackAfter, examples: examples), of: loop)
        case .elements(let loop, let list, let length): note(.list(list, length: length), of: loop)
        case .deliver(let loop): note(.deliver, of: loop)
        case .end(let loop, let length, let isCutShort):
            note(isCutShort ? .halted(length: length) : .end(length: length), of: loop)
        case .halt: hasBeenHalted = true
        case .goodbye: rootHasFinished = true
        case .stop(let status, let isEarly):
            haveAllFinished = !isEarly
            stopStatus = status
            throw .stopped(status: status)
        case .offer(let offer): self.offer = offer
        case .refusal(let reason):
            throw .fault(
                Fault(phase: .communication, message: reason, rank: rank, host: HostName.current, status: 3))
        case .welcome: break
        }
    }

    private func note(_ event: LoopEvent, of loop: UInt64) {
        waitingEvents[loop, default: Queue()].append(event)
    }

    private func lostRoot(_ reason: String) -> JobEnd {
        .fault(
            Fault(
                phase: .communication, message: "lost the connection to rank 0: \(reason)", rank: rank,
                host: HostName.current, status: 3))
    }
}
