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
    /// How many of them are lost.
    public var lostRanks = 0
    /// Of how many examples it is known what they cost, and of how many that is asked before the first of them begins; nil
    /// where nobody asks any more.
    public var costing: Costing?
    /// How long that took, in nanoseconds.
    public var costingTime: UInt64 = 0
    /// When it began, in nanoseconds of the monotonic clock.
    public var start: UInt64
    /// The present time on the same clock.
    public var now: UInt64
    /// How many examples a second are done of late, for an onlooker who does not know when the job began.
    public var recentRate: Double?

    /// How far those are who ask what examples cost.
    public struct Costing: Sendable, Hashable {
        /// Of how many it is known.
        public var known: Int
        /// Of how many that is asked.
        public var wanted: Int

        /// Of `known` of `wanted` examples it is known.
        public init(known: Int, wanted: Int) { (self.known, self.wanted) = (known, wanted) }
    }

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
    /// Seconds in which examples could be done.
    private var working: Double { max(0, elapsed - Double(costingTime) / 1e9) }
    /// Examples per second.
    var rate: Double { recentRate ?? (working > 0 ? Double(done - earlier) / working : 0) }
    /// Which part is done, from 0 to 1; nil where the total is unknown.
    var fraction: Double? {
        if let costing { return costing.wanted > 0 ? min(1, Double(costing.known) / Double(costing.wanted)) : 1 }
        guard let total else { return nil }
        return total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1
    }
    /// Seconds that the rest will take at this rate; nil where nobody can tell.
    var remaining: Double? {
        guard let total, rate > 0 else { return nil }
        // Examples are not alike, and the longest come first.
        if let costShare, costShare > 0 { return working * (1 - costShare) / costShare }
        return Double(max(0, total - done)) / rate
    }
}
