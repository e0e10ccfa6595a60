import CSystem
import DLP
import Glibc

/// A thread, asleep, that notices when the other end of a connection has gone.
final class HangupWatch {
    private let thread: ServiceThread
    private let stopper: EventWaker

    /// Calls `action` on the thread, once, when the peer of `socket` has gone, and does not come back.
    ///
    /// - Parameter renewal: renews the connection where it breaks, and that is allowed.
    /// - Throws: `CommunicationError` where the system has no thread to give.
    init(
        _ socket: Socket, renewal: Renewal, action: @escaping @Sendable () -> Void
    ) throws(CommunicationError) {
        let stopper = try EventWaker()
        self.stopper = stopper
        let watch: @Sendable () -> Void = {
            var watched = socket
            while Self.isGone(watched, stopper) {
                guard let next = renewal.renew(watched, stopper) else { return action() }
                watched = next
            }
        }
        thread = try ServiceThread(watch)
    }

    /// Waits until the peer has gone; false where the watch is over before.
    private static func isGone(_ socket: Socket, _ stopper: EventWaker) -> Bool {
        var liveness = Liveness()
        var debt = Liveness.Debt()
        while true {
            let pause = socket.isLocal ? -1 : liveness.nextCheck.milliseconds
            switch dlp_wait_hangup(socket.descriptor, stopper.descriptor, pause) {
            case 1: return true
            case 2: return false
            default:
                guard !socket.isLocal, liveness.isDue(), debt.isOverdue(socket.descriptor) else { continue }
                socket.giveUp()
                return true
            }
        }
    }

    /// Ends the thread, and waits for it: afterwards the action does not run.
    func stop() {
        stopper.wake()
        thread.join()
    }
}
