import CSystem
import DLP
import Glibc

/// A thread, asleep, that notices when the other end of a connection has gone.
final class HangupWatch {
    /// What the thread needs, carried across `pthread_create`, which passes one pointer.
    private final class Start: Sendable {
        let descriptor: Int32
        let isLocal: Bool
        let stopper: EventWaker
        let action: @Sendable () -> Void

        init(socket: Socket, stopper: EventWaker, action: @escaping @Sendable () -> Void) {
            descriptor = socket.descriptor
            isLocal = socket.isLocal
            self.stopper = stopper
            self.action = action
        }

        func run() {
            var liveness = Liveness()
            while true {
                let pause = isLocal ? -1 : liveness.nextCheck.milliseconds
                switch dlp_wait_hangup(descriptor, stopper.descriptor, pause) {
                case 1: return action()
                case 2: return
                default: if !isLocal, liveness.isDue(), Liveness.isLost(descriptor) { return action() }
                }
            }
        }
    }

    private let thread: pthread_t
    private let stopper: EventWaker
    /// Keeps the descriptor open for as long as the thread watches it.
    private let socket: Socket

    /// Calls `action` on the thread, once, when the peer of `socket` has gone.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    init(_ socket: Socket, action: @escaping @Sendable () -> Void) throws(CommunicationError) {
        self.socket = socket
        stopper = try EventWaker()
        let start = Unmanaged.passRetained(Start(socket: socket, stopper: stopper, action: action))
        // A thread inherits the mask: signals are for the thread that computes.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw CommunicationError("cannot start a thread: \(systemMessage(code))")
        }
        self.thread = thread
    }

    /// Ends the thread, and waits for it: afterwards the action does not run.
    func stop() {
        stopper.wake()
        pthread_join(thread, nil)
    }
}
