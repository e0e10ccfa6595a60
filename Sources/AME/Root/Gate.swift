import CSystem
import DLP
import Glibc

/// Lets the workers in when a job starts, and keeps everybody else out.
///
/// Strangers cost the root little: nothing waits for one, each has a deadline, and no more than a bounded number of
/// handshakes is under way; the oldest gives way.
final class Gate {
    /// A connection that has not proved itself yet.
    private struct Candidate {
        let socket: Socket
        var handshake: RootHandshake
        let deadline: Deadline
    }

    private static let patience: UInt64 = 5_000_000_000
    /// How many handshakes may be under way beside one for each worker.
    static let reserve = 256
    /// How many connections are taken before those that are here get their turn: so few that, however many strangers
    /// come, whoever answers at once has proved itself long before it would have to give way.
    private static let batch = 8

    /// Their tokens are the first that no rank has.
    private let listeners: [Listener]
    private let star: Star
    private let key: JobKey
    private let size: Int
    private let isEncrypted: Bool
    private var missing: Set<Int>

    /// By token; tokens are given in the order of arrival, so the oldest has the lowest.
    private var candidates: [UInt64: Candidate] = [:]
    private var oldest: UInt64
    private var nextToken: UInt64
    private let mostCandidates: Int

    /// A gate to `star` for the workers of rank 0 in `environment`.
    init(listeners: [Listener], star: Star, environment: AMEEnvironment) {
        self.listeners = listeners
        self.star = star
        key = environment.key
        size = environment.size
        isEncrypted = environment.isEncrypted
        missing = Set(1..<size)
        nextToken = UInt64(size + listeners.count)
        oldest = nextToken
        // Every worker may be in the middle of it at the same time.
        mostCandidates = size + Self.reserve
    }

    /// Lets workers in until all are there; whoever has not proved itself by then is turned away.
    ///
    /// - Throws: `CommunicationError` that names the missing ranks where `timeout` nanoseconds were not enough.
    func admitAll(within timeout: UInt64) throws(CommunicationError) {
        let deadline = Deadline.after(timeout)
        raiseDescriptorLimit()
        // What waits in the backlog afterwards may belong to the next program of the same job.
        defer { for listener in listeners { star.unwatch(listener.descriptor) } }
        for (token, listener) in zip(UInt64(size)..., listeners) {
            try star.watch(listener.descriptor, token: token)
        }
        while !missing.isEmpty {
            guard !deadline.hasPassed else {
                throw CommunicationError(
                    "\(RankList(missing, of: size)) did not connect within \(describe(nanoseconds: timeout))")
            }
            let next = candidates[oldest]?.deadline ?? deadline
            try star.round(until: Deadline.earlier(deadline, next)) { token throws(CommunicationError) in
                let place = Int(token) - size
                if place < listeners.count { try acceptAll(from: listeners[place]) } else { try advance(token) }
            }
            turnAwayLate()
        }
    }

    private func acceptAll(from listener: Listener) throws(CommunicationError) {
        for _ in 0..<Self.batch {
            switch listener.accept() {
            case .none: return
            case .failed(let reason):
                guard !candidates.isEmpty else {
                    throw CommunicationError(
                        "rank 0 cannot take a connection: \(reason); raise the limit (ulimit -n) or use fewer ranks")
                }
                turnAway(oldest)
            case .socket(let socket):
                guard Self.isTrusted(socket) else { continue }
                if candidates.count == mostCandidates { turnAway(oldest) }
                let greeting = Greeting(role: .root, rank: 0, size: size, isEncrypted: isEncrypted)
                candidates[nextToken] = Candidate(
                    socket: socket, handshake: RootHandshake(key: key, greeting: greeting),
                    deadline: .after(Self.patience))
                try star.watch(socket.descriptor, token: nextToken)
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
            let answer = candidate.handshake.receive(Array(buffer.prefix(count))) { !missing.contains($0) }
            // A fresh connection takes a hundred bytes at once, or is not worth waiting for.
            guard answer.isEmpty || candidate.socket.sendWhole(answer) else { return turnAway(token) }
            switch candidate.handshake.outcome {
            case .pending: candidates[token] = candidate
            case .failed: turnAway(token)
            case .accepted(let rank):
                turnAway(token)
                try star.add(Link(socket: candidate.socket, channel: candidate.handshake.channel), rank: rank)
                missing.remove(rank)
            }
        }
    }

    /// Forgets a candidate; its socket is closed unless it has become a worker's.
    private func turnAway(_ token: UInt64) {
        guard let candidate = candidates.removeValue(forKey: token) else { return }
        star.unwatch(candidate.socket.descriptor)
        skipGone()
    }

    private func turnAwayLate() {
        while let candidate = candidates[oldest], candidate.deadline.hasPassed { turnAway(oldest) }
    }

    private func skipGone() {
        while oldest < nextToken, candidates[oldest] == nil { oldest += 1 }
    }

    /// Makes room for a descriptor per worker and candidate where the system's usual limit is lower.
    private func raiseDescriptorLimit() {
        let wanted = rlim_t(2 * size + Self.reserve + 256)
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else {
            return
        }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
