/// The progress of a job, or of one of its loops.
public struct ProgressState: Sendable, Hashable {
    /// How many examples are done or have failed for good.
    public var done: Int
    /// How many of them were done before this job began.
    public var earlier: Int
    /// How many examples there are; nil where it is not known yet.
    public var total: Int?
    /// How many have failed for good.
    public var failures: Int
    /// The fraction, by cost, of the examples to be done that is done; nil where the costs are not known.
    public var costShare: Double?
    /// How many ranks are working.
    public var busyRanks: Int
    /// How many ranks there are.
    public var ranks: Int
    /// How many ranks are lost.
    public var lostRanks = 0
    /// How many costs of examples are known, and how many are determined before the first example begins; nil once that is
    /// over.
    public var costing: Costing?
    /// How long determining the costs took, in nanoseconds.
    public var costingTime: UInt64 = 0
    /// When the job began, in nanoseconds of the monotonic clock.
    public var start: UInt64
    /// The current time on the same clock.
    public var now: UInt64
    /// How many examples per second were done recently, for a watcher who does not know when the job began.
    public var recentRate: Double?

    /// The progress of determining the costs of examples.
    public struct Costing: Sendable, Hashable {
        /// How many costs are known.
        public var known: Int
        /// How many costs are to be determined.
        public var wanted: Int

        /// `known` of `wanted` costs are known.
        public init(known: Int, wanted: Int) { (self.known, self.wanted) = (known, wanted) }
    }

    /// A state; arguments that are left out are 0 or unknown.
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
    /// The seconds in which examples could be done.
    private var working: Double { max(0, elapsed - Double(costingTime) / 1e9) }
    /// Examples per second.
    var rate: Double { recentRate ?? (working > 0 ? Double(done - earlier) / working : 0) }
    /// The fraction that is done, from 0 to 1; nil where the total is unknown.
    var fraction: Double? {
        if let costing { return costing.wanted > 0 ? min(1, Double(costing.known) / Double(costing.wanted)) : 1 }
        guard let total else { return nil }
        return total > 0 ? min(1, max(0, Double(done) / Double(total))) : 1
    }
    /// The seconds that the rest will take at this rate; nil where that cannot be estimated.
    var remaining: Double? {
        guard let total, rate > 0 else { return nil }
        // By cost, because examples differ and the longest come first.
        if let costShare, costShare > 0 { return working * (1 - costShare) / costShare }
        return Double(max(0, total - done)) / rate
    }
}
