import CSystem

/// The clock of the chunk that a rank works on.
public struct LoopUnderWay {
    /// When it started.
    let start: UInt64
    private let deadline: UInt64
    private var nextLook: UInt64
    /// The time between reports on what is done, in nanoseconds, and when the next one is due.
    private let reportInterval: UInt64
    private var nextReport: UInt64
    /// When the latest example ended; a clock tick too early at most.
    private var latest: UInt64

    /// How often to ask whether all work is to stop, in nanoseconds: asking may take a system call.
    private static let lookInterval: UInt64 = 10_000_000

    /// Two ticks of the clock that is read after each example, in nanoseconds.
    private static let certainTime: UInt64 = 20_000_000

    /// Starts the clock.
    ///
    /// After `giveBackAfter` nanoseconds (0: never) examples that have not been started should go back; every
    /// `reportInterval` nanoseconds (0: never) finished examples should be reported.
    public init(giveBackAfter: Int64 = 0, reportInterval: UInt64 = 0) {
        start = dlp_now()
        latest = start
        self.reportInterval = reportInterval
        nextReport = reportInterval > 0 ? start + reportInterval : .max
        deadline = giveBackAfter > 0 ? start + UInt64(giveBackAfter) : .max
        nextLook = start + Self.lookInterval
    }

    /// Nanoseconds since the start.
    public var elapsed: UInt64 { dlp_now() - start }

    /// What to do between two examples of a chunk.
    enum Step {
        /// Begin the next one.
        case goOn
        /// Report first which examples are done.
        case report
        /// Give the rest back.
        case giveBack
    }

    /// Returns what to do next.
    ///
    /// The rest of the chunk goes back if its time is over, or if `isHalted` says so, which is called at most once
    /// every ten milliseconds.
    ///
    /// This is called after each example, however short. It therefore reads a fast clock, which is a tick late at most; that is
    /// enough, as all the times here are ten milliseconds or more.
    mutating func step<Failure: Error>(_ isHalted: () throws(Failure) -> Bool) throws(Failure) -> Step {
        let now = dlp_now_roughly()
        latest = now
        guard now < deadline else { return .giveBack }
        guard now >= nextLook else { return .goOn }
        nextLook = now + Self.lookInterval
        if try isHalted() { return .giveBack }
        guard now >= nextReport else { return .goOn }
        nextReport = now + reportInterval
        return .report
    }

    /// The time since the latest call of `step`, which the running example has taken; nil where that is too short to tell.
    var sinceLatest: UInt64? {
        let now = dlp_now()
        return now > latest + Self.certainTime ? now - latest : nil
    }
}
