import CSystem

/// Measures the most memory that this rank holds while at examples, or a program that they run.
///
/// To read and reset that takes several microseconds, so it is done every millisecond at most: what is reported sooner has the
/// memory that the rank held a moment ago.
struct MemoryMeter {
    private static let interval: UInt64 = 1_000_000

    /// Whether somebody wants to know: the system's own peak of this process begins anew each time.
    var isWanted = false
    /// When it was read last, and what this process held then; 0 where the system does not say.
    private var latest: UInt64 = 0
    private var present: Int64 = 0

    /// Examples follow: what was held before does not count.
    mutating func begin(at now: UInt64) {
        guard isWanted else { return }
        _ = dlp_take_program_memory()
        if now >= latest + Self.interval { _ = read(at: now) }
    }

    /// The peak since the last call, or since examples began, in bytes; 0 where nobody knows.
    mutating func take(at now: UInt64) -> Int64 {
        guard isWanted else { return 0 }
        let programs = dlp_take_program_memory()
        let own = now >= latest + Self.interval ? read(at: now) : present
        return own > 0 ? max(own, programs) : 0
    }

    /// Reads the peak of this process, and lets a new one begin.
    private mutating func read(at now: UInt64) -> Int64 {
        latest = now
        var memory = dlp_memory()
        guard dlp_take_own_memory(&memory) != 0 else {
            present = 0
            return 0
        }
        present = memory.present
        return memory.peak
    }
}
