import Glibc

/// The wall clock, which users may set.
package enum WallClock {
    /// Seconds since 1970.
    package static var now: Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
