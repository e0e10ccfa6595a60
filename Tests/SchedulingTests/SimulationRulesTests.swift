import Scheduling
import Simulation
import Testing

/// How a simulation models a job, checked by cases with known answers.
@Suite("A simulated job")
struct SimulationRulesTests {
    private static let second: Int64 = 1_000_000_000

    private func constant(_ count: Int, _ cost: Int64) -> ExampleCosts {
        ExampleCosts(repeating: [cost], count: count)
    }

    @Test("takes one example to the rank by two messages of the root and a way")
    func direct() throws {
        let simulator = ScheduleSimulator(ranks: 1)
        let outcome = try simulator.run(constant(1, Self.second))
        #expect(outcome.makespan == Self.second + 2 * simulator.messageCost + simulator.delay)
        #expect(outcome.chunks == 1 && outcome.messages == 3 && outcome.bound == Self.second)
    }

    @Test("takes it there by a relay, which needs its time, too, and is a way more from the root")
    func relayed() throws {
        var simulator = ScheduleSimulator(ranks: 1)
        simulator.relays = .init(ranksPerHost: 64, hop: 7, cost: 100, partCost: 30)
        let outcome = try simulator.run(constant(1, Self.second))
        let root = 2 * (simulator.messageCost + 30)
        #expect(outcome.makespan == Self.second + root + 2 * simulator.delay + 2 * 100 + 7)
        // Each of its two messages is answered by one message.
        #expect(outcome.chunks == 1 && outcome.messages == 4)
    }

    @Test("has slow ranks that count for what they are", arguments: [0, 1, 10])
    func stragglers(every: Int) throws {
        var simulator = ScheduleSimulator(ranks: 10)
        simulator.stragglers = .init(every: every, slowness: 10)
        let outcome = try simulator.run(constant(2_000, 20_000_000))
        let pace = every == 0 ? 10 : every == 1 ? 1 : 9.1
        #expect(abs(Double(outcome.bound) - 40e9 / pace) < 10)
        // The last example of a slow rank takes 0.2 seconds.
        #expect(outcome.makespan < outcome.bound + 300_000_000, "\(outcome)")
    }

    @Test("ends no sooner than it is noticed that a rank died that had something, and does that again")
    func deaths() throws {
        var simulator = ScheduleSimulator(ranks: 2)
        simulator.policy = .fixed(1)
        simulator.failures = FailurePolicy(crashLimit: 2)
        simulator.deaths = .init(meanLife: Double(Self.second), notice: 60 * Self.second)
        let costs = constant(200, Self.second / 10)
        let late = try simulator.run(costs)
        #expect(late.lost == 1 && late.failed == 0 && late.makespan > 60 * Self.second, "\(late)")
        simulator.deaths.notice = 0
        let soon = try simulator.run(costs)
        // One example is lost.
        #expect(
            soon.lost == 1 && soon.bound <= soon.makespan && soon.makespan < soon.bound + Self.second / 4, "\(soon)")
        #expect(soon.bound == late.bound && soon.bound > 10 * Self.second && soon.bound < 20 * Self.second)
    }

    @Test("counts examples as failed on which too many ranks died")
    func crashes() throws {
        var simulator = ScheduleSimulator(ranks: 100)
        simulator.policy = .fixed(1)
        simulator.failures = FailurePolicy(continues: true, crashLimit: 1)
        simulator.deaths = .init(meanLife: 2e9, notice: 0)
        let outcome = try simulator.run(constant(1_000, Self.second))
        #expect(outcome.lost == 99 && outcome.failed > 50 && outcome.failed <= outcome.lost, "\(outcome)")
    }

    @Test("gathers what ranks say to a root that is late, and nothing where it is not", arguments: [true, false])
    func gathering(isLate: Bool) throws {
        var simulator = ScheduleSimulator(ranks: 640)
        simulator.policy = .fixed(1)
        let costs = constant(64_000, isLate ? 1_000_000 : Self.second)
        let without = try simulator.run(costs)
        simulator.relays = .init(ranksPerHost: 64, hop: 10_000, cost: 5_000, partCost: 1_000)
        let with = try simulator.run(costs)
        #expect(with.chunks == without.chunks && with.chunks == 64_000)
        if isLate {
            #expect(10 * with.messages < without.messages && 5 * with.makespan < without.makespan, "\(with) \(without)")
        } else {
            #expect(with.makespan < without.makespan + without.makespan / 100, "\(with) \(without)")
        }
    }

    @Test("ends in order whatever comes together", arguments: [ChunkPolicy.adaptive, .fixed(1)])
    func together(policy: ChunkPolicy) throws {
        var simulator = ScheduleSimulator(ranks: 300)
        simulator.policy = policy
        simulator.failures = FailurePolicy(continues: true, retries: 3, crashLimit: 100)
        simulator.failing = 7
        simulator.stragglers = .init(every: 50, slowness: 10)
        simulator.deaths = .init(meanLife: 20e9, notice: Self.second / 10)
        simulator.relays = .init(ranksPerHost: 64, hop: 10_000, cost: 5_000, partCost: 1_000)
        let costs = CostDistribution.bimodal.costs(30_000, mean: 20_000_000)
        let outcome = try simulator.run(ExampleCosts(costs))
        #expect(outcome.failed == 0 && outcome.lost > 10 && outcome.makespan >= outcome.bound, "\(outcome)")
    }
}
