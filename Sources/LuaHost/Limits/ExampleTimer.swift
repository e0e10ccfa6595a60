/// Decides when an example has had its time; it is told the time, and has neither clock nor thread.
///
/// It looks from time to time at which example is under way, so that examples need not read a clock when they begin. So
/// it sees one later than it began, by a sixteenth of the limit at most, and never earlier.
struct ExampleTimer {
    /// What is to be done about the example under way; durations are in nanoseconds.
    enum Verdict: Equatable {
        /// Nothing.
        case lookAgain(after: UInt64)
        /// Make it fail.
        case expire(lookAgain: UInt64)
        /// It does not fail, as it is in a function that nothing can interrupt.
        case giveUp
    }

    /// How long an example may take, and how long after that it may take to fail.
    private let limit: UInt64
    private let grace: UInt64
    private var number: UInt64 = 0
    private var elapsed: UInt64 = 0
    private var lastLook: UInt64 = 0
    private var pause: UInt64 = 0

    /// A timer with both in nanoseconds.
    init(limit: UInt64, grace: UInt64) {
        self.limit = limit
        self.grace = grace
    }

    /// What to do at the time `now` while the example `number` is under way (0: none).
    mutating func look(at number: UInt64, now: UInt64) -> Verdict {
        if number == 0 || number != self.number {
            self.number = number
            elapsed = 0
        } else {
            // A process that was stopped did not work meanwhile.
            elapsed += min(now - lastLook, 2 * pause)
        }
        lastLook = now
        if elapsed >= limit + grace { return .giveUp }
        guard elapsed < limit else {
            // A script can undo what makes it fail, while it handles the error; so that is done again.
            pause = max(grace / 20, 1)
            return .expire(lookAgain: pause)
        }
        pause = max(min(limit / 16, limit - elapsed), 1_000_000)
        return .lookAgain(after: pause)
    }
}
