/// Decides when an example has used up its time.
///
/// It has no clock and no thread: the caller tells it the time.
///
/// It looks periodically at which example is running, so that examples need not read a clock when they begin. It therefore
/// notices an example late, by a sixteenth of the limit at most, and never early.
struct ExampleTimer {
    /// What to do about the running example; durations are in nanoseconds.
    enum Verdict: Equatable {
        /// Nothing.
        case lookAgain(after: UInt64)
        /// Make it fail.
        case expire(lookAgain: UInt64)
        /// The example cannot be made to fail, because it is in a function that nothing can interrupt.
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

    /// Returns what to do at the time `now` while the example `number` is running (0: none).
    mutating func look(at number: UInt64, now: UInt64) -> Verdict {
        if number == 0 || number != self.number {
            self.number = number
            elapsed = 0
        } else {
            // The time during which this process was stopped does not count.
            elapsed += min(now - lastLook, 2 * pause)
        }
        lastLook = now
        if elapsed >= limit + grace { return .giveUp }
        guard elapsed < limit else {
            // A script's error handler can undo what makes the example fail; so that is repeated.
            pause = max(grace / 20, 1)
            return .expire(lookAgain: pause)
        }
        pause = max(min(limit / 16, limit - elapsed), 1_000_000)
        return .lookAgain(after: pause)
    }
}
