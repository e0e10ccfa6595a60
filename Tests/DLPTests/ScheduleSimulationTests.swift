import DLP
import Glibc
import Testing

/// How the costs of examples are distributed, and in which order they come.
enum CostDistribution: String, CaseIterable, CustomTestStringConvertible {
    case constant, bimodal, heavyTail, ascending, descending

    var testDescription: String { rawValue }

    /// `count` costs in nanoseconds with a mean of about `mean`, the same in every run.
    func costs(_ count: Int, mean: Double) -> [Int64] {
        var generator = SeededGenerator(seed: 7)
        switch self {
        case .constant: return Array(repeating: Int64(mean), count: count)
        case .bimodal:
            // One of five takes six times as long as the others.
            return (0..<count).map { _ in Int64(generator.unit() < 0.2 ? 3 * mean : 0.5 * mean) }
        case .heavyTail:
            // A Pareto distribution: its mean is three times its least value, its variance infinite.
            return (0..<count).map { _ in Int64(mean / 3 / pow(1 - generator.unit(), 1 / 1.5)) }
        case .ascending: return (0..<count).map { Int64(2 * mean * Double($0 + 1) / Double(count)) }
        case .descending: return (0..<count).map { Int64(2 * mean * Double(count - $0) / Double(count)) }
        }
    }
}

@Suite("Simulated jobs end within 5 % of what is possible")
struct ScheduleSimulationTests {
    private static let millisecond = 1e6

    private func check(
        _ simulator: ScheduleSimulator, _ distribution: CostDistribution, _ count: Int, mean: Double
    ) throws {
        let outcome = try simulator.run(costs: distribution.costs(count, mean: mean))
        print(
            "\(distribution), \(simulator.ranks) ranks, \(count) examples of \(mean / 1e6) ms: "
                + "\(Double(outcome.makespan) / 1e9) s, ratio \(outcome.ratio), \(outcome.chunks) chunks")
        #expect(outcome.ratio < 1.05)
    }

    @Test("with 10,000 ranks", arguments: CostDistribution.allCases)
    func manyRanks(_ distribution: CostDistribution) throws {
        try check(ScheduleSimulator(ranks: 10_000), distribution, 1_000_000, mean: 200 * Self.millisecond)
    }

    @Test("with few ranks and long examples", arguments: CostDistribution.allCases, [2, 5, 16])
    func longExamples(_ distribution: CostDistribution, ranks: Int) throws {
        try check(ScheduleSimulator(ranks: ranks), distribution, 200 * ranks, mean: 500 * Self.millisecond)
    }

    @Test("with few ranks and short examples", arguments: CostDistribution.allCases, [2, 5, 16])
    func shortExamples(_ distribution: CostDistribution, ranks: Int) throws {
        try check(ScheduleSimulator(ranks: ranks), distribution, 200_000, mean: 0.01 * Self.millisecond)
    }
}
