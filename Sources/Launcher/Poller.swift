import CSystem
import Glibc

/// Waits for descriptors (epoll); each is known by a number that the caller chooses.
final class Poller {
    /// How far behind its time a wait may end, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000

    private let descriptor: Int32
    /// Why something could not be watched, until somebody asks.
    private var failure: Int32?
    /// When the last wait ended.
    private var lastLook = dlp_now()
    /// Whether the last wait ended far behind its time: this process stood still, and what has come meanwhile is unread.
    private(set) var isOverdue = false
    private var events = [epoll_event](repeating: epoll_event(), count: 256)

    init() throws(LaunchError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if descriptor < 0 { throw LaunchError(system: "cannot wait for ranks") }
    }

    deinit { close(descriptor) }

    /// What a descriptor is watched for; that it was closed on the other side is always told.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let input = Interest(rawValue: EPOLLIN.rawValue)
        static let output = Interest(rawValue: EPOLLOUT.rawValue)
    }

    /// Begins to watch `watched`.
    func add(_ watched: Int32, as number: Int, for interest: Interest) {
        control(EPOLL_CTL_ADD, watched, number, interest)
    }

    /// Begins to watch `watched` for input, where it is something that can be waited for: a file always has some.
    func addIfPossible(_ watched: Int32, as number: Int) -> Bool {
        var event = epoll_event()
        event.events = Interest.input.rawValue
        event.data.u64 = UInt64(number)
        return epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0
    }

    /// Goes on to watch `watched`, for something else.
    func change(_ watched: Int32, as number: Int, for interest: Interest) {
        control(EPOLL_CTL_MOD, watched, number, interest)
    }

    private func control(_ operation: Int32, _ watched: Int32, _ number: Int, _ interest: Interest) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = UInt64(number)
        if epoll_ctl(descriptor, operation, watched, &event) != 0 { failure = errno }
    }

    /// Why something could not be watched, once: what comes of it would go unnoticed.
    func takeFailure() -> Int32? { failure.take() }

    /// Ceases to watch `watched`.
    func remove(_ watched: Int32) { epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil) }

    /// Waits until `deadline`, in nanoseconds of the monotonic clock, and gives the numbers of what is ready.
    func wait(until deadline: UInt64?) -> [Int] {
        var milliseconds: Int32 = -1
        if let deadline {
            let now = dlp_now()
            // Rounded up: a wait that ends before its deadline would be followed by another, and another.
            milliseconds = deadline <= now ? 0 : Int32(clamping: (deadline - now + 999_999) / 1_000_000)
        }
        let count = epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        let due = max(lastLook, deadline ?? .max)
        lastLook = dlp_now()
        isOverdue = lastLook > due && lastLook - due > Self.patience
        return events.prefix(max(Int(count), 0)).map { Int($0.data.u64) }
    }
}
