import Glibc

/// Waiting for nothing but time.
enum Pause {
    /// Lets this thread sleep, through signals.
    static func nanoseconds(_ nanoseconds: UInt64) {
        var wanted = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var rest = timespec()
        while nanosleep(&wanted, &rest) < 0, errno == EINTR { wanted = rest }
    }
}
