import CSystem

/// How long to pause between two looks for messages: MPI cannot be waited for asleep.
///
/// A wait begins with yielding, for an answer often comes at once. Then it sleeps a quarter of the time that it has
/// lasted: that delays no message by more than a quarter of what it took to come, of a long wait by no more than a
/// hundredth, and soon costs next to nothing. Where all who send ring a bell the sleep is a net below them only, and
/// doubles the wait.
/// Data under way moves only while someone looks, so each byte buys time in which looking goes on without sleep; when
/// that is spent the other side is busy with something else.
struct Backoff {
    /// What to do before the next look.
    enum Pause: Equatable {
        /// Let others have the core, if there are any.
        case yield
        /// Sleep for so many nanoseconds.
        case sleep(UInt64)
    }

    /// How long a wait yields, in nanoseconds.
    static let patience: UInt64 = 30_000
    /// The longest sleep of a wait of up to a hundred times as long, in nanoseconds.
    static let usualSleep: UInt64 = 1_000_000
    /// The shortest sleep where bells are rung, in nanoseconds.
    static let shortestSleepWithBells: UInt64 = 10_000_000
    /// The longest sleep of all, in nanoseconds.
    static let longestSleep: UInt64 = 100_000_000
    /// The same while data is under way, which some libraries move in small parts.
    static let longestSleepInTransfer: UInt64 = 200_000
    /// How many nanoseconds of looking a byte buys: the time of a transfer at 200 MB/s.
    static let creditPerByte: UInt64 = 5

    private var began: UInt64?
    private var lastLook: UInt64 = 0
    private var credit: UInt64 = 0

    /// A transfer of so many bytes has begun.
    mutating func began(transferOf bytes: Int) {
        let (more, overflow) = UInt64(bytes).multipliedReportingOverflow(by: Self.creditPerByte)
        credit = overflow ? .max : credit.addingReportingOverflow(more).overflow ? .max : credit + more
    }

    /// Something came: the next wait is a new one.
    mutating func endWait() { began = nil }

    /// What to do after a look, at `now`, that found nothing; with `hearsAll` whoever sends something rings a bell that
    /// ends the sleep.
    mutating func pause(at now: UInt64, isTransferring: Bool, hearsAll: Bool) -> Pause {
        let start = began ?? now
        if began == nil {
            began = now
            lastLook = now
        }
        let sinceLastLook = now - lastLook
        lastLook = now
        guard isTransferring else {
            credit = 0
            return Self.rest(now - start) { waited in
                let long = min(hearsAll ? waited : waited / 100, Self.longestSleep)
                return hearsAll ? max(long, Self.shortestSleepWithBells) : min(waited / 4, max(long, Self.usualSleep))
            }
        }
        guard credit > sinceLastLook else {
            credit = 0
            return Self.rest(now - start) { waited in min(waited / 4, Self.longestSleepInTransfer) }
        }
        credit -= sinceLastLook
        return .yield
    }

    private static func rest(_ waited: UInt64, _ sleep: (UInt64) -> UInt64) -> Pause {
        waited < patience ? .yield : .sleep(sleep(waited))
    }
}
