public import Scheduling

/// A discrete-event simulation of a job: ranks that work, a network that delays, a root that serves one at a time.
public struct ScheduleSimulator {
    /// How many ranks there are, all of which work.
    public var ranks: Int
    /// Nanoseconds from the root to a rank, and from a rank to the root; with relays between these and the root.
    public var delay: Int64 = 50_000
    /// Nanoseconds for which the root is busy with one message that it receives or sends.
    public var messageCost: Int64 = 10_000
    /// How the schedule cuts chunks.
    public var policy = ChunkPolicy.adaptive
    /// What becomes of examples that fail, and of those that ranks died of.
    public var failures = FailurePolicy()
    /// Whether the list may be gone through from its end.
    public var mayBeginAtEnd = false
    /// Whether the schedule knows what examples cost.
    public var knowsCosts = false
    /// Of this many examples one fails the first time; 0: none does.
    public var failing = 0
    /// Which ranks are slow.
    public var stragglers = Stragglers.none
    /// When ranks die.
    public var deaths = Deaths.none
    /// What stands between the root and the ranks of each host; nil: nothing does.
    public var relays: Relays?

    /// A simulation of a job of this many ranks.
    public init(ranks: Int) { self.ranks = ranks }

    /// Ranks that take longer than the others for everything.
    public struct Stragglers: Sendable {
        /// Of this many ranks the last one is slow; 0: none is.
        public var every: Int
        /// How many times as long it takes.
        public var slowness: Int64

        /// Of `every` ranks one that takes `slowness` times as long.
        public init(every: Int, slowness: Int64) { (self.every, self.slowness) = (every, max(1, slowness)) }

        /// All ranks are equally fast.
        public static let none = Stragglers(every: 0, slowness: 1)
    }

    /// Ranks that die, with what they have, with the same chance at any moment; rank 0 never does.
    public struct Deaths: Sendable {
        /// How long a rank lives on average, in nanoseconds; 0: for ever.
        public var meanLife: Double
        /// After how many nanoseconds the news leaves for the root.
        public var notice: Int64

        /// Ranks that live `meanLife` on average, and whose deaths are noticed after `notice`.
        public init(meanLife: Double, notice: Int64) { (self.meanLife, self.notice) = (meanLife, max(0, notice)) }

        /// All ranks live on.
        public static let none = Deaths(meanLife: 0, notice: 0)
    }

    /// A process on each host through which its ranks communicate with the root.
    ///
    /// While one message of a relay is under way to the root and back, the relay gathers what its ranks send. All of
    /// that is its next message, and the root answers each message with one.
    public struct Relays: Sendable {
        /// How many ranks a host has.
        public var ranksPerHost: Int
        /// Nanoseconds from a rank to its relay, and from there to the rank.
        public var hop: Int64
        /// Nanoseconds for which a relay is busy with a message from, or for, one of its ranks.
        public var cost: Int64
        /// Nanoseconds for which the root is busy with one rank's part of a message, or with a chunk for a rank,
        /// besides the message.
        public var partCost: Int64

        /// Relays of hosts with this many ranks each.
        public init(ranksPerHost: Int, hop: Int64, cost: Int64, partCost: Int64) {
            self.ranksPerHost = max(1, ranksPerHost)
            (self.hop, self.cost, self.partCost) = (hop, cost, partCost)
        }
    }

    /// How a simulated job went.
    public struct Outcome {
        /// Nanoseconds from the start until the last example was done.
        public var makespan: Int64
        /// How often a rank was given examples.
        public var chunks: Int
        /// The time that no schedule could beat: that of the longest example, or that with every rank busy as long as
        /// it lives.
        public var bound: Int64
        /// Nanoseconds for which the root was busy with messages.
        public var rootBusy: Int64
        /// How many messages it received and sent.
        public var messages: Int
        /// How many ranks the root lost.
        public var lost: Int
        /// How many examples failed for good, for example because too many ranks died while they had them.
        public var failed: Int

        /// How much longer than `bound` it took.
        public var ratio: Double { Double(makespan) / Double(bound) }
    }

    /// Runs a job whose examples have these costs.
    ///
    /// - Throws: `ScheduleViolation` where schedule and simulation do not fit together.
    public func run(_ costs: ExampleCosts) throws -> Outcome {
        var job = SimulatedJob(self, costs)
        return try job.run()
    }
}

/// The schedule left examples undone.
public struct UnfinishedJob: Error {}
