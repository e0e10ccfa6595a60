import Glibc

/// Waiting for nothing but time.
enum Pause {
    /// Lets this thread sleep, through signals.
    static func seconds(_ seconds: Int) {
        var wanted = timespec(tv_sec: seconds, tv_nsec: 0)
        var rest = timespec()
        while nanosleep(&wanted, &rest) < 0, errno == EINTR { wanted = rest }
    }
}
