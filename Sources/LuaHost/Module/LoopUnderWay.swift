import CSystem

/// The clock of the chunk that a rank works on.
public struct LoopUnderWay {
    private let start: UInt64
    private let deadline: UInt64

    /// Starts the clock; after `giveBackAfter` nanoseconds (0: never) what is unstarted should go back.
    public init(giveBackAfter: Int64 = 0) {
        start = dlp_now()
        deadline = giveBackAfter > 0 ? start + UInt64(giveBackAfter) : .max
    }

    /// Nanoseconds since the start.
    public var elapsed: UInt64 { dlp_now() - start }

    /// Whether the rest of the chunk should go back; a tick late at most.
    ///
    /// It is asked after each example, however short, and the time is ten milliseconds at least.
    public var isOverTime: Bool { deadline != .max && dlp_now_roughly() >= deadline }
}
