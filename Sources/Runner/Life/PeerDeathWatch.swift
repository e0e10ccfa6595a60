import AME
import DLP
import Glibc

/// Extra connections beside those of MPI, by which ranks notice that another rank has died.
///
/// MPI leaves this to the launcher. srun does not end a step when one of its tasks is killed, unless it was told to
/// (`-K`). Without these connections the other ranks would wait for ever.
final class PeerDeathWatch {
    /// The connection of a worker to the root.
    private var worker: AMEWorker?

    private init() {}

    /// Connects all ranks, each of which must call this.
    ///
    /// Returns nil where they cannot be connected.
    ///
    /// - Parameter lost: called on the root, on a separate thread, with a rank that has died and the sign of its
    ///   death.
    /// - Throws: `JobEnd` where the ranks cannot communicate over `client`.
    static func connect(
        _ client: any RankClient, lost: @escaping @Sendable (_ rank: Int, _ reason: String) -> Void
    ) throws(JobEnd) -> PeerDeathWatch? {
        let own = PeerDeathWatch()
        let environment = try meet(client)
        var watch: RootWatch?
        if client.isRoot {
            watch = environment.flatMap { environment in try? RootWatch(environment, lost: lost) }
        } else if let environment {
            own.worker = try? AMEWorker(environment: environment, connectTimeout: LifePeriods.deathWatchStart)
        }
        let isConnected = watch?.isConnected ?? (own.worker != nil)
        // Until every rank knows that all are connected, a closed connection does not count as a death.
        let all = try client.gather(Bytes([isConnected ? 1 : 0]))
        let verdict = all?.allSatisfy { $0 == Bytes([1]) } ?? false
        guard try client.broadcast(Bytes([verdict ? 1 : 0])) == Bytes([1]) else { return nil }
        watch?.begin()
        return own
    }

    /// Sends the root's address and the key to every rank, or nothing where the root cannot listen.
    private static func meet(_ client: any RankClient) throws(JobEnd) -> AMEEnvironment? {
        var end: JobEnd?
        var hasShared = false
        let environment = try? Rendezvous.meet(rank: client.rank, size: client.size) {
            text throws(CommunicationError) in
            hasShared = true
            do throws(JobEnd) {
                let bytes = try client.broadcast(Bytes(Array((text ?? "").utf8)))
                return bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            } catch {
                end = error
                throw CommunicationError("the job is over")
            }
        }
        if let end { throw end }
        if !hasShared { _ = try client.broadcast(.empty) }
        return environment
    }

    /// Calls `action` once, on a separate thread, when the root has gone.
    func watchHangup(_ action: @escaping @Sendable () -> Void) { try? worker?.watchHangup(action) }
}

/// The root's side: a sleeping thread that learns which rank has gone.
private final class RootWatch: Sendable {
    private struct State {
        /// Whether all ranks have connected; nil until that is known.
        var isConnected: Bool?
        var isWatching = false
        /// Ranks that went before the watch began.
        var early: [(Int, String)] = []
    }

    private let state = Monitor(State())
    private let lost: @Sendable (Int, String) -> Void

    init(
        _ environment: AMEEnvironment, lost: @escaping @Sendable (Int, String) -> Void
    ) throws(CommunicationError) {
        self.lost = lost
        try ServiceThread.detach { [self] in
            let root = try? AMERoot(environment: environment, connectTimeout: LifePeriods.deathWatchStart)
            state.update { $0.isConnected = root != nil }
            while let root, let delivery = try? root.receive(until: nil) {
                guard case .lost(let rank, let reason) = delivery else { continue }
                let isWatching = state.withLock { state in
                    if !state.isWatching { state.early.append((rank, reason)) }
                    return state.isWatching
                }
                if isWatching { lost(rank, reason) }
            }
        }
    }

    /// Whether all ranks have connected; waits until that is known.
    var isConnected: Bool { state.wait { $0.isConnected } }

    /// Counts each closed connection as a death from now on.
    func begin() {
        let early = state.withLock { state in
            state.isWatching = true
            return state.early
        }
        for (rank, reason) in early { lost(rank, reason) }
    }
}
