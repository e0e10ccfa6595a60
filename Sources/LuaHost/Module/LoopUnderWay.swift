import CSystem

/// The clock of the chunk that a rank works on.
public struct LoopUnderWay {
    private let start: UInt64
    private let deadline: UInt64
    private var nextLook: UInt64

    /// How often to ask whether all work is to stop, in nanoseconds: asking may take a system call.
    private static let lookInterval: UInt64 = 10_000_000

    /// Starts the clock; after `giveBackAfter` nanoseconds (0: never) what is unstarted should go back.
    public init(giveBackAfter: Int64 = 0) {
        start = dlp_now()
        deadline = giveBackAfter > 0 ? start + UInt64(giveBackAfter) : .max
        nextLook = start + Self.lookInterval
    }

    /// Nanoseconds since the start.
    public var elapsed: UInt64 { dlp_now() - start }

    /// Whether the rest of the chunk should go back; a tick late at most.
    ///
    /// It is asked after each example, however short, and the time is ten milliseconds at least.
    public var isOverTime: Bool { deadline != .max && dlp_now_roughly() >= deadline }

    /// Whether the rest of the chunk should go back because its time is over, or because `isHalted`, which is asked now
    /// and then; a tick late at most, as `isOverTime`.
    mutating func shouldGiveBack<Failure: Error>(_ isHalted: () throws(Failure) -> Bool) throws(Failure) -> Bool {
        let now = dlp_now_roughly()
        guard now < deadline else { return true }
        guard now >= nextLook else { return false }
        nextLook = now + Self.lookInterval
        return try isHalted()
    }
}
