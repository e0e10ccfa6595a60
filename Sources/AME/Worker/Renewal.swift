import CSystem
import DLP

/// Renews a worker's connection with the root where it breaks although both live, as when the network was down for a
/// while.
///
/// A thread of its own tries, since the worker may compute for long. The worker takes the new connection over when it
/// next sends or receives.
final class Renewal: Sendable {
    private struct State {
        /// For how long to try, in nanoseconds; nil: not at all.
        var limit: UInt64?
        /// The connection that has been made, until it is taken over.
        var link: Link?
        /// Whether a broken connection is being renewed, and whether none will be any more.
        var isUnderWay = false
        var isOver = false
    }

    private let state = Monitor(State())
    private let environment: AMEEnvironment

    private static let firstPause: UInt64 = 100_000_000
    private static let longestPause: UInt64 = 5_000_000_000
    /// How long one attempt may take.
    private static let patience: UInt64 = 5_000_000_000
    /// How long to try where the root, or a device in between, has closed the connection in good order: usually that is
    /// the end of the job.
    private static let shortLimit: UInt64 = 3_000_000_000

    /// - Parameter environment: where the root is, and the key.
    init(_ environment: AMEEnvironment) { self.environment = environment }

    /// From now on a connection that breaks is renewed, within `limit` nanoseconds; nil: no longer.
    func allow(within limit: UInt64?) { state.withLock { $0.limit = limit } }

    /// Renews the broken connection of `socket`.
    ///
    /// - Parameter stopper: ends the attempt.
    /// - Returns: the socket of the new connection; nil where there is none.
    func renew(_ socket: Socket, _ stopper: EventWaker) -> Socket? {
        let limit: UInt64? = state.update { state in
            // A connection that has not been taken over has broken, too.
            state.link = nil
            state.isUnderWay = state.limit != nil && !socket.isLocal
            state.isOver = !state.isUnderWay
            return state.isUnderWay ? state.limit : nil
        }
        guard let limit else { return nil }
        let isClosed = dlp_tcp_is_closed_by_peer(socket.descriptor) == 1
        // Ends all waiting for the old connection: the worker waits for the new one from now on.
        socket.shutDown()
        let link = connect(until: .after(isClosed ? min(limit, Self.shortLimit) : limit), stopper)
        state.update { state in
            state.link = link
            state.isUnderWay = false
            state.isOver = link == nil
        }
        return link?.socket
    }

    private func connect(until deadline: Deadline, _ stopper: EventWaker) -> Link? {
        var pause = Self.firstPause
        while true {
            switch Connector.comeBack(environment, within: Self.patience) {
            case .connected(let link): return link
            case .inVain: return nil
            case .failed: break
            }
            if deadline.hasPassed || stopper.wait(nanoseconds: pause) { return nil }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Waits for the connection that replaces a broken one; nil where there will be none.
    func next() -> Link? {
        state.wait { state -> Link?? in
            if let link = state.link {
                state.link = nil
                return .some(link)
            }
            return state.isOver || state.limit == nil && !state.isUnderWay ? .some(nil) : nil
        }
    }
}
