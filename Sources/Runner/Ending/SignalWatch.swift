import CSystem
import DLP
import Glibc

/// Tells a function of SIGINT and SIGTERM, on a thread of its own.
///
/// The handler only writes a byte into a pipe: hardly anything else may be done in one. The signals are not blocked,
/// because programs that the script starts would inherit that.
enum SignalWatch {
    /// The pipe's end for the handler; written once, before the handler is installed.
    nonisolated(unsafe) private static var descriptor: Int32 = -1
    /// When the first signal came, 0 before; touched by the handler only, and signals of both kinds are masked in it.
    nonisolated(unsafe) private static var first: UInt64 = 0

    /// Signals within so many nanoseconds are one: launchers forward what the system has sent to all processes.
    private static let moment: UInt64 = 500_000_000

    /// Calls `action` with the first signal; a second one, later, ends the process at once.
    static func start(_ action: @escaping @Sendable (Int32) -> Void) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        descriptor = ends[1]
        let reader = ends[0]
        guard
            (try? ServiceThread {
                var signal: UInt8 = 0
                while read(reader, &signal, 1) < 0, errno == EINTR {}
                if signal != 0 { action(Int32(signal)) }
            }) != nil
        else { return }
        var handler = sigaction()
        handler.__sigaction_handler.sa_handler = { signal in
            let now = dlp_now()
            if SignalWatch.first == 0 {
                SignalWatch.first = now
            } else if now - SignalWatch.first > SignalWatch.moment {
                _exit(128 + signal)
            }
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: signal)
            _ = write(SignalWatch.descriptor, &byte, 1)
            errno = saved
        }
        handler.sa_flags = SA_RESTART
        sigaddset(&handler.sa_mask, SIGINT)
        sigaddset(&handler.sa_mask, SIGTERM)
        for signal in [SIGINT, SIGTERM] {
            var present = sigaction()
            sigaction(signal, nil, &present)
            // Whoever started us with a signal ignored, as nohup and shells in the background do, means it.
            let isIgnored = unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self) == 1
            if !isIgnored { sigaction(signal, &handler, nil) }
        }
    }
}
