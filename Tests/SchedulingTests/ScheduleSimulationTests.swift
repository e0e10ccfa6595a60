import Scheduling
import Simulation
import Testing

@Suite("Simulated jobs end within 5 % of what is possible")
struct ScheduleSimulationTests {
    private static let millisecond = 1e6

    private func run(
        _ simulator: ScheduleSimulator, _ distribution: CostDistribution, _ count: Int, mean: Double
    ) throws -> (outcome: ScheduleSimulator.Outcome, costs: [Int64]) {
        let costs = distribution.costs(count, mean: mean)
        let outcome = try simulator.run(ExampleCosts(costs))
        print(
            "\(distribution), \(simulator.ranks) ranks, \(count) examples of \(mean / 1e6) ms: "
                + "\(Double(outcome.makespan) / 1e9) s, ratio \(outcome.ratio), \(outcome.chunks) chunks")
        return (outcome, costs)
    }

    @Test("with 10,000 ranks", arguments: CostDistribution.allCases)
    func manyRanks(_ distribution: CostDistribution) throws {
        let simulator = ScheduleSimulator(ranks: 10_000)
        #expect(try run(simulator, distribution, 1_000_000, mean: 200 * Self.millisecond).outcome.ratio < 1.05)
    }

    /// A very long example late in the list delays any schedule that does not know of it.
    ///
    /// So the reference is a schedule that hands out examples one at a time and at no cost.
    @Test("with few ranks and long examples", arguments: CostDistribution.allCases, [2, 5, 16])
    func longExamples(_ distribution: CostDistribution, ranks: Int) throws {
        let simulator = ScheduleSimulator(ranks: ranks)
        let (outcome, costs) = try run(simulator, distribution, 200 * ranks, mean: 500 * Self.millisecond)
        #expect(Double(outcome.makespan) < 1.01 * Double(listScheduled(costs, ranks: ranks)))
        #expect(distribution == .heavyTail || outcome.ratio < 1.05)
    }

    @Test(
        "with costs that rise along the list, also where the last examples are very long", arguments: [2, 8, 64, 1000])
    func rising(ranks: Int) throws {
        var simulator = ScheduleSimulator(ranks: ranks)
        simulator.mayBeginAtEnd = true
        let heavy = CostDistribution.heavyTail.costs(60 * ranks, mean: 100 * Self.millisecond).sorted()
        for costs in [heavy, heavy.reversed(), CostDistribution.ascending.costs(60 * ranks, mean: 1e8)] {
            let outcome = try simulator.run(ExampleCosts(costs))
            print("\(ranks) ranks, first \(costs[0]), last \(costs[costs.count - 1]): ratio \(outcome.ratio)")
            #expect(outcome.ratio < 1.05)
        }
    }

    /// Returns the makespan where each free rank takes the next example (list scheduling; Graham, Bell System
    /// Technical Journal 45, 1966).
    private func listScheduled(_ costs: [Int64], ranks: Int) -> Int64 {
        var free = Array(repeating: Int64(0), count: ranks)
        for cost in costs {
            let first = free.indices.min { free[$0] < free[$1] } ?? 0
            free[first] += cost
        }
        return free.max() ?? 0
    }

    /// The lower bound does not include the failed attempts.
    @Test(
        "where a tenth of the examples fails at first, and half of the ranks die", arguments: [false, true],
        [2, 16, 1000])
    func failures(areMortal: Bool, ranks: Int) throws {
        var simulator = ScheduleSimulator(ranks: ranks)
        simulator.failures = FailurePolicy(retries: 1, crashLimit: 1 << 10)
        simulator.failing = 10
        if areMortal { simulator.deaths = .init(meanLife: 6e9, notice: 0) }
        let count = 200 * ranks
        let (outcome, _) = try run(simulator, .constant, count, mean: 20 * Self.millisecond)
        // With two ranks, the other one has to do everything that failed on the first, which may be half of all
        // examples.
        let best = ranks == 2 ? 1.25 : 1.15
        #expect(outcome.ratio < best * (areMortal ? 1.1 : 1))
        #expect((outcome.lost > ranks / 4) == areMortal && outcome.failed == 0, "\(outcome)")
    }

    @Test("with few ranks and short examples", arguments: CostDistribution.allCases, [2, 5, 16])
    func shortExamples(_ distribution: CostDistribution, ranks: Int) throws {
        let simulator = ScheduleSimulator(ranks: ranks)
        #expect(try run(simulator, distribution, 200_000, mean: 0.01 * Self.millisecond).outcome.ratio < 1.05)
    }
}
