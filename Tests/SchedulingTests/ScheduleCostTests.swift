import Simulation
import Testing

@testable import Scheduling

@Suite("A schedule that knows what examples cost")
struct ScheduleCostTests {
    private static let shapes = CostDistribution.allCases.map(\.rawValue) + ["random", "one long", "with nothing"]

    private static func costs(_ shape: String, _ count: Int, mean: Double) -> [Int64] {
        if let distribution = CostDistribution(rawValue: shape) { return distribution.costs(count, mean: mean) }
        var generator = SeededGenerator(seed: 3)
        switch shape {
        case "one long": return (0..<count).map { Int64($0 == count - 1 ? mean * Double(count) / 3 : mean) }
        case "with nothing": return (0..<count).map { $0 % 3 == 0 ? 0 : Int64(mean) }
        default: return (0..<count).map { _ in Int64(Double.random(in: 0..<2 * mean, using: &generator)) }
        }
    }

    /// Returns the makespan where each free rank takes the longest example that is left (LPT; Graham, SIAM Journal on
    /// Applied Mathematics 17, 1969).
    private func longestFirst(_ costs: [Int64], ranks: Int) -> Int64 {
        var free = [Int64](repeating: 0, count: ranks)
        for cost in costs.sorted(by: >) {
            // The first of the earliest ranks, from a heap in an array.
            free[0] += cost
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < ranks && free[child] < free[least] {
                    least = child
                }
                if least == parent { break }
                free.swapAt(parent, least)
                parent = least
            }
        }
        return free.max() ?? 0
    }

    @Test(
        "ends within 1 % of the longest first, one by one, at no cost", arguments: shapes,
        [2, 3, 8, 64].flatMap { ranks in [10, 60, 1000, 100_000].map { (ranks: ranks, count: $0) } })
    func makespan(_ shape: String, _ size: (ranks: Int, count: Int)) throws {
        let (ranks, count) = size
        var simulator = ScheduleSimulator(ranks: ranks)
        simulator.knowsCosts = true
        let costs = Self.costs(shape, count, mean: 2e9)
        let outcome = try simulator.run(ExampleCosts(costs))
        let best = longestFirst(costs, ranks: ranks)
        let ratio = Double(outcome.makespan) / Double(best)
        print("\(shape), \(ranks) ranks, \(count) examples: \(ratio) of longest first, \(outcome.chunks) chunks")
        #expect(ratio < 1.01)
    }

    @Test("short examples are not handed out one by one", arguments: shapes, [2, 16])
    func shortExamples(_ shape: String, ranks: Int) throws {
        var simulator = ScheduleSimulator(ranks: ranks)
        simulator.knowsCosts = true
        let outcome = try simulator.run(ExampleCosts(Self.costs(shape, 200_000, mean: 1e4)))
        print("\(shape), \(ranks) ranks: ratio \(outcome.ratio), \(outcome.chunks) chunks")
        #expect(outcome.ratio < 1.05)
        #expect(outcome.chunks < 20_000)
    }

    /// Except where every third example costs nothing: those are left over between the others, and each is handed out
    /// alone.
    @Test(
        "examples of a few milliseconds are done no later than without costs", arguments: shapes.dropLast(), [2, 8, 32])
    func mediumExamples(_ shape: String, ranks: Int) throws {
        var simulator = ScheduleSimulator(ranks: ranks)
        let costs = ExampleCosts(Self.costs(shape, 100 * ranks, mean: 3e6))
        let without = try simulator.run(costs)
        simulator.knowsCosts = true
        let outcome = try simulator.run(costs)
        print("\(shape), \(ranks) ranks: ratio \(outcome.ratio), without \(without.ratio)")
        #expect(outcome.ratio < max(1.05, without.ratio * 1.01))
    }

    /// Returns the chunks that a lone worker is given, one after another, without delay.
    private func sequence(_ costs: [Double], _ count: Int, _ policy: ChunkPolicy, limit: Int? = nil) throws -> [Chunk] {
        var schedule = ManagedSchedule(.known(count), workers: 1, policy: policy)
        schedule.order(by: costs)
        var actions: [ScheduleAction] = []
        if let limit { schedule.limit(to: limit, into: &actions) }
        try schedule.enter(0, into: &actions)
        var chunks: [Chunk] = []
        while !actions.isEmpty {
            guard case .assign(_, let chunk, _) = actions.removeFirst() else { continue }
            chunks.append(chunk)
            try schedule.done(
                0, first: chunk.first, completed: chunk.count, nanoseconds: 1_000_000_000 * Int64(chunk.count),
                into: &actions)
        }
        return chunks
    }

    @Test("begins the longest first, of equal ones the first")
    func order() throws {
        let chunks = try sequence([1, 3, 2, 3, 0.5], 5, .adaptive)
        #expect(chunks.flatMap { Array($0.indices) } == [1, 3, 2, 0, 4])
    }

    @Test("takes what has no cost for the mean, and nothing from costs that are all nothing")
    func unknown() throws {
        #expect(try sequence([1, 9], 4, .fixed(1)).map(\.first) == [1, 2, 3, 0])
        #expect(try sequence([0, 0, 0], 3, .fixed(1)).map(\.first) == [0, 1, 2])
        #expect(try sequence([], 3, .fixed(1)).map(\.first) == [0, 1, 2])
        #expect(try sequence([1e308, 1.7e308, 0], 3, .fixed(1)).map(\.first) == [1, 0, 2])
    }

    @Test("gives long examples alone, and short ones by as many as are wanted")
    func fixedChunks() throws {
        let costs = (0..<1000).map { $0 == 500 ? 1000.0 : 1.0 }
        let chunks = try sequence(costs, 1000, .fixed(7))
        #expect(chunks.first == Chunk(first: 500, count: 1))
        #expect(chunks[1...].dropLast().allSatisfy { $0.count == 7 || $0.end == 500 })
        #expect(chunks.reduce(0) { $0 + $1.count } == 1000)
    }

    @Test("hands out nothing behind a limit, however long it is")
    func limits() throws {
        var schedule = ManagedSchedule(.known(6), workers: 1, policy: .fixed(1))
        var actions: [ScheduleAction] = []
        schedule.limit(to: 3, into: &actions)
        schedule.order(by: [1, 3, 2, 4, 6, 5])
        try schedule.enter(0, into: &actions)
        var order: [Int] = []
        func work() throws {
            while !actions.isEmpty {
                guard case .assign(_, let chunk, _) = actions.removeFirst() else { continue }
                order.append(chunk.first)
                try schedule.done(0, first: chunk.first, completed: 1, nanoseconds: 1_000_000_000, into: &actions)
            }
        }
        try work()
        #expect(order == [1, 2, 0])
        #expect(abs((schedule.costShare ?? 0) - 6 / 21) < 1e-6)
        schedule.limit(to: 6, into: &actions)
        try work()
        #expect(order == [1, 2, 0, 4, 5, 3] && schedule.finished)
        #expect(abs((schedule.costShare ?? 0) - 1) < 1e-6)
    }
}
