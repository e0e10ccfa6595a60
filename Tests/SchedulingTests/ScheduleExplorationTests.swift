import Scheduling
import Testing

@Suite("Every order of events on a small schedule")
struct ScheduleExplorationTests {
    struct Case: CustomTestStringConvertible {
        var workers: Int
        var examples: Int
        var policy: ChunkPolicy
        var cost: Int64
        /// How many times at most an example fails, or a worker leaves, dies or gives something back.
        var disturbances: Int
        var failures: FailurePolicy?

        var testDescription: String {
            "\(workers) workers, \(examples) examples, \(policy.size), \(cost) ns, \(disturbances) disturbances"
        }
    }

    private static let cases = cases([
        (1, 8, 3), (2, 8, 1), (2, 4, 2), (3, 4, 1), (4, 6, 0), (4, 2, 1), (2, 0, 2), (3, 1, 3),
    ])
    /// If it also matters which worker did what, or when the list grew, there are far more states.
    private static let smallCases = cases([
        (1, 8, 2), (2, 6, 0), (2, 4, 1), (3, 2, 1), (3, 4, 0), (4, 2, 0), (2, 2, 3), (2, 0, 2),
    ])

    private static func cases(_ sizes: [(workers: Int, examples: Int, disturbances: Int)]) -> [Case] {
        let policies: [(ChunkPolicy, cost: Int64)] = [
            (.fixed(1), 0), (.fixed(2), 0), (.adaptive, 0), (.adaptive, 900_000), (.adaptive, 5_000_000),
        ]
        return sizes.flatMap { size in
            policies.map { policy, cost in
                Case(
                    workers: size.workers, examples: size.examples, policy: policy, cost: cost,
                    disturbances: size.disturbances)
            }
        }
    }

    @Test("every example is done once and every worker ended, where results reach the root", arguments: cases)
    func resultsReachRoot(_ test: Case) throws { try explore(test, .known(test.examples), resultsStay: false) }

    @Test("every example is done once and every worker ended, where results stay", arguments: smallCases)
    func resultsStay(_ test: Case) throws { try explore(test, .known(test.examples), resultsStay: true) }

    @Test("shares are done like any list", arguments: smallCases)
    func shares(_ test: Case) throws {
        try explore(test, .known(test.examples), resultsStay: false, shares: test.workers)
    }

    @Test("shares of a list that grows are done like any list", arguments: smallCases)
    func growingShares(_ test: Case) throws {
        try explore(test, .growing, resultsStay: false, shares: max(1, test.workers - 1))
    }

    @Test(
        "whatever fails and whoever dies, as often as may be",
        arguments: [(0, 0), (0, 1), (1, 1), (2, 1), (0, 2), (2, 2)], 1...3)
    func failures(_ failures: (retries: Int, crashLimit: Int), _ workers: Int) throws {
        let test = Case(
            workers: workers, examples: 3, policy: .fixed(2), cost: 0, disturbances: workers == 3 ? 2 : 3,
            failures: FailurePolicy(retries: failures.retries, crashLimit: failures.crashLimit))
        try explore(test, .known(test.examples), resultsStay: false)
        try explore(test, .known(test.examples), resultsStay: true)
        try explore(test, .known(test.examples), resultsStay: false, shares: workers)
        try explore(test, .growing, resultsStay: false)
    }

    @Test(
        "every example is done once, whoever comes late, retires or dies",
        arguments: [(1, 1, 3, 3), (1, 2, 2, 3), (2, 1, 3, 2)], [false, true])
    func late(_ size: (workers: Int, late: Int, examples: Int, disturbances: Int), _ resultsStay: Bool) throws {
        for policy in [ChunkPolicy.fixed(1), .fixed(2), .adaptive] {
            let test = Case(
                workers: size.workers, examples: size.examples, policy: policy, cost: 900_000,
                disturbances: size.disturbances)
            try explore(test, .known(test.examples), resultsStay: resultsStay, late: size.late)
            try explore(test, .growing, resultsStay: resultsStay, late: size.late)
        }
    }

    @Test(
        "every example is done once, from whichever end",
        arguments: [(1, 6, 2), (2, 6, 1), (3, 5, 1), (4, 3, 0), (2, 0, 1)], [Int64(0), 900_000])
    func eitherEnd(_ size: (workers: Int, examples: Int, disturbances: Int), _ rise: Int64) throws {
        for (policy, resultsStay) in [(ChunkPolicy.fixed(1), false), (.fixed(2), false), (.fixed(1), true)] {
            let test = Case(
                workers: size.workers, examples: size.examples, policy: policy, cost: 100_000,
                disturbances: size.disturbances, failures: FailurePolicy(retries: 1, crashLimit: 1))
            try explore(test, .known(test.examples), resultsStay: resultsStay, rise: rise, halts: true)
        }
    }

    @Test("a list that grows is done like one that is known", arguments: smallCases)
    func growing(_ test: Case) throws { try explore(test, .growing, resultsStay: false) }

    @Test("a list without a known end is done like one that is known", arguments: smallCases)
    func unbounded(_ test: Case) throws { try explore(test, .unbounded, resultsStay: false) }

    @Test(
        "after a halt nothing is handed out, and all workers are ended when none has anything left",
        arguments: [(1, 4, 2), (2, 4, 2), (3, 2, 2), (2, 0, 2)], [ChunkPolicy.fixed(1), .fixed(2), .adaptive])
    func halt(_ size: (workers: Int, examples: Int, disturbances: Int), _ policy: ChunkPolicy) throws {
        let test = Case(
            workers: size.workers, examples: size.examples, policy: policy, cost: 0, disturbances: size.disturbances,
            failures: FailurePolicy(retries: 1, crashLimit: 1))
        try explore(test, .known(test.examples), resultsStay: false, halts: true)
        try explore(test, .known(test.examples), resultsStay: true, halts: true)
        try explore(test, .growing, resultsStay: false, shares: max(1, test.workers - 1), halts: true)
        try explore(test, .unbounded, resultsStay: false, halts: true)
    }

    @Test(
        "what is reported while its chunk goes on is done once, whoever dies after that",
        arguments: [(1, 6, 3), (2, 5, 2), (3, 4, 1)], [false, true])
    func parts(_ size: (workers: Int, examples: Int, disturbances: Int), _ resultsStay: Bool) throws {
        for (extent, shares) in [(ManagedSchedule.Extent.known(size.examples), nil), (.growing, size.workers)] {
            let test = Case(
                workers: size.workers, examples: size.examples, policy: .fixed(3), cost: 0,
                disturbances: size.disturbances, failures: FailurePolicy(retries: 1, crashLimit: 1))
            try explore(test, extent, resultsStay: resultsStay, shares: shares, hasParts: true)
        }
    }

    @Test(
        "every example is done once, whoever is lost and returns",
        arguments: [(1, 3, 4), (2, 3, 3), (3, 2, 3)], [false, true])
    func returns(_ size: (workers: Int, examples: Int, disturbances: Int), _ resultsStay: Bool) throws {
        for policy in [ChunkPolicy.fixed(1), .fixed(2), .fixed(3)] {
            let test = Case(
                workers: size.workers, examples: size.examples, policy: policy, cost: 0,
                disturbances: size.disturbances, failures: FailurePolicy(retries: 1, crashLimit: 2))
            try explore(test, .known(test.examples), resultsStay: resultsStay, returns: true)
            try explore(test, .growing, resultsStay: resultsStay, halts: true, returns: true)
        }
    }

    @Test("behind a limit, which moves, nothing is handed out", arguments: [nil, 2])
    func limits(shares: Int?) throws {
        let test = Case(
            workers: 2, examples: 3, policy: .fixed(2), cost: 0, disturbances: 2,
            failures: FailurePolicy(retries: 1, crashLimit: 2))
        for extent in [ManagedSchedule.Extent.known(test.examples), .growing] {
            try explore(test, extent, resultsStay: false, shares: shares, hasLimit: true)
        }
    }

    /// Goes through all reachable states; the harness checks each step.
    private func explore(
        _ test: Case, _ extent: ManagedSchedule.Extent, resultsStay: Bool, shares: Int? = nil, late: Int = 0,
        rise: Int64? = nil, halts: Bool = false, hasParts: Bool = false, returns: Bool = false, hasLimit: Bool = false
    ) throws {
        var setup = ScheduleHarness.Setup(
            extent: extent, workers: test.workers, policy: test.policy, failures: test.failures,
            resultsStay: resultsStay, shares: shares, cost: test.cost, examples: test.examples)
        (setup.rise, setup.mayBeginAtEnd) = (rise ?? 0, rise != nil)
        setup.halts = halts
        (setup.hasLimit, setup.sharesInChunks) = (hasLimit, hasLimit && shares != nil)
        setup.hasParts = hasParts
        setup.mayReturn = returns
        setup.late = late
        setup.mayRetire = late > 0
        var open = [(harness: ScheduleHarness(setup), left: test.disturbances, trail: [ScheduleEvent]())]
        // The most disturbances that were left in a state: with fewer, nothing new can follow.
        var seen: [[Int16]: Int] = [:]
        var finished = 0
        while let (harness, left, trail) = open.popLast() {
            for event in harness.possibleEvents(disturbed: left > 0) {
                var next = harness
                do { try next.apply(event) } catch {
                    Issue.record("\(error), after \(trail + [event])")
                    return
                }
                if next.allDone { finished += 1 }
                let rest = event.isDisturbance(in: harness) ? left - 1 : left
                let signature = next.signature
                guard rest > seen[signature, default: -1] else { continue }
                seen[signature] = rest
                open.append((next, rest, trail + [event]))
            }
        }
        #expect(finished > 0 || test.examples == 0)
    }
}
