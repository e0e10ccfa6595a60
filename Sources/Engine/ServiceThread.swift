import Glibc
import SystemSupport

/// A plain thread, joined explicitly or detached: the rank's code blocks, so nothing here is `async`.
package struct ServiceThread {
    /// Carries the body across `pthread_create`, which passes one pointer.
    private final class Start {
        let body: () -> Void
        init(body: @escaping () -> Void) { self.body = body }
    }

    private let handle: pthread_t

    /// Runs `body` on a new thread, to which everything that it captures is handed over.
    ///
    /// Signals are not delivered to it: they are for the thread that computes.
    ///
    /// - Throws: `CommunicationError` where the system has no thread to give.
    package init(_ body: sending @escaping () -> Void) throws(CommunicationError) {
        let start = Unmanaged.passRetained(Start(body: body))
        // The new thread inherits the signal mask.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        // Signals of a crash stay unblocked. If they were blocked they would still end the process, but without their
        // handlers being run.
        for crash in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE] { sigdelset(&all, crash) }
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { argument in
                if let argument { Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw CommunicationError("cannot start a thread: \(systemMessage(code))")
        }
        self.handle = handle
    }

    /// Runs `body` on a new detached thread; otherwise like `init`.
    package static func detach(_ body: sending @escaping () -> Void) throws(CommunicationError) {
        pthread_detach(try ServiceThread(body).handle)
    }

    /// Waits until the body has returned.
    package func join() { pthread_join(handle, nil) }
}
