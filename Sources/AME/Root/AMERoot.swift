public import DLP

/// Rank 0 of an AME job: connected with every worker.
///
/// Sending never blocks; what a socket does not take at once is queued and goes out while `receive` waits. An idle
/// root sleeps.
public final class AMERoot: Communicator {
    /// This rank: 0.
    public let rank = 0
    /// How many ranks the job began with.
    public let size: Int
    /// Where it listens, for people; nil in a job of one rank, which does not.
    public let address: String?

    private let connections: Connections
    /// They stay open, so that the workers of a later program of the same job can line up in their backlog.
    private var listeners: [Listener] = []
    /// Lets in workers that come late; nil where none may.
    private var lateAcceptor: Acceptor?
    /// Lets in workers that come back; nil before one may.
    private var returnAcceptor: Acceptor?
    private let environment: AMEEnvironment

    /// Waits until every worker has connected and proved that it has the job's key.
    ///
    /// Listens on the sockets of the environment or else, until `close`, on its own. Other peers that connect have no
    /// effect.
    ///
    /// - Parameters:
    ///   - door: where workers may come late from then on, until `close`.
    ///   - connectTimeout: how long to wait for all of them, in nanoseconds.
    /// - Throws: `CommunicationError` where it cannot listen, or ranks are missing: it names them.
    /// - Precondition: `environment.rank` is 0.
    public init(
        environment: AMEEnvironment, door: JoinDoor? = nil, connectTimeout: UInt64
    ) throws(CommunicationError) {
        precondition(environment.rank == 0, "AMERoot is for rank 0")
        // The file is not needed once all ranks are there. If this fails, no more ranks should come.
        defer { environment.contactFile?.remove() }
        self.environment = environment
        size = environment.size
        connections = try Connections(size: size)
        let late = door.map { door in
            door.listeners.map { Listener(adopting: $0, address: "") }
        }
        if size > 1 {
            (listeners, address) = try Self.gather(environment, connections, within: connectTimeout)
        } else {
            address = nil
        }
        guard let door, let late else { return }
        lateAcceptor = Acceptor(listeners: late, connections: connections, environment: environment, lateKey: door.key)
        try lateAcceptor?.open()
    }

    /// Lets all workers in.
    ///
    /// - Returns: the sockets that it listens on, and where that is, for people.
    private static func gather(
        _ environment: AMEEnvironment, _ connections: Connections, within timeout: UInt64
    ) throws(CommunicationError) -> ([Listener], String) {
        let listeners = try Listener.open(environment)
        // Sockets that were open already are where the environment says.
        let address =
            environment.listeners.isEmpty
            ? listeners.map(\.address).joined(separator: ", ") : "\(environment.address), open already"
        let acceptor = Acceptor(listeners: listeners, connections: connections, environment: environment)
        try acceptor.admitAll(within: timeout)
        return (listeners, address)
    }

    /// Whether some workers are on this host, so that they may have large bodies without a copy.
    public var sharesMemory: Bool { connections.shareMemory }

    /// Lets other threads interrupt `receive`.
    public var waker: any Waker { connections.waker }

    /// Sends a message, or queues it where the socket does not take it now.
    ///
    /// A message to a lost rank is dropped. A connection on which sending fails is ended, and its rank lost.
    public func send(_ message: Message, to destination: Int) throws(CommunicationError) {
        if destination == rank {
            connections.deliveries.append(.message(message, from: rank))
        } else {
            connections.send(message, to: destination)
        }
    }

    /// Sends a message to every other rank, or queues it, as `send` does.
    public func sendToAll(_ message: Message) throws(CommunicationError) {
        if size > 1 { connections.send(message, to: 1..<size) }
    }

    /// Waits, asleep, for the next delivery: until `deadline`, in nanoseconds of the monotonic clock, or without limit.
    ///
    /// - Throws: `CommunicationError` where the system refuses to wait.
    public func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery {
        let deadline = Deadline(deadline)
        while true {
            if let delivery = connections.deliveries.popFirst() { return delivery }
            let hasPassed = deadline.hasPassed
            try round(until: deadline)
            if hasPassed { return connections.deliveries.popFirst() ?? .timedOut }
        }
    }

    /// The name of this host, or the address of another.
    public func host(of rank: Int) -> String? { connections.host(of: rank) }

    /// How many bytes have come from a worker so far, 0 once it is lost.
    public func byteCount(from rank: Int) -> UInt64 { connections.byteCount(from: rank) }

    /// Ends the connection with a worker, which is delivered as its loss.
    public func drop(_ rank: Int) {
        connections.drop(rank)
        // The worker may try to come back, and should learn that it is not accepted.
        openReturnAcceptor(for: nil)
    }

    /// Ends the sending side of a connection, which the worker notices while it works; its loss is not delivered.
    public func dismiss(_ rank: Int) {
        connections.dismiss(rank)
        openReturnAcceptor(for: nil)
    }

    /// Lets a lost worker connect again, which then is delivered as `returned`.
    public func awaitReturn(of rank: Int) { openReturnAcceptor(for: rank) }

    private func openReturnAcceptor(for rank: Int?) {
        guard !listeners.isEmpty else { return }
        let acceptor =
            returnAcceptor ?? Acceptor(returnsTo: listeners, connections: connections, environment: environment)
        returnAcceptor = acceptor
        // A job that has begun goes on without workers that cannot come.
        try? acceptor.awaitReturn(of: rank)
    }

    private func round(until deadline: Deadline) throws(CommunicationError) {
        guard lateAcceptor != nil || returnAcceptor != nil else { return try connections.round(until: deadline) }
        let acceptors = [lateAcceptor, returnAcceptor].compactMap { $0 }
        let limit = acceptors.reduce(deadline) { Deadline.earlier($0, $1.nextDeadline) }
        try connections.round(until: limit) { token throws(CommunicationError) in
            let acceptor = token >= Acceptor.firstTokenOfReturns ? returnAcceptor : lateAcceptor
            try acceptor?.handle(token)
        }
        for acceptor in acceptors { try acceptor.lookAtClock() }
    }

    /// Sends what is queued, waiting at most until `deadline`, and closes every connection.
    public func close(until deadline: UInt64?) {
        for acceptor in [lateAcceptor, returnAcceptor] { acceptor?.close() }
        (lateAcceptor, returnAcceptor) = (nil, nil)
        connections.close(until: Deadline(deadline))
        listeners = []
    }
}
