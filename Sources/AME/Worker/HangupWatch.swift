import CSystem
import DLP
import Glibc

/// A thread, asleep, that notices when the other end of a connection has gone.
final class HangupWatch {
    private let thread: ServiceThread
    private let stopper: EventWaker
    /// Keeps the descriptor open for as long as the thread watches it.
    private let socket: Socket

    /// Calls `action` on the thread, once, when the peer of `socket` has gone.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    init(_ socket: Socket, action: @escaping @Sendable () -> Void) throws(CommunicationError) {
        self.socket = socket
        let stopper = try EventWaker()
        self.stopper = stopper
        let (descriptor, isLocal) = (socket.descriptor, socket.isLocal)
        let watch: @Sendable () -> Void = { Self.watch(descriptor, isLocal, stopper, action) }
        thread = try ServiceThread(watch)
    }

    private static func watch(
        _ descriptor: Int32, _ isLocal: Bool, _ stopper: EventWaker, _ action: @Sendable () -> Void
    ) {
        var liveness = Liveness()
        var debt = Liveness.Debt()
        while true {
            let pause = isLocal ? -1 : liveness.nextCheck.milliseconds
            switch dlp_wait_hangup(descriptor, stopper.descriptor, pause) {
            case 1: return action()
            case 2: return
            default:
                guard !isLocal, liveness.isDue(), debt.isOverdue(descriptor) else { continue }
                dlp_reset_when_closed(descriptor)
                return action()
            }
        }
    }

    /// Ends the thread, and waits for it: afterwards the action does not run.
    func stop() {
        stopper.wake()
        thread.join()
    }
}
