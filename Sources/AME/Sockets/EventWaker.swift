import CSystem
import DLP
import Glibc

/// Wakes the thread that polls its descriptor.
final class EventWaker: Waker {
    let descriptor: Int32

    /// - Throws: `CommunicationError` where the system has no descriptor to give.
    init() throws(CommunicationError) {
        descriptor = dlp_event()
        guard descriptor >= 0 else {
            throw CommunicationError("cannot make an event descriptor: \(systemMessage(descriptor))")
        }
    }

    deinit { close(descriptor) }

    func wake() {
        var one: UInt64 = 1
        // It fails only where the counter is full: then a wake is pending anyway.
        _ = write(descriptor, &one, 8)
    }

    /// Takes the pending wakes back.
    func reset() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
