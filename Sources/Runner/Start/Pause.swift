import Glibc

/// Waiting for nothing but time.
enum Pause {
    /// Lets this thread sleep, through signals.
    static func milliseconds(_ milliseconds: Int) {
        var wanted = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        var rest = timespec()
        while nanosleep(&wanted, &rest) < 0, errno == EINTR { wanted = rest }
    }
}
