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
    /// A worker has come late; its rank is larger than all before, and it can be sent to from now on.
    case joined(rank: Int)
    /// On the root: a rank whose loss was delivered is connected again, see `awaitReturn`.
    ///
    /// On a worker: it is connected with the root again, which had lost it; what the root had sent before is void.
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
    /// Whether bodies that lie in memory which processes can share are sent to some ranks without a copy.
    var sharesMemory: Bool { get }

    /// Sends `message`, or queues it where sending would block the root.
    ///
    /// - Throws: `CommunicationError` where a worker has lost the root. On the root a message to a lost rank is
    ///   dropped: its loss is, or was, delivered by `receive`.
    func send(_ message: Message, to destination: Int) throws(CommunicationError)

    /// Sends `message` to every other rank but those that came late; the same as `send` to each where the transport has no
    /// better way.
    func sendToAll(_ message: Message) throws(CommunicationError)

    /// Waits, asleep, for what comes next: until `deadline`, in nanoseconds of the monotonic clock, or for ever.
    ///
    /// - Throws: `CommunicationError` where the transport itself fails.
    func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery

    /// The host of a rank, by name or address, as far as the transport knows it, also after the rank's loss.
    func host(of rank: Int) -> String?

    /// How many bytes have come from a rank so far, those of a message under way included, as far as the transport knows;
    /// only its growth means something.
    func byteCount(from rank: Int) -> UInt64

    /// Ends the connection with a rank, from the root; nothing where the transport cannot do that for one alone.
    func drop(_ rank: Int)

    /// Lets a rank notice, while its thread does something else, that the root's last word to it has been sent; on the root,
    /// after that word.
    ///
    /// A connection may end by that, which is not delivered.
    func dismiss(_ rank: Int)

    /// Calls `action` once, on another thread, when the root's last word has come while this rank's thread does something
    /// else; nothing where the end of the connection shows that.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    func watchForStop(_ action: @escaping @Sendable () -> Void) throws(CommunicationError)

    /// From now on a rank whose loss was delivered may connect again, on the root; nothing where the transport has no way.
    func awaitReturn(of rank: Int)

    /// From now on a worker whose connection breaks tries to connect again, for so many nanoseconds at most, and sends again
    /// what the root may not have got; nil: no more.
    func allowReturn(within limit: UInt64?)

    /// Sends the root a last message from any thread, after which this process ends.
    ///
    /// Nil where the transport belongs to one thread in this, too.
    var sendLast: (@Sendable (Message) -> Void)? { get }

    /// Sends what is queued, waiting at most until `deadline`, and takes leave of the other ranks, which do the same.
    func close(until deadline: UInt64?)

    /// Sends what is queued, waiting at most until `deadline`, and leaves a job that is over early for every rank.
    ///
    /// A transport whose launcher has to end the others may end this process, too, with `status`.
    func abort(status: Int32, until deadline: UInt64?)
}

extension Communicator {
    /// Sends `message` to every other rank, one after another.
    public func sendToAll(_ message: Message) throws(CommunicationError) {
        for other in 0..<size where other != rank { try send(message, to: other) }
    }

    /// It copies them.
    public var sharesMemory: Bool { false }

    /// The transport does not know.
    public func host(of rank: Int) -> String? { nil }

    /// It is not counted.
    public func byteCount(from rank: Int) -> UInt64 { 0 }

    /// Leaves it connected.
    public func drop(_ rank: Int) {}

    /// Leaves it connected.
    public func dismiss(_ rank: Int) {}

    /// There is no way, or no need.
    public func watchForStop(_ action: @escaping @Sendable () -> Void) throws(CommunicationError) {}

    /// There is no way.
    public func awaitReturn(of rank: Int) {}

    /// There is no way.
    public func allowReturn(within limit: UInt64?) {}

    /// There is no way.
    public var sendLast: (@Sendable (Message) -> Void)? { nil }

    /// Closes: the others see that.
    public func abort(status: Int32, until deadline: UInt64?) { close(until: deadline) }
}
