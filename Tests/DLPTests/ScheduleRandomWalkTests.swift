import DLP
import Testing

@Suite("Random walks through larger schedules")
struct ScheduleRandomWalkTests {
    @Test("the invariants hold and the list is finished as long as a worker remains", arguments: UInt64(1)...60)
    func walk(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let examples = Int.random(in: 0...400, using: &generator)
        let extents: [ManagedSchedule.Extent] = [.known(examples), .growing, .unbounded]
        let policies: [ChunkPolicy] = [.fixed(Int.random(in: 1...9, using: &generator)), .adaptive]
        let setup = ScheduleHarness.Setup(
            extent: extents[Int(seed % 3)], workers: Int.random(in: 1...20, using: &generator),
            policy: policies[Int(seed % 2)], resultsStay: Bool.random(using: &generator),
            cost: [0, 1000, 900_000, 3_000_000].randomElement(using: &generator) ?? 0, examples: examples)
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
        let anyoneLeft = harness.phases.contains { $0 == .active || $0 == .ended }
        #expect(harness.allDone || !anyoneLeft, "seed \(seed)")
    }
}
