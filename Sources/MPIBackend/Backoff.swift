import CSystem

/// How long to pause between two looks for messages: MPI cannot be waited for asleep.
///
/// A wait begins by looking again at once, since the first look may only make the library take in what has come. Then
/// it yields, since an answer often comes soon. Then it sleeps a quarter of the time that it has lasted. This delays no
/// message by more than a quarter of what it took to come, in a long wait by no more than a hundredth, and soon costs
/// next to nothing. A wait that a bell will end sleeps at once, and wakes by itself only in case the bell does not
/// ring.
///
/// Data under way moves only while this rank looks, so each byte buys time in which looking goes on without sleep. When
/// that time is spent, the other side is busy with something else.
struct Backoff {
    /// What to do before the next look.
    enum Pause: Equatable {
        /// Nothing.
        case none
        /// Let other threads have the core, if there are any.
        case yield
        /// Sleep for this many nanoseconds.
        case sleep(UInt64)
    }

    /// How many looks follow each other at once.
    static let firstLooks = 3
    /// How long a wait yields, in nanoseconds.
    static let patience: UInt64 = 30_000
    /// The longest sleep of a wait of up to a hundred times as long, in nanoseconds.
    static let usualSleep: UInt64 = 1_000_000
    /// The shortest sleep of a wait that a bell will end, in nanoseconds.
    static let shortestSleepWithBell: UInt64 = 10_000_000
    /// The longest sleep of all, in nanoseconds.
    static let longestSleep: UInt64 = 100_000_000
    /// The same while data is under way, which some libraries move in small parts.
    static let longestSleepInTransfer: UInt64 = 200_000
    /// How many nanoseconds of looking a byte buys: the time of a transfer at 200 MB/s.
    static let creditPerByte: UInt64 = 5

    private var began: UInt64?
    private var looks = 0
    private var lastLook: UInt64 = 0
    private var credit: UInt64 = 0

    /// A transfer of this many bytes has begun.
    mutating func began(transferOf bytes: Int) {
        let (more, overflow) = UInt64(bytes).multipliedReportingOverflow(by: Self.creditPerByte)
        credit = overflow ? .max : credit.addingReportingOverflow(more).overflow ? .max : credit + more
    }

    /// Something came: the next wait is a new one.
    mutating func endWait() {
        began = nil
        looks = 0
    }

    /// What to do after a look, at `now`, that found nothing.
    ///
    /// With `willHear` a bell rings when the sleep should end.
    mutating func pause(at now: UInt64, isTransferring: Bool, willHear: Bool) -> Pause {
        let start = began ?? now
        if began == nil {
            began = now
            lastLook = now
        }
        let sinceLastLook = now - lastLook
        lastLook = now
        looks += 1
        if !isTransferring { credit = 0 }
        if willHear, !isTransferring {
            return .sleep(min(max(now - start, Self.shortestSleepWithBell), Self.longestSleep))
        }
        if looks < Self.firstLooks { return .none }
        if isTransferring, credit > sinceLastLook {
            credit -= sinceLastLook
            return .yield
        }
        credit = 0
        let waited = now - start
        guard waited >= Self.patience else { return .yield }
        let longest =
            isTransferring ? Self.longestSleepInTransfer : max(Self.usualSleep, min(waited / 100, Self.longestSleep))
        return .sleep(min(waited / 4, longest))
    }
}
