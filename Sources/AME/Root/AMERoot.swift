public import DLP

/// Rank 0 of an AME job: connected with every worker.
///
/// Sending never blocks; what a socket does not take at once is queued and goes out while `receive` waits. An idle
/// root sleeps.
public final class AMERoot: Communicator {
    /// This rank: 0.
    public let rank = 0
    /// How many ranks the job has.
    public let size: Int
    /// Where it listens, for people; nil in a job of one rank, which does not.
    public let address: String?

    private let star: Star
    /// Stay open, so that the workers of a later program of the same job can line up in their backlog.
    private var listeners: [Listener] = []

    /// Waits until every worker has connected and proved that it has the job's key.
    ///
    /// Listens on the sockets that the environment has or else, until `close`, on its own. Whoever else connects
    /// changes nothing.
    ///
    /// - Parameter connectTimeout: how long to wait for all of them, in nanoseconds.
    /// - Throws: `CommunicationError` where it cannot listen, or ranks are missing: it names them.
    /// - Precondition: `environment.rank` is 0.
    public init(environment: AMEEnvironment, connectTimeout: UInt64) throws(CommunicationError) {
        precondition(environment.rank == 0, "AMERoot is for rank 0")
        // When all are there nobody needs it any more, and when this fails nobody should come.
        defer { environment.cardFile?.remove() }
        size = environment.size
        star = try Star(size: size)
        guard size > 1 else {
            address = nil
            return
        }
        let listeners = try Listener.open(environment)
        self.listeners = listeners
        // Sockets that were open already are where the environment says.
        address =
            environment.listeners.isEmpty
            ? listeners.map(\.address).joined(separator: ", ") : "\(environment.address), open already"
        let gate = Gate(listeners: listeners, star: star, environment: environment)
        try gate.admitAll(within: connectTimeout)
    }

    /// Lets other threads interrupt `receive`.
    public var waker: any Waker { star.waker }

    /// Sends a message, or queues it where the socket does not take it now.
    ///
    /// What is meant for a lost rank is dropped.
    ///
    /// - Throws: `CommunicationError` where the system refuses to watch the connection.
    public func send(_ message: Message, to destination: Int) throws(CommunicationError) {
        if destination == rank {
            star.deliveries.append(.message(message, from: rank))
        } else {
            try star.send(message, to: destination)
        }
    }

    /// Waits, asleep, for what comes next: until `deadline`, in nanoseconds of the monotonic clock, or for ever.
    ///
    /// - Throws: `CommunicationError` where the system refuses to wait.
    public func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery {
        let deadline = Deadline(deadline)
        while true {
            if let delivery = star.deliveries.popFirst() { return delivery }
            let hasPassed = deadline.hasPassed
            try star.round(until: deadline)
            if hasPassed { return star.deliveries.popFirst() ?? .timedOut }
        }
    }

    /// The name of this host, or the address of another.
    public func host(of rank: Int) -> String? { star.host(of: rank) }

    /// Sends what is queued, waiting at most until `deadline`, and closes every connection.
    public func close(until deadline: UInt64?) {
        star.close(until: Deadline(deadline))
        listeners = []
    }
}
