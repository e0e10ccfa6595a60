import CSystem
import DLP
import Glibc

/// Lets in workers: those of a job's start, those that come late, or those that come back.
///
/// Keeps all other peers out.
///
/// Strangers cost the root little: nothing waits for them, each has a deadline, and the number of handshakes under way
/// is bounded; the oldest is dropped for a new one.
final class Acceptor {
    /// A connection that has not proved itself yet.
    private struct Candidate {
        let socket: Socket
        var handshake: RootHandshake
        let deadline: Deadline
    }

    private static let patience: UInt64 = 5_000_000_000
    /// How many handshakes may be under way beside one for each worker.
    static let reserve = 256
    /// How many connections are taken before those that are here get their turn.
    ///
    /// There are so few that a peer that answers at once has proved itself long before it could be dropped, however
    /// many strangers come.
    private static let batch = 8
    /// How long to take no connections where the system has no descriptor for one.
    private static let pauseLength: UInt64 = 1_000_000_000
    /// No token of another acceptor is as large.
    static let firstTokenOfReturns: UInt64 = 1 << 48

    /// Their tokens are the first free ones.
    private let listeners: [Listener]
    private let connections: Connections
    private let key: JobKey
    private let size: Int
    private let encryption: AMEEnvironment.Encryption
    /// The workers that it lets in.
    private enum Guests {
        /// These ranks of a job that starts, which waits for them.
        case missing(Set<Int>)
        /// Workers that come late, the next of which gets this rank.
        case late(next: Int)
        /// Ranks that were lost and may come back.
        case returning(Set<Int>)
    }

    private var guests: Guests
    private var isOpen = false
    /// The token of the first listener.
    private let firstToken: UInt64

    /// The candidates by token.
    ///
    /// Tokens are given in the order of arrival, so the oldest has the lowest.
    private var candidates: [UInt64: Candidate] = [:]
    private var oldest: UInt64
    private var nextToken: UInt64
    private let mostCandidates: Int
    /// When to take connections again.
    private var reopening: Deadline?

    /// An acceptor to `connections` for the workers of rank 0 in `environment`.
    convenience init(listeners: [Listener], connections: Connections, environment: AMEEnvironment) {
        self.init(listeners, connections, environment, .missing(Set(1..<environment.size)))
    }

    /// An acceptor to `connections` for any workers that come late with the key `lateKey`.
    convenience init(listeners: [Listener], connections: Connections, environment: AMEEnvironment, lateKey: JobKey) {
        self.init(listeners, connections, environment, .late(next: environment.size), key: lateKey)
    }

    /// An acceptor to `connections` for ranks of `environment` that were lost and are awaited.
    ///
    /// It exists beside one for workers that come late.
    convenience init(returnsTo listeners: [Listener], connections: Connections, environment: AMEEnvironment) {
        self.init(listeners, connections, environment, .returning([]), firstToken: Self.firstTokenOfReturns)
    }

    private init(
        _ listeners: [Listener], _ connections: Connections, _ environment: AMEEnvironment, _ guests: Guests,
        key: JobKey? = nil,
        firstToken: UInt64 = Connections.firstFreeToken
    ) {
        self.listeners = listeners
        self.connections = connections
        self.guests = guests
        self.firstToken = firstToken
        self.key = key ?? environment.key
        size = environment.size
        // Late workers may come from anywhere, and get the script.
        encryption = key == nil ? environment.encryption : .everywhere
        nextToken = firstToken + UInt64(listeners.count)
        oldest = nextToken
        // All workers may be in a handshake at the same time.
        mostCandidates = (key == nil ? size : 0) + Self.reserve
    }

    /// Whether the job has begun, and goes on without workers that cannot come.
    private var hasBegun: Bool { if case .missing = guests { false } else { true } }

    private var guest: Greeting.Role {
        switch guests {
        case .missing: .worker
        case .late: .lateWorker
        case .returning: .returningWorker
        }
    }

    /// Whether a rank that has proved the key is let in under its number.
    private func isWelcome(_ rank: Int) -> Bool {
        switch guests {
        case .missing(let ranks), .returning(let ranks): ranks.contains(rank)
        case .late: true
        }
    }

    /// Lets a lost rank come back from now on; nil: lets in no further rank, and tells those that try.
    func awaitReturn(of rank: Int?) throws(CommunicationError) {
        guard case .returning(var ranks) = guests else { return }
        if let rank { ranks.insert(rank) }
        guests = .returning(ranks)
        if !isOpen { try open() }
    }

    /// Lets workers in until all are there; peers that have not proved themselves by then are turned away.
    ///
    /// - Throws: `CommunicationError` that names the missing ranks where `timeout` nanoseconds were not enough.
    func admitAll(within timeout: UInt64) throws(CommunicationError) {
        let deadline = Deadline.after(timeout)
        // What waits in the backlog afterwards may belong to the next program of the same job.
        defer { close() }
        try open()
        while case .missing(let missing) = guests, !missing.isEmpty {
            guard !deadline.hasPassed else {
                throw CommunicationError(
                    "\(RankList(missing, of: size)) did not connect within \(describe(nanoseconds: timeout))")
            }
            try connections.round(until: Deadline.earlier(deadline, nextDeadline)) { token throws(CommunicationError) in
                try handle(token)
            }
            try lookAtClock()
        }
    }

    /// Begins to take connections.
    func open() throws(CommunicationError) {
        raiseDescriptorLimit()
        isOpen = true
        for (token, listener) in zip(firstToken..., listeners) {
            try connections.watch(listener.descriptor, token: token)
        }
    }

    /// Takes no more connections.
    func close() {
        isOpen = false
        for listener in listeners { connections.unwatch(listener.descriptor) }
    }

    /// When to call `lookAtClock` next.
    var nextDeadline: Deadline {
        Deadline.earlier(reopening ?? Deadline(nil), candidates[oldest]?.deadline ?? Deadline(nil))
    }

    /// Does what is due: turns away peers that have not proved themselves in time.
    func lookAtClock() throws(CommunicationError) {
        while let candidate = candidates[oldest], candidate.deadline.hasPassed { turnAway(oldest) }
        guard let reopening, reopening.hasPassed else { return }
        self.reopening = nil
        do { try open() } catch {
            guard hasBegun else { throw error }
            pause()
        }
    }

    /// Handles an event for the token of a listener or of a candidate.
    func handle(_ token: UInt64) throws(CommunicationError) {
        let place = Int(token - firstToken)
        if place < listeners.count { try acceptAll(from: listeners[place]) } else { try advance(token) }
    }

    private func acceptAll(from listener: Listener) throws(CommunicationError) {
        for _ in 0..<Self.batch {
            switch listener.accept() {
            case .none: return
            case .failed(let reason):
                guard !candidates.isEmpty else {
                    // A job that has begun takes no more workers for the time being.
                    guard !hasBegun else { return pause() }
                    throw CommunicationError(
                        "rank 0 cannot take a connection: \(reason); raise the limit (ulimit -n) or use fewer ranks")
                }
                turnAway(oldest)
            case .socket(let socket):
                guard Self.isTrusted(socket) else { continue }
                // The socket is closed at once; its peer may try again.
                guard (try? connections.watch(socket.descriptor, token: nextToken)) != nil else { continue }
                if candidates.count == mostCandidates { turnAway(oldest) }
                let greeting = Greeting(role: .root, rank: 0, size: size, over: socket, encrypting: encryption)
                candidates[nextToken] = Candidate(
                    socket: socket,
                    handshake: RootHandshake(key: key, greeting: greeting, guest: guest),
                    deadline: .after(Self.patience))
                nextToken += 1
                skipGone()
            }
        }
    }

    /// Whether a local peer belongs to this user, or to the superuser.
    ///
    /// Over TCP only the key can tell.
    private static func isTrusted(_ socket: Socket) -> Bool {
        guard socket.isLocal else { return true }
        let user = dlp_peer_user(socket.descriptor)
        return user == 0 || user == Int64(geteuid())
    }

    private func advance(_ token: UInt64) throws(CommunicationError) {
        guard var candidate = candidates[token] else { return }
        var buffer = [UInt8](repeating: 0, count: candidate.handshake.wanted)
        switch buffer.withUnsafeMutableBytes({ candidate.socket.receive(into: $0) }) {
        case .wouldBlock: return
        case .ended: return turnAway(token)
        case .count(let count):
            let answer = candidate.handshake.receive(Array(buffer.prefix(count))) { !isWelcome($0) }
            // The loss of this rank has not been noticed here yet: it is to try again.
            let isEarly = candidate.handshake.outcome == .failed(.refused(.notAwaited))
            if isEarly, let rank = candidate.handshake.provenRank, connections.isConnected(rank) {
                return turnAway(token)
            }
            // A fresh connection takes a hundred bytes at once, or is not worth waiting for.
            guard answer.isEmpty || candidate.socket.sendWhole(answer) else { return turnAway(token) }
            switch candidate.handshake.outcome {
            case .pending: candidates[token] = candidate
            case .failed: turnAway(token)
            case .accepted(let rank):
                turnAway(token)
                let link = Link(
                    socket: candidate.socket, channel: candidate.handshake.channel,
                    sharesMemory: candidate.handshake.sharesMemory)
                try welcome(link, rank)
            }
        }
    }

    /// Lets a worker in, a late one as the next rank.
    ///
    /// A job that has begun goes on without one that cannot be watched.
    private func welcome(_ link: Link, _ rank: Int) throws(CommunicationError) {
        switch guests {
        case .missing(var ranks):
            ranks.remove(rank)
            guests = .missing(ranks)
            try connections.add(link, rank: rank)
        case .late(let next):
            guard (try? connections.add(link, rank: next)) != nil else { return }
            connections.send(Message(toWorker: .welcome(rank: next, size: size)), to: next)
            connections.deliveries.append(.joined(rank: next))
            guests = .late(next: next + 1)
        case .returning(var ranks):
            guard (try? connections.add(link, rank: rank)) != nil else { return }
            ranks.remove(rank)
            guests = .returning(ranks)
            connections.deliveries.append(.returned(rank: rank))
        }
    }

    /// Takes no connections for a moment.
    private func pause() {
        close()
        reopening = .after(Self.pauseLength)
    }

    /// Forgets a candidate; its socket is closed unless it has become a worker's.
    private func turnAway(_ token: UInt64) {
        guard let candidate = candidates.removeValue(forKey: token) else { return }
        connections.unwatch(candidate.socket.descriptor)
        skipGone()
    }

    private func skipGone() {
        while oldest < nextToken, candidates[oldest] == nil { oldest += 1 }
    }

    /// Makes room for a descriptor per worker and candidate where the system's usual limit is lower.
    private func raiseDescriptorLimit() {
        // It is not known how many come late.
        let wanted = rlim_t(2 * size + Self.reserve + (hasBegun ? 1 << 16 : 256))
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else {
            return
        }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
