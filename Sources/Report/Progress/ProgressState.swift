/// How far a job, or one loop of it, has come.
public struct ProgressState: Sendable, Hashable {
    /// How many examples are done or have failed for good.
    public var done: Int
    /// How many of them were done before it began.
    public var earlier: Int
    /// How many examples there are; nil where that is not known yet.
    public var total: Int?
    /// How many have failed for good.
    public var failures: Int
    /// Which part of those that were to be done is, by what they cost; nil where that is not known.
    public var costShare: Double?
    /// How many ranks are at work.
    public var busyRanks: Int
    /// How many ranks there are.
    public var ranks: Int
    /// When it began, in nanoseconds of the monotonic clock.
    public var start: UInt64
    /// The present time on the same clock.
    public var now: UInt64
    /// How many examples a second are done of late, for an onlooker who does not know when the job began.
    public var recentRate: Double?

    /// A state; what is not named is 0 or unknown.
    public init(
        done: Int = 0, earlier: Int = 0, total: Int? = nil, failures: Int = 0, costShare: Double? = nil,
        busyRanks: Int = 0, ranks: Int = 1, start: UInt64, now: UInt64, recentRate: Double? = nil
    ) {
        self.done = done
        self.earlier = earlier
        self.total = total
        self.failures = failures
        self.costShare = costShare
        self.busyRanks = busyRanks
        self.ranks = ranks
        self.start = start
        self.now = now
        self.recentRate = recentRate
    }

    /// Seconds since the start.
    var elapsed: Double { now > start ? Double(now - start) / 1e9 : 0 }
    /// Examples per second.
    var rate: Double { recentRate ?? (elapsed > 0 ? Double(done - earlier) / elapsed : 0) }
    /// Which part is done, from 0 to 1; nil where the total is unknown.
    var fraction: Double? {
        guard let total else { return nil }
        return total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1
    }
    /// Seconds that the rest will take at this rate; nil where nobody can tell.
    var remaining: Double? {
        guard let total, rate > 0 else { return nil }
        // Examples are not alike, and the longest come first.
        if let costShare, costShare > 0 { return elapsed * (1 - costShare) / costShare }
        return Double(max(0, total - done)) / rate
    }
}
