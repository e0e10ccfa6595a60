/// How many examples a rank is given at a time.
///
/// An adaptive chunk should last so long that handing it out is cheap. Towards the end chunks are a share of what
/// remains, so that all ranks finish together: guided self-scheduling (Polychronopoulos and Kuck, IEEE Transactions on
/// Computers C-36, 1987) with the smaller share that factoring (Hummel, Schonberg and Flynn, Communications of the ACM
/// 35, 1992) recommends where costs vary.
public struct ChunkPolicy: Sendable, Hashable {
    /// The size of a chunk.
    public enum Size: Sendable, Hashable {
        /// From the measured cost of an example.
        case adaptive
        /// Always this many examples, at least 1.
        case fixed(Int)
    }

    /// The size of a chunk.
    public var size: Size
    /// How long an adaptive chunk should last, in nanoseconds, where the root has few ranks to serve.
    ///
    /// The default of 2 ms makes a hand-out of 20 microseconds cost 1 %. An example that takes ten times as long is
    /// long: it is never assigned to a rank that has another one to finish first.
    public var chunkDuration: Int64
    /// What one hand-out costs the root, in nanoseconds.
    ///
    /// It bounds what the root can do: n ranks whose chunks are shorter than n times this wait for the root.
    public var handOutCost: Int64

    /// A policy.
    public init(_ size: Size, chunkDuration: Int64 = 2_000_000, handOutCost: Int64 = 20_000) {
        self.size = size
        self.chunkDuration = max(chunkDuration, 1)
        self.handOutCost = max(handOutCost, 0)
    }

    /// Chunks that follow the measured cost of an example.
    public static let adaptive = ChunkPolicy(.adaptive)

    /// Chunks of `count` examples.
    public static func fixed(_ count: Int) -> ChunkPolicy { ChunkPolicy(.fixed(count)) }
}

/// What the policy is applied to.
struct ChunkingInput {
    /// How many examples could be handed out now.
    ///
    /// Where costs are known: the cost of these examples, in units of the mean cost, as all amounts here.
    var available: Double
    /// How many ranks take part, or still may.
    var workers: Int
    /// How long an example takes.
    var cost: CostEstimate
    /// How many examples the rank's previous chunk had; 0 where there was none.
    var previous: Int
    /// What the next example costs, where costs are known.
    var next: Double?
}

/// What a chunk may have where costs are known, in units of the mean cost.
struct ChunkLimits {
    /// How many examples it has at most.
    var count: Int
    /// What they cost together at most, where there is more than one.
    var amount = Double.infinity
    /// From this cost on a long example is a chunk of its own.
    var alone = 0.0
}

extension ChunkPolicy {
    /// The most examples in a chunk, however little they cost.
    private static let largest = 1 << 30
    /// How much larger than a rank's previous chunk the next one may be: a cost measured on a few examples may
    /// mislead.
    private static let growth = 8
    /// Into how many chunks per rank the remaining examples are divided; enough to even out examples of different cost.
    private static let sharesPerWorker = 4
    /// Chunks may last this many times the time in which the root can serve every rank once, so that it has time to
    /// spare.
    private static let rootHeadroom = 4.0
    /// A chunk that takes this many times the expected time has met an example unlike the others.
    private static let patience = 5.0
    /// An example is long if it takes this many times the duration of a chunk.
    ///
    /// Then the way to the root and back, even if that takes a tenth of a chunk, is no more than 1 % of it.
    private static let longExample = 10.0
    /// Nanoseconds; keeps the number of examples finite where a clock saw no time pass.
    private static let leastCost = 0.001

    /// How many examples a chunk should have.
    func count(in input: ChunkingInput) -> Int {
        switch size {
        case .fixed(let count):
            return max(1, min(count, Self.largest))
        case .adaptive:
            guard let cost = input.cost.cautious, input.previous > 0 else { return 1 }
            let count = max(amount(at: cost, in: input), 1)
            return min(Int(min(count, Double(Self.largest))), mostExamples(in: input))
        }
    }

    /// What a chunk may have where costs are known.
    func limits(in input: ChunkingInput) -> ChunkLimits {
        switch size {
        case .fixed(let count): return ChunkLimits(count: max(1, min(count, Self.largest)))
        case .adaptive:
            guard let cost = input.cost.cautious, input.previous > 0 else { return ChunkLimits(count: 1) }
            let amount = amount(at: cost, in: input)
            return ChunkLimits(count: mostExamples(in: input), amount: amount, alone: amount)
        }
    }

    private func amount(at cost: Double, in input: ChunkingInput) -> Double {
        let ideal = Double(chunkDuration) / max(cost, Self.leastCost)
        let shortest = shortestCount(in: input)
        let longest = max(ideal, Self.rootHeadroom * shortest)
        let share = input.available / Double(Self.sharesPerWorker * input.workers)
        return max(min(share, longest), shortest)
    }

    private func mostExamples(in input: ChunkingInput) -> Int { min(input.previous, Self.largest) * Self.growth }

    /// How many examples keep a rank busy while the root serves all the others once.
    ///
    /// Smaller chunks would make ranks wait for the root, and longer than for each other. The cautious estimate would
    /// be wrong here: it would make chunks too small.
    private func shortestCount(in input: ChunkingInput) -> Double {
        Double(handOutCost) * Double(input.workers) / max(input.cost.recent ?? .infinity, Self.leastCost)
    }

    /// Whether a rank that has a chunk under work may have a second one ready.
    ///
    /// This hides the way to the root and back, which matters only where examples are short. No rank may hold examples
    /// that wait once there is no longer a chunk for every other rank.
    func allowsAhead(in input: ChunkingInput) -> Bool {
        let next = input.next ?? 1
        guard let cost = input.cost.cautious, cost * next < Self.longExample * Double(chunkDuration) else {
            return false
        }
        let count: Double =
            switch size {
            case .fixed(let count): Double(count)
            case .adaptive: shortestCount(in: input)
            }
        return input.available >= max(count, next) * Double(input.workers)
    }

    /// After how many nanoseconds a rank should give back what it has not started of a chunk; 0 for never.
    ///
    /// - Parameter amount: what the chunk costs, where that is known.
    func giveBackAfter(chunkOf count: Int, costing amount: Double? = nil, in input: ChunkingInput) -> Int64 {
        guard size == .adaptive, count > 1, let cost = input.cost.cautious else { return 0 }
        let expected = max(
            cost * (amount ?? Double(count)), Double(chunkDuration), Double(handOutCost) * Double(input.workers))
        return Int64(min(Self.patience * expected, 1e18))
    }
}
