import CSystem
public import DLP
import Glibc

/// A worker of an AME job: connected with rank 0 only.
///
/// It belongs to one thread, which sleeps while it waits, also where it waits for the socket to take a message. Other
/// threads may only send a last message.
public final class AMEWorker: Communicator {
    /// This rank, from 1.
    public let rank: Int
    /// How many ranks the job began with.
    public let size: Int

    private var socket: Socket
    private let eventWaker: EventWaker
    private var reader: FrameReader
    private let outlet: Outlet
    private let renewal: Renewal
    /// Whether the connection has been renewed, and `receive` has not reported that yet.
    private var hasReturned = false
    /// Whether a broken connection is renewed; and reports that the root may not have received in that case.
    private var mayReturn = false
    private var unconfirmed = Unconfirmed()
    private let scratch = Scratch()
    private var received = Queue<Message>()
    /// Why nothing more comes from the root, and whether `receive` has said so.
    private var ending: String?
    private var hasDeliveredEnding = false
    private var liveness = Liveness()
    private var debt = Liveness.Debt()
    private var watch: HangupWatch?

    /// Connects with rank 0, which may start later than this.
    ///
    /// - Parameter connectTimeout: how long to try, in nanoseconds.
    /// - Throws: `CommunicationError` where rank 0 does not answer in time or refuses this rank.
    /// - Precondition: `environment.rank` is not 0.
    public init(environment: AMEEnvironment, connectTimeout: UInt64) throws(CommunicationError) {
        precondition(environment.rank != 0, "AMEWorker is for ranks other than 0")
        rank = environment.rank
        size = environment.size
        eventWaker = try EventWaker()
        let link = try Connector.connect(environment, within: connectTimeout)
        renewal = Renewal(environment)
        socket = link.socket
        reader = FrameReader(link)
        outlet = Outlet(link)
    }

    /// Joins a job that has begun, as a rank beyond its size; the connection is encrypted.
    ///
    /// - Parameters:
    ///   - endpoint: where it takes workers that come late; see `JoinDoor`.
    ///   - key: that of the door.
    ///   - connectTimeout: how long to try, in nanoseconds.
    /// - Throws: `CommunicationError` where this process is not let in.
    public init(
        joining endpoint: AMEEnvironment.Endpoint, key: JobKey, connectTimeout: UInt64
    ) throws(CommunicationError) {
        let deadline = Deadline.after(connectTimeout)
        eventWaker = try EventWaker()
        var environment = AMEEnvironment(rank: 0, size: 0, endpoints: [endpoint], key: key)
        environment.encryption = .everywhere
        let link = try Connector.connect(environment, isLate: true, within: connectTimeout)
        renewal = Renewal(environment)
        socket = link.socket
        reader = FrameReader(link)
        outlet = Outlet(link)
        while received.isEmpty {
            guard socket.wait(for: POLLIN, until: deadline) else {
                throw CommunicationError("the job at \(endpoint) does not answer; try again")
            }
            var messages: [Message] = []
            let reception = reader.receive(through: scratch) { messages.append($0) }
            for message in messages { received.append(message) }
            if case .ended(let reason) = reception, messages.isEmpty {
                throw CommunicationError("lost the connection to the job at \(endpoint): \(reason)")
            }
        }
        guard let welcome = received.popFirst(), case .welcome(let rank, let size)? = try? ToWorker(welcome), size > 0,
            rank >= size
        else {
            throw CommunicationError("the job at \(endpoint) does not say which rank this is: start the same dlp-lua")
        }
        (self.rank, self.size) = (rank, size)
    }

    deinit { watch?.stop() }

    /// Lets other threads interrupt `receive`.
    public var waker: any Waker { eventWaker }

    /// Sends a message, waiting until the socket has taken it.
    ///
    /// Where the root has gone but something from it, perhaps its last message, waits to be received, the message to be
    /// sent is dropped without an error, so that the waiting one is received first.
    ///
    /// - Throws: `CommunicationError` where the root has gone.
    public func send(_ message: Message, to destination: Int) throws(CommunicationError) {
        guard destination == 0 else {
            throw CommunicationError("rank \(rank) is connected with rank 0 only, not with rank \(destination)")
        }
        if mayReturn, Unconfirmed.isReport(message) { unconfirmed.append(message, after: socket) }
        guard let failure = ending ?? transmit(message) else { return }
        if comesBack() {
            // Reports have been sent again by now.
            if [.goodbye, .fault, .exit].contains(message.kind) { try send(message, to: 0) }
            return
        }
        try fail(failure)
    }

    /// - Returns: why the message cannot be sent, or nil where it was.
    private func transmit(_ message: Message) -> String? {
        outlet.send(message) {
            let isWritable = socket.wait(for: POLLOUT, until: socket.isLocal ? Deadline(nil) : liveness.nextCheck)
            return isWritable || !isRootLost()
        }
    }

    /// From now on a connection that breaks is renewed, by the thread of `watchHangup`; nil: no longer.
    ///
    /// What the root had sent is void then, and reports that it may not have received are sent again.
    public func allowReturn(within limit: UInt64?) {
        mayReturn = limit != nil && !socket.isLocal
        renewal.allow(within: mayReturn ? limit : nil)
        if !mayReturn { unconfirmed = Unconfirmed() }
    }

    /// Waits until the broken connection has been renewed; false where it is not.
    private func comesBack() -> Bool {
        // The root's last message may be there already.
        while ending == nil, receiveOnce() {}
        guard watch != nil, received.first(where: { $0.kind == .stop }) == nil else { return false }
        // The thread that watches the connection only notices its end, not data that cannot be read: so it is ended
        // here.
        if mayReturn, dlp_wait_hangup(socket.descriptor, -1, 0) == 0 { socket.shutDown() }
        while let link = renewal.next() {
            ending = nil
            socket = link.socket
            reader = FrameReader(link)
            outlet.change(to: link)
            (liveness, debt) = (Liveness(), Liveness.Debt())
            received = Queue()
            hasReturned = true
            if unconfirmed.messages.allSatisfy({ transmit($0) == nil }) { return true }
        }
        return false
    }

    /// Sends a last message from any thread, and returns when the root's host has it, or after a while.
    public var sendLast: (@Sendable (Message) -> Void)? {
        { [outlet] message in outlet.sendLast(message) }
    }

    /// Waits, asleep, for the next delivery: until `deadline`, in nanoseconds of the monotonic clock, or without limit.
    ///
    /// - Throws: `CommunicationError` once the loss of the root has been delivered.
    public func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery {
        let deadline = Deadline(deadline)
        while true {
            if hasReturned {
                hasReturned = false
                return .returned(rank: rank)
            }
            if let message = received.popFirst() { return .message(message, from: 0) }
            if let ending {
                if !hasDeliveredEnding, comesBack() { continue }
                guard !hasDeliveredEnding else {
                    throw CommunicationError("the connection with rank 0 is over: \(ending)")
                }
                hasDeliveredEnding = true
                return .lost(rank: 0, reason: ending)
            }
            let hasPassed = deadline.hasPassed
            let limit = socket.isLocal ? deadline : Deadline.earlier(deadline, liveness.nextCheck)
            switch wait(until: limit) {
            case .waker:
                eventWaker.reset()
                return .woken
            case .socket: receiveOnce()
            case .failed(let reason): ending = reason
            case .neither where hasPassed: return .timedOut
            case .neither: if isRootLost() { ending = Liveness.reason }
            }
        }
    }

    /// Calls `action` once, on a thread of its own, when the root has gone.
    ///
    /// A rank that is deep in a computation does not receive and would learn of it only afterwards. The thread sleeps in
    /// `poll` and asks for nothing but the end of the connection; it never reads or writes, so the transport still
    /// belongs to one thread. An earlier watch ends. The root's orderly end of the job counts as well.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    public func watchHangup(_ action: @escaping @Sendable () -> Void) throws(CommunicationError) {
        stopWatching()
        watch = try HangupWatch(socket, renewal: renewal, action: action)
    }

    /// Ends what `watchHangup` began; an action that runs already is waited for.
    public func stopWatching() {
        watch?.stop()
        watch = nil
    }

    /// Closes the connection, once rank 0's host has what was sent or `deadline` has passed.
    public func close(until deadline: UInt64?) {
        stopWatching()
        let deadline = Deadline(deadline)
        // Closing a socket that has unread data discards what is still on its way to the peer.
        while !socket.isDelivered, !deadline.hasPassed {
            let hasFailed = socket.wait(for: 0, until: Deadline.earlier(deadline, .after(1_000_000)))
            if hasFailed { break }
        }
        socket.shutDown()
        ending = "this rank has closed it"
        hasDeliveredEnding = true
    }

    private enum Readiness {
        case waker
        case socket
        case neither
        /// Waiting for the connection is impossible, for this reason: a clause.
        case failed(String)
    }

    private func wait(until deadline: Deadline) -> Readiness {
        var watched = [
            pollfd(fd: eventWaker.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let count = poll(&watched, 2, deadline.milliseconds)
        if count < 0, errno != EINTR, errno != ENOMEM {
            return .failed("the system refuses to wait for it: \(systemMessage(errno))")
        }
        guard count > 0 else { return .neither }
        return watched[0].revents != 0 ? .waker : .socket
    }

    /// Receives what one call brings; false where it brings nothing.
    @discardableResult
    private func receiveOnce() -> Bool {
        switch reader.receive(through: scratch, emit: { received.append($0) }) {
        case .some: return true
        case .nothing: return false
        case .ended(let reason):
            ending = reason
            return false
        }
    }

    private func isRootLost() -> Bool {
        guard !socket.isLocal, liveness.isDue(), debt.isOverdue(socket.descriptor) else { return false }
        socket.giveUp()
        return true
    }

    /// Keeps what the root sent before it went, and throws where that is nothing.
    private func fail(_ reason: String) throws(CommunicationError) {
        while ending == nil, receiveOnce() {}
        let why = ending ?? reason
        ending = why
        if received.isEmpty { throw CommunicationError("rank 0 is lost: \(why)") }
    }
}
