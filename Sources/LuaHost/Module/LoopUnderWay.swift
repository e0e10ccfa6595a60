import CSystem

/// The clock of the chunk that a rank works on.
public struct LoopUnderWay {
    /// When it started.
    let start: UInt64
    private let deadline: UInt64
    private var nextLook: UInt64
    /// After how many nanoseconds to report on what is done, and when to do so next.
    private let reportInterval: UInt64
    private var nextReport: UInt64
    /// When the latest example ended; a tick early at most.
    private var latest: UInt64

    /// How often to ask whether all work is to stop, in nanoseconds: asking may take a system call.
    private static let lookInterval: UInt64 = 10_000_000

    /// Two ticks of the clock that is read after each example.
    private static let certainTime: UInt64 = 20_000_000

    /// Starts the clock; after `giveBackAfter` nanoseconds (0: never) what is unstarted should go back, and every
    /// `reportInterval` nanoseconds (0: never) what is done should be reported.
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
        /// Say first which ones are done.
        case report
        /// Give the rest back.
        case giveBack
    }

    /// What to do next: the rest of the chunk goes back because its time is over, or because `isHalted`, which is asked now
    /// and then.
    ///
    /// It is asked after each example, however short, and so reads a clock that is a tick late at most: the times are ten
    /// milliseconds at least.
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

    /// How long the example has been under work that comes after the latest of which it was asked what to do next; nil
    /// where that is too short to tell.
    var sinceLatest: UInt64? {
        let now = dlp_now()
        return now > latest + Self.certainTime ? now - latest : nil
    }
}
