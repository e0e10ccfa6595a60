import CSystem
import Glibc

/// Waits for descriptors with epoll.
///
/// Each is known by a number that the caller chooses.
final class Poller {
    /// How much later than planned a wait may end, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000

    private let descriptor: Int32
    /// Why a descriptor could not be watched, until `takeFailure` returns it.
    private var failure: Int32?
    /// When the last wait ended.
    private var lastLook = dlp_now()
    /// Whether the last wait ended much later than planned: then this process stood still, and messages are still
    /// unread.
    private(set) var isOverdue = false
    private var events = [epoll_event](repeating: epoll_event(), count: 256)

    init() throws(LaunchError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if descriptor < 0 { throw LaunchError(system: "cannot wait for ranks") }
    }

    deinit { close(descriptor) }

    /// The events for which a descriptor is watched.
    ///
    /// That the other side has closed it is always reported.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let input = Interest(rawValue: EPOLLIN.rawValue)
        static let output = Interest(rawValue: EPOLLOUT.rawValue)
    }

    /// Begins to watch `watched`.
    func add(_ watched: Int32, as number: Int, for interest: Interest) {
        control(EPOLL_CTL_ADD, watched, number, interest)
    }

    /// Begins to watch `watched` for input, if it can be polled.
    ///
    /// A file cannot: it is always ready.
    func addIfPossible(_ watched: Int32, as number: Int) -> Bool {
        var event = epoll_event()
        event.events = Interest.input.rawValue
        event.data.u64 = UInt64(number)
        return epoll_ctl(descriptor, EPOLL_CTL_ADD, watched, &event) == 0
    }

    /// Watches `watched` for other events from now on.
    func change(_ watched: Int32, as number: Int, for interest: Interest) {
        control(EPOLL_CTL_MOD, watched, number, interest)
    }

    private func control(_ operation: Int32, _ watched: Int32, _ number: Int, _ interest: Interest) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = UInt64(number)
        if epoll_ctl(descriptor, operation, watched, &event) != 0 { failure = errno }
    }

    /// Returns why a descriptor could not be watched; only once.
    ///
    /// Its events would go unnoticed.
    func takeFailure() -> Int32? { failure.take() }

    /// Stops watching `watched`.
    func remove(_ watched: Int32) { epoll_ctl(descriptor, EPOLL_CTL_DEL, watched, nil) }

    /// Waits until `deadline`, in nanoseconds of the monotonic clock, and returns the numbers of ready descriptors.
    func wait(until deadline: UInt64?) -> [Int] {
        var milliseconds: Int32 = -1
        if let deadline {
            let now = dlp_now()
            // Rounded up: a wait that ends before its deadline would be followed by more waits.
            milliseconds = deadline <= now ? 0 : Int32(clamping: (deadline - now + 999_999) / 1_000_000)
        }
        let count = epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
        let due = max(lastLook, deadline ?? .max)
        lastLook = dlp_now()
        isOverdue = lastLook > due && lastLook - due > Self.patience
        return events.prefix(max(Int(count), 0)).map { Int($0.data.u64) }
    }
}
