public import Scheduling

/// Predicts how long a job takes on other numbers of ranks.
///
/// It runs the schedule's own code in simulated time, with lengths of examples that were measured.
public struct Plan: Sendable {
    /// How the ranks of the job work.
    public struct Conduct: Sendable {
        /// How large chunks are.
        public var policy = ChunkPolicy.adaptive
        /// Whether each rank has its share from the start, by round robin.
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
        /// The range in which nine of ten such jobs would end; a single time where no lengths had to be drawn.
        public var range: ClosedRange<Double>
        /// The work, divided by what the ranks cost: 1 where all are busy all the time.
        public var efficiency: Double
        /// The makespan where the longest examples are begun first; nil where each rank has its share.
        public var longestFirst: Double?

        /// What the ranks cost, in seconds.
        public var rankSeconds: Double { makespan * Double(ranks) }
    }

    /// Lists that the job may have, each with the lengths of its examples in units of `unit`.
    private let lists: [ExampleCosts]
    private let conduct: Conduct
    /// Seconds that one unit of the lists is: a nanosecond, or more where a century of work would not fit.
    private let unit: Double
    /// How many examples the job has.
    public let count: Int
    /// How many of them have been measured.
    public let measured: Int

    /// The most numbers that are drawn for all lists together, so that a plan is ready at once.
    private static let mostDraws = 4_000_000
    private static let lists = 20...40
    /// Neighbours are taken together as one example where each rank has more examples than these, unless examples are
    /// shorter than this, in seconds.
    ///
    /// This can move the end by no more than a rank's last one. Shorter examples are handed out together anyway.
    private static let (examplesPerRank, shortest) = (200, 2e-4)
    /// The most ranks that are planned for.
    public static let mostRanks = 100_000

    /// - Parameters:
    ///   - seconds: how long examples took, in the order of the list.
    ///   - count: how many the job has; where these are more, the others are drawn from those that were measured,
    ///     several times, which shows the spread (the bootstrap; Efron, Annals of Statistics 7, 1979).
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
            // A sample of the same size as the measured one: it shows how much one sample tells of the whole.
            let sample = costs.map { _ in costs[generator.below(costs.count)] }
            // A part of a very long list stands for all of it.
            let drawn = (0..<min(max(count, costs.count), Self.mostDraws / wanted)).map { _ in
                sample[generator.below(sample.count)]
            }
            return ExampleCosts(repeating: drawn, count: max(count, costs.count))
        }
    }

    /// Whether the longest examples can be begun first.
    public var canOrder: Bool { !conduct.hasShares }

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
        let ordered = !canOrder ? [] : try lists.map { try makespan($0, ranks: ranks, isOrdered: true) }
        let middle = Self.median(makespans)
        let margin = makespans.count / 20
        return Row(
            ranks: ranks, makespan: middle, range: makespans[margin]...makespans[makespans.count - 1 - margin],
            efficiency: middle > 0 ? min(1, work.total / middle / Double(ranks)) : 1,
            longestFirst: ordered.isEmpty ? nil : Self.median(ordered))
    }

    /// The times for numbers of ranks that double, up to the number beyond which more do not help, for the middle one
    /// of the lists.
    ///
    /// - Throws: as `row`.
    public func curve() throws -> [(ranks: Int, seconds: Double)] {
        var search = Search(self)
        let useful = try search.usefulRanks(isRough: true)
        var numbers = [1]
        while let last = numbers.last, last < useful { numbers.append(min(2 * last, search.most)) }
        return try numbers.map { ($0, try search.seconds($0)) }
    }

    /// The fewest ranks whose time is at most a twentieth longer than that of any other number; above fifty ranks, to
    /// within a fiftieth.
    ///
    /// - Throws: as `row`.
    public func usefulRanks() throws -> Int {
        var search = Search(self)
        return try search.usefulRanks()
    }

    /// Looks for the number of ranks beyond which more do not help: times fall up to there, and may rise behind it.
    private struct Search {
        let plan: Plan
        let list: ExampleCosts
        let most: Int
        var known: [Int: Double] = [:]

        init(_ plan: Plan) {
            self.plan = plan
            list = plan.lists[plan.lists.count / 2]
            // One for each example, and one that only hands out.
            most = max(1, min(plan.count + (plan.conduct.rootWorks ? 0 : 1), Plan.mostRanks))
        }

        mutating func seconds(_ ranks: Int) throws -> Double {
            if let known = known[ranks] { return known }
            let seconds = try plan.makespan(list, ranks: ranks)
            known[ranks] = seconds
            return seconds
        }

        /// - Parameter isRough: a number that was looked at anyway is good enough.
        mutating func usefulRanks(isRough: Bool = false) throws -> Int {
            let (total, longest) = (Double(list.before(list.count)) * plan.unit, Double(list.longest) * plan.unit)
            // No rank has more to do than the longest example from here on, if all goes well.
            var start = 1
            while start < most, Double(2 * start) * longest < total { start = min(2 * start, most) }
            var best = try seconds(start)
            var (ranks, worse) = (start, 0)
            // Nothing is shorter than the longest example.
            while ranks < most, worse < 3, best > longest * 1.001 {
                ranks = min(2 * ranks, most)
                let time = try seconds(ranks)
                worse = time > best * 1.05 ? worse + 1 : 0
                best = min(best, time)
            }
            // With many more ranks than the examples are worth, the number of ranks itself costs time.
            var below = start / 2
            while below > 0, Double(below) * best * 1.05 >= total {
                let time = try seconds(below)
                best = min(best, time)
                guard time <= best * 1.05 else { break }
                below /= 2
            }
            let aim = best * 1.05
            let fits = known.filter { $0.value <= aim }.keys.min() ?? 1
            let fails = known.filter { $0.key < fits && $0.value > aim }.keys.max() ?? 0
            var (low, high) = (max(fails + 1, min(fits, Int(total / max(aim, 1e-12)))), fits)
            while !isRough, high - low > low / 50 {
                let middle = (low + high) / 2
                if try seconds(middle) <= aim { high = middle } else { low = middle + 1 }
            }
            return high
        }
    }

    private func makespan(_ costs: ExampleCosts, ranks: Int, isOrdered: Bool = false) throws -> Double {
        let workers = conduct.rootWorks ? ranks : max(1, ranks - 1)
        if conduct.hasShares { return Double(Self.sharedOut(costs, workers)) * unit }
        var simulator = ScheduleSimulator(ranks: workers)
        simulator.policy = conduct.policy
        simulator.mayBeginAtEnd = true
        simulator.knowsCosts = isOrdered
        let share = costs.count / workers / Self.examplesPerRank
        let isLong = Double(costs.before(costs.count)) * unit > Self.shortest * Double(costs.count)
        let units = conduct.policy == .adaptive && share > 1 && isLong ? costs.merged(share) : costs
        return Double(try simulator.run(units).makespan) * unit
    }

    /// The makespan where each worker has every `workers`-th example.
    private static func sharedOut(_ costs: ExampleCosts, _ workers: Int) -> Int64 {
        var busy = [Int64](repeating: 0, count: workers)
        for example in 0..<costs.count { busy[example % workers] += costs.before(example + 1) - costs.before(example) }
        return busy.max() ?? 0
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
