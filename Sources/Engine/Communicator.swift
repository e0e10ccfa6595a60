/// Why ranks cannot talk to each other.
public struct CommunicationError: Error, Sendable, CustomStringConvertible {
    /// One sentence for the user: what went wrong, with whom, and what to do.
    public var description: String

    /// An error with its one sentence.
    public init(_ description: String) { self.description = description }
}

/// What `Communicator.receive` found.
public enum Delivery: Sendable {
    /// A message, and the rank that sent it.
    case message(Message, from: Int)
    /// The connection to a rank ended; nothing more will come from it.
    case lost(rank: Int, reason: String)
    /// A worker has joined late. Its rank is larger than all earlier ones, and messages can be sent to it from now on.
    case joined(rank: Int)
    /// On the root: a rank whose loss was delivered is connected again, see `awaitReturn`.
    ///
    /// On a worker: it is connected again with the root, which had lost it. What the root sent before is void.
    case returned(rank: Int)
    /// Another thread called `Waker.wake`.
    case woken
    /// The deadline passed.
    case timedOut
}

/// Makes a `Communicator.receive` on another thread return.
public protocol Waker: Sendable {
    /// Makes the receive that is under way, or else the next one, return `woken`. Several wakes may become one.
    func wake()
}

/// One rank's end of the messages of a job.
///
/// A communicator belongs to one thread; only its `waker` may be used from others. Messages between two ranks arrive
/// in the order in which they were sent. Rank 0 is the root; a transport need only connect the root with every other
/// rank.
public protocol Communicator: AnyObject {
    /// This rank, from 0.
    var rank: Int { get }
    /// How many ranks the job began with.
    var size: Int { get }
    /// Lets other threads interrupt `receive`.
    var waker: any Waker { get }
    /// Whether message bodies in memory that processes can share are sent to some ranks without a copy.
    var sharesMemory: Bool { get }

    /// Sends `message`, or queues it where sending would block the root.
    ///
    /// - Throws: `CommunicationError` where a worker has lost the root. On the root a message to a lost rank is
    ///   dropped: its loss is, or was, delivered by `receive`.
    func send(_ message: Message, to destination: Int) throws(CommunicationError)

    /// Sends `message` to every other rank except those that came late. A transport without a better way sends it to
    /// each in turn.
    func sendToAll(_ message: Message) throws(CommunicationError)

    /// Waits, asleep, for the next delivery: until `deadline`, in nanoseconds of the monotonic clock, or without limit.
    ///
    /// - Throws: `CommunicationError` where the transport itself fails.
    func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery

    /// The host of a rank, by name or address, as far as the transport knows it, also after the rank's loss.
    func host(of rank: Int) -> String?

    /// The number of bytes received from a rank so far, including those of an unfinished message, as far as the
    /// transport knows. Only its growth is meaningful.
    func byteCount(from rank: Int) -> UInt64

    /// Ends the root's connection with a rank. Does nothing where the transport cannot end a single connection.
    func drop(_ rank: Int)

    /// Lets a rank notice, while its thread is busy, that the root has sent its last message to it. The root calls this
    /// after that message.
    ///
    /// This may end the connection; `receive` does not deliver that end.
    func dismiss(_ rank: Int)

    /// Calls `action` once, on another thread, when the root's last message has arrived while this rank's thread is
    /// busy. Does nothing where the end of the connection already shows that.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    func watchForStop(_ action: @escaping @Sendable () -> Void) throws(CommunicationError)

    /// Lets a rank whose loss was delivered connect again, from now on; called on the root. Does nothing where the
    /// transport has no way.
    func awaitReturn(of rank: Int)

    /// Makes a worker whose connection breaks try to connect again, for at most `limit` nanoseconds, and send again
    /// what the root may not have received. Nil: it no longer tries.
    func allowReturn(within limit: UInt64?)

    /// Sends the root a last message from any thread, after which this process ends.
    ///
    /// Nil where only one thread may use the transport, even for this.
    var sendLast: (@Sendable (Message) -> Void)? { get }

    /// Sends what is queued, waiting at most until `deadline`, and ends communication; all other ranks do the same.
    func close(until deadline: UInt64?)

    /// Sends what is queued, waiting at most until `deadline`, and leaves a job that ends early for every rank.
    ///
    /// Where the launcher has to end the other ranks, the transport may end this process too, with `status`.
    func abort(status: Int32, until deadline: UInt64?)
}

extension Communicator {
    /// Sends `message` to every other rank, one after another.
    public func sendToAll(_ message: Message) throws(CommunicationError) {
        for other in 0..<size where other != rank { try send(message, to: other) }
    }

    /// False: bodies are copied.
    public var sharesMemory: Bool { false }

    /// Nil: the transport does not know.
    public func host(of rank: Int) -> String? { nil }

    /// 0: bytes are not counted.
    public func byteCount(from rank: Int) -> UInt64 { 0 }

    /// Does nothing: the rank stays connected.
    public func drop(_ rank: Int) {}

    /// Does nothing: the rank stays connected.
    public func dismiss(_ rank: Int) {}

    /// Does nothing: there is no way, or no need.
    public func watchForStop(_ action: @escaping @Sendable () -> Void) throws(CommunicationError) {}

    /// Does nothing: there is no way.
    public func awaitReturn(of rank: Int) {}

    /// Does nothing: there is no way.
    public func allowReturn(within limit: UInt64?) {}

    /// Nil: there is no way.
    public var sendLast: (@Sendable (Message) -> Void)? { nil }

    /// Closes: the other ranks notice that the connections end.
    public func abort(status: Int32, until deadline: UInt64?) { close(until: deadline) }
}
