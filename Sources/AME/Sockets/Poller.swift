import CSystem
import DLP
import Glibc

/// Waits for many descriptors at once (`epoll`, level-triggered).
final class Poller {
    /// What a descriptor is watched for, or ready for.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let reading = Interest(rawValue: UInt32(dlp_readable))
        static let writing = Interest(rawValue: UInt32(dlp_writable))
    }

    /// A descriptor, by the token under which it was added, and what it is ready for.
    typealias Event = (token: UInt64, ready: Interest)

    private static let batch = 128

    private let descriptor: Int32
    private let ready = UnsafeMutableBufferPointer<dlp_ready>.allocate(capacity: batch)

    /// - Throws: `CommunicationError` where the system has no descriptor to give.
    init() throws(CommunicationError) {
        ready.initialize(repeating: dlp_ready(token: 0, events: 0))
        descriptor = dlp_poller()
        try check(descriptor)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        ready.deallocate()
    }

    func add(_ watched: Int32, token: UInt64, for interest: Interest) throws(CommunicationError) {
        try check(dlp_poller_add(descriptor, watched, token, interest.rawValue))
    }

    func change(_ watched: Int32, token: UInt64, to interest: Interest) throws(CommunicationError) {
        try check(dlp_poller_change(descriptor, watched, token, interest.rawValue))
    }

    func remove(_ watched: Int32) { _ = dlp_poller_remove(descriptor, watched) }

    /// Waits until something is ready or `deadline` has passed; a signal may end it early.
    func wait(until deadline: Deadline) throws(CommunicationError) -> [Event] {
        let count = dlp_poller_wait(descriptor, ready.baseAddress, Int32(ready.count), deadline.milliseconds)
        if count != -EINTR { try check(count) }
        return ready.prefix(max(0, Int(count))).map { ($0.token, Interest(rawValue: $0.events)) }
    }

    private func check(_ code: Int32) throws(CommunicationError) {
        guard code < 0 else { return }
        throw CommunicationError("the system refuses to watch the connections: \(systemMessage(code))")
    }
}
