import CSystem

/// Measures the peak memory of this rank, or of a program that it runs, while it works on examples.
///
/// Reading and resetting the peak takes several microseconds, so it is done once a millisecond at most. A report that comes
/// sooner contains the memory that the rank held at the last reading.
struct MemoryMeter {
    private static let interval: UInt64 = 1_000_000

    /// Whether memory is to be measured.
    ///
    /// If so, the system's peak of this process is reset with each reading.
    var isWanted = false
    /// When the peak was read last, and what this process held then; 0 where the system does not say.
    private var latest: UInt64 = 0
    private var present: Int64 = 0

    /// Begins a measurement for the examples that follow: what was held before does not count.
    mutating func begin(at now: UInt64) {
        guard isWanted else { return }
        _ = dlp_take_program_memory()
        if now >= latest + Self.interval { _ = read(at: now) }
    }

    /// Returns the peak since the last call, or since examples began, in bytes; 0 where it is unknown.
    mutating func take(at now: UInt64) -> Int64 {
        guard isWanted else { return 0 }
        let programs = dlp_take_program_memory()
        let own = now >= latest + Self.interval ? read(at: now) : present
        return own > 0 ? max(own, programs) : 0
    }

    /// Reads the peak of this process, and resets it.
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
