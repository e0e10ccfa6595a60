import CSystem
import Glibc
import SystemSupport

/// Wakes the thread that polls its descriptor.
package final class EventWaker: Waker {
    /// Readable while a wake is pending.
    package let descriptor: Int32

    /// A waker with no wake pending.
    ///
    /// - Throws: `CommunicationError` where the system has no descriptor to give.
    package init() throws(CommunicationError) {
        descriptor = dlp_event()
        guard descriptor >= 0 else {
            throw CommunicationError("cannot make an event descriptor: \(systemMessage(descriptor))")
        }
    }

    deinit { close(descriptor) }

    package func wake() {
        var one: UInt64 = 1
        while write(descriptor, &one, 8) < 0 {
            // The counter is full, so a wake is pending anyway.
            if errno == EAGAIN { return }
            // Otherwise the waiting thread would wait for ever.
            if errno != EINTR { dlp_quit_without_descriptor() }
        }
    }

    /// Waits at most `nanoseconds` for a wake, and clears it.
    ///
    /// Returns false where none came.
    package func wait(nanoseconds: UInt64) -> Bool {
        guard dlp_wait_readable(descriptor, nanoseconds) > 0 else { return false }
        reset()
        return true
    }

    /// Clears the pending wakes.
    package func reset() {
        var count: UInt64 = 0
        // A closed descriptor counts as readable at once, each time: the thread would spin for ever.
        if read(descriptor, &count, 8) < 0, errno == EBADF { dlp_quit_without_descriptor() }
    }
}
