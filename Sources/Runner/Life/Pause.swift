import Glibc

/// Sleeping for a fixed time.
enum Pause {
    /// Suspends this thread for the full time, even if signals arrive.
    static func nanoseconds(_ nanoseconds: UInt64) {
        var wanted = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&wanted, &rest) < 0, errno == EINTR { wanted = rest }
    }
}
