public import Scheduling

/// How long a job would take on other numbers of ranks: its schedule's own code in simulated time, from lengths that were
/// measured.
public struct Plan: Sendable {
    /// How the ranks of the job work.
    public struct Conduct: Sendable {
        /// How large chunks are.
        public var policy = ChunkPolicy.adaptive
        /// Whether each rank has its share from the start, by turns.
        public var hasShares = false
        /// Whether rank 0 works, too.
        public var rootWorks = true

        /// All ranks work, on chunks that grow and shrink.
        public init() {}
    }

    /// What to expect of a number of ranks; times are seconds.
    public struct Row: Sendable, Hashable {
        /// How many ranks.
        public var ranks: Int
        /// The makespan: from the first example's beginning to the last one's end.
        public var makespan: Double
        /// Where nine of ten such jobs would end; a single time where no lengths had to be drawn.
        public var range: ClosedRange<Double>
        /// The work, divided by what the ranks cost: 1 where all are busy all the time.
        public var efficiency: Double

        /// What the ranks cost, in seconds.
        public var rankSeconds: Double { makespan * Double(ranks) }
    }

    /// Lists that may be meant, each with the lengths of its examples in nanoseconds.
    private let lists: [ExampleCosts]
    private let conduct: Conduct
    /// Seconds that one unit of the lists is: a nanosecond, or more where a century of work would not fit.
    private let unit: Double
    /// How many examples the job has.
    public let count: Int
    /// How many of them have been measured.
    public let measured: Int

    /// Most numbers that are drawn for all lists together, so that a plan is there at once.
    private static let mostDraws = 4_000_000
    private static let lists = 3...40
    /// No more ranks are planned for.
    public static let mostRanks = 100_000

    /// - Parameters:
    ///   - seconds: how long examples took, in the order of the list.
    ///   - count: how many the job has; where these are more, the others are drawn from those that were measured, several
    ///     times, which gives the spread (the bootstrap; Efron, Annals of Statistics 7, 1979).
    ///   - conduct: how the ranks work.
    public init(seconds: [Double], of count: Int, _ conduct: Conduct = Conduct()) {
        self.conduct = conduct
        self.count = max(count, seconds.count)
        measured = seconds.count
        let seconds = seconds.map { $0.isFinite ? min(max($0, 0), 1e9) : 0 }
        let longest = seconds.max() ?? 0
        let unit = max(1e-9, longest * Double(self.count) / 4e18)
        self.unit = unit
        let costs = seconds.map { Int64(($0 / unit).rounded()) }
        guard costs.count < self.count, !costs.isEmpty else {
            lists = [ExampleCosts(costs)]
            return
        }
        var generator = SeededGenerator(seed: 0)
        let wanted = min(max(Self.mostDraws / self.count, Self.lists.lowerBound), Self.lists.upperBound)
        lists = (0..<wanted).map { _ in
            // A sample of the same size as that which there is: so much one sample tells of the whole.
            let sample = costs.map { _ in costs[generator.below(costs.count)] }
            // Of a very long list a part stands for all of it.
            let drawn = (0..<min(max(count, costs.count), Self.mostDraws)).map { _ in
                sample[generator.below(sample.count)]
            }
            return ExampleCosts(repeating: drawn, count: max(count, costs.count))
        }
    }

    /// Whether lengths had to be drawn.
    public var isExtrapolated: Bool { measured < count }

    /// Seconds of work in all, and of the longest example; where lengths were drawn, in the middle one of the lists.
    public var work: (total: Double, longest: Double) {
        (
            Self.median(lists.map { Double($0.before($0.count)) * unit }),
            Self.median(lists.map { Double($0.longest) * unit })
        )
    }

    /// What to expect of `ranks` ranks, at least 1.
    ///
    /// - Throws: `ScheduleViolation` where schedule and simulation do not fit together.
    public func row(ranks: Int) throws -> Row {
        let ranks = min(max(ranks, 1), Self.mostRanks)
        let makespans = try lists.map { try makespan($0, ranks: ranks) }.sorted()
        let middle = Self.median(makespans)
        let margin = makespans.count / 20
        return Row(
            ranks: ranks, makespan: middle, range: makespans[margin]...makespans[makespans.count - 1 - margin],
            efficiency: middle > 0 ? min(1, work.total / middle / Double(ranks)) : 1)
    }

    /// The fewest ranks whose time no other number beats by more than a twentieth.
    ///
    /// - Throws: as `row`.
    public func usefulRanks() throws -> Int {
        let list = lists[lists.count / 2]
        let most = max(1, min(count, Self.mostRanks))
        // With many more ranks than examples are worth, their number itself costs time, so the best need not be the last.
        var times: [(ranks: Int, seconds: Double)] = []
        var ranks = 1
        while true {
            times.append((ranks, try makespan(list, ranks: ranks)))
            let best = times.map(\.seconds).min() ?? 0
            if ranks == most || times.suffix(3).allSatisfy({ $0.seconds > best * 1.05 }) { break }
            ranks = min(2 * ranks, most)
        }
        let aim = (times.map(\.seconds).min() ?? 0) * 1.05
        guard let first = times.firstIndex(where: { $0.seconds <= aim }), first > 0 else { return 1 }
        var (low, high) = (times[first - 1].ranks + 1, times[first].ranks)
        while low < high {
            let middle = (low + high) / 2
            if try makespan(list, ranks: middle) <= aim { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private func makespan(_ costs: ExampleCosts, ranks: Int) throws -> Double {
        let workers = conduct.rootWorks ? ranks : max(1, ranks - 1)
        if conduct.hasShares { return Double(Self.sharedOut(costs, workers)) * unit }
        var simulator = ScheduleSimulator(ranks: workers)
        simulator.policy = conduct.policy
        simulator.mayBeginAtEnd = true
        return Double(try simulator.run(costs).makespan) * unit
    }

    /// The makespan where each worker has every `workers`-th example.
    private static func sharedOut(_ costs: ExampleCosts, _ workers: Int) -> Int64 {
        var busy = [Int64](repeating: 0, count: workers)
        for example in 0..<costs.count { busy[example % workers] += costs.before(example + 1) - costs.before(example) }
        return busy.max() ?? 0
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
