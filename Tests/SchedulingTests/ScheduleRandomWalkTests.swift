import Scheduling
import Simulation
import Testing

@Suite("Random walks through larger schedules")
struct ScheduleRandomWalkTests {
    @Test("the invariants hold and the list is finished as long as a worker remains", arguments: UInt64(1)...120)
    func walk(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let examples = Int.random(in: 0...400, using: &generator)
        var course = SeededGenerator(seed: seed)
        let begins = Int.random(in: 0...examples, using: &course)
        let grows = Bool.random(using: &course)
        let extents: [ManagedSchedule.Extent] = [.known(grows ? begins : examples), .growing, .unbounded]
        let policies: [ChunkPolicy] = [.fixed(Int.random(in: 1...9, using: &generator)), .adaptive]
        let extent = extents[Int(seed % 3)]
        let workers = Int.random(in: 1...20, using: &generator)
        let hasShares = extent != .unbounded && Bool.random(using: &generator)
        var setup = ScheduleHarness.Setup(
            extent: extent, workers: workers, policy: policies[Int(seed % 2)],
            failures: FailurePolicy(
                retries: Int.random(in: 0...3, using: &generator), crashLimit: Int.random(in: 0...3, using: &generator)),
            resultsStay: Bool.random(using: &generator),
            shares: hasShares ? Int.random(in: max(1, workers - 1)...workers, using: &generator) : nil,
            cost: [0, 1000, 900_000, 3_000_000].randomElement(using: &generator) ?? 0, examples: examples)
        setup.sharesInChunks = Bool.random(using: &generator)
        setup.mayGrow = grows && extent == .known(begins)
        setup.skips = Bool.random(using: &generator)
        setup.hasParts = Bool.random(using: &generator)
        setup.halts = Int.random(in: 0..<3, using: &generator) == 0
        setup.late = Int.random(in: 0...6, using: &generator)
        setup.mayRetire = Bool.random(using: &generator)
        setup.mayReturn = !hasShares && extent != .unbounded && Bool.random(using: &generator)
        setup.hasLimit = extent != .unbounded && Int.random(in: 0..<3, using: &course) == 0
        setup.mayBeginAtEnd = Bool.random(using: &generator) && !setup.hasLimit
        setup.rise = [0, 100, 100_000].randomElement(using: &generator) ?? 0
        if extent != .unbounded, Bool.random(using: &course) {
            let known = Int.random(in: 0...examples, using: &course)
            setup.costs = (0..<known).map { _ in [0, 1, 5, 1000].randomElement(using: &course) ?? 0 }
        }
        var harness = ScheduleHarness(setup)
        var trail: [ScheduleEvent] = []
        while true {
            let events = harness.possibleEvents(disturbed: Int.random(in: 0..<4, using: &generator) == 0)
            guard var event = events.randomElement(using: &generator) else { break }
            // Otherwise most steps of a walk would be deaths.
            if event.isDisturbance(in: harness), Int.random(in: 0..<3, using: &generator) > 0 {
                event = events[0]
            }
            trail.append(event)
            do { try harness.apply(event) } catch {
                Issue.record("\(error), seed \(seed), \(setup), at the end of \(trail.suffix(20))")
                return
            }
        }
        if case .known = extent, harness.allDone, !harness.isHalted, let share = harness.schedule.costShare {
            #expect(abs(share - 1) < 1e-3, "seed \(seed): all is done, and \(share) of what it costs")
        }
        let anyoneLeft = harness.phases.contains { [.active, .delivering, .ended].contains($0) }
        #expect(harness.allDone || !anyoneLeft, "seed \(seed)")
    }
}
