import CLuaHost
import CSystem
import DLP
import Glibc

/// Tells the supervisor of SIGINT, SIGTERM, SIGHUP and SIGUSR1, on a separate thread.
///
/// The handler only writes a byte into a pipe, because a signal handler may do hardly anything else. The signals are
/// not blocked, because programs that the script starts would inherit that.
struct SignalWatch {
    // Unsafe because the handler runs on any thread at any moment, where nothing can be locked.

    /// The pipe's end for the handler; written once, before the handler is installed.
    nonisolated(unsafe) private static var descriptor: Int32 = -1
    /// After the handler is installed only the handler uses it, and there all handled signals are masked.
    ///
    /// Where a C library has made threads, two signals at the same moment may be judged as one.
    nonisolated(unsafe) private static var rules = SignalRules(letsFinish: false)
    /// Whether SIGINT and SIGHUP stop the script; written before the handler is installed.
    nonisolated(unsafe) private static var holdsScript = false

    /// How long to wait before the next try where `poll` fails, in nanoseconds.
    private static let pollPause: UInt64 = 10_000_000

    /// The pipe's other end.
    private let reader: Int32

    /// Calls `action` on the thread.
    ///
    /// - Parameters:
    ///   - letsFinish: whether running examples may finish after the first SIGTERM, so that a second one matters.
    ///   - holdsScript: whether SIGINT and SIGHUP stop the script at once, so that `action` can end it. A terminal
    ///     sends these signals also to programs that the script has started, and their early end must not look like a
    ///     result.
    /// - Throws: `CommunicationError` where the system has no descriptors or no thread to give.
    static func start(
        letsFinish: Bool, holdsScript: Bool, _ action: @escaping @Sendable (SignalWatch) -> Void
    ) throws(CommunicationError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw CommunicationError("cannot make a pipe for signals: \(systemMessage(errno))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        descriptor = ends[1]
        rules = SignalRules(letsFinish: letsFinish)
        self.holdsScript = holdsScript
        let watch = SignalWatch(reader: ends[0])
        try ServiceThread.detach { action(watch) }
        install()
    }

    /// Wakes the thread so that it looks at its timers.
    static func nudge() {
        var nothing: UInt8 = 0
        // If the thread cannot be woken, it would not end a process whose time is up.
        while write(descriptor, &nothing, 1) < 0 { if errno != EINTR { dlp_quit_without_descriptor() } }
    }

    /// Waits for the next signal that is not a repetition, at most until `moment`, in nanoseconds of the monotonic
    /// clock.
    ///
    /// - Returns: nil where no signal came in time, and after a `nudge`.
    func next(until moment: UInt64?) -> Int32? {
        let deadline = Deadline(moment)
        while true {
            var polled = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            let count = poll(&polled, 1, deadline.milliseconds)
            if count > 0 {
                var signal: UInt8 = 0
                if read(reader, &signal, 1) == 1 { return signal == 0 ? nil : Int32(signal) }
                // The pipe is not empty here, and this process holds its other end, so that only an error is left.
                if errno != EINTR { dlp_quit_without_descriptor() }
            }
            if count < 0, errno != EINTR { Pause.nanoseconds(Self.pollPause) }
            if deadline.hasPassed { return nil }
        }
    }

    private static func install() {
        var handler = sigaction()
        handler.__sigaction_handler.sa_handler = { signal in
            // SIGUSR1 asks how far the job is and ends nothing.
            guard signal != SIGUSR1 else {
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: signal)
                _ = write(SignalWatch.descriptor, &byte, 1)
                errno = saved
                return
            }
            switch SignalWatch.rules.handle(signal, at: dlp_now()) {
            case .ignore: break
            case .die: ForcedExit.alone(status: 128 + signal)
            case .finish, .abandon:
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: signal)
                // Without the pipe the supervisor would not hear of the signal.
                if write(SignalWatch.descriptor, &byte, 1) < 0 { dlp_quit(128 + signal, "interrupted") }
                dlp_note_signal(signal != SIGTERM && SignalWatch.holdsScript)
                errno = saved
            }
        }
        handler.sa_flags = SA_RESTART
        let watched = [SIGINT, SIGTERM, SIGHUP, SIGUSR1]
        for signal in watched { sigaddset(&handler.sa_mask, signal) }
        for signal in watched {
            var present = sigaction()
            sigaction(signal, nil, &present)
            // A process that was started with a signal ignored, as by nohup or by a shell in the background, keeps
            // ignoring it.
            let isIgnored = unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self) == 1
            if !isIgnored { sigaction(signal, &handler, nil) }
        }
    }
}
