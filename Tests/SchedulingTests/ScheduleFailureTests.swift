import Testing

@testable import Scheduling

@Suite("What a schedule makes of failures")
struct ScheduleFailureTests {
    private var actions: [ScheduleAction] = []

    /// A schedule that every worker has entered.
    private mutating func schedule(
        _ examples: Int, workers: Int, chunk: Int = 1, retries: Int = 0, crashLimit: Int = 2
    ) throws -> ManagedSchedule {
        var schedule = ManagedSchedule(
            .known(examples), workers: workers, policy: .fixed(chunk),
            failures: FailurePolicy(retries: retries, crashLimit: crashLimit))
        for worker in 0..<workers { try schedule.enter(worker, into: &actions) }
        return schedule
    }

    /// Returns the examples that were assigned since the last call, by worker.
    private mutating func assigned() -> [Int: [Int]] {
        var examples: [Int: [Int]] = [:]
        for case .assign(let worker, let chunk, _) in actions { examples[worker, default: []] += chunk.indices }
        actions = []
        return examples
    }

    @Test("a worker on which an example fails goes on with the rest of its chunk")
    mutating func goesOn() throws {
        var schedule = try schedule(4, workers: 1, chunk: 4)
        let first = try schedule.failed(0, first: 0, completed: 1, nanoseconds: 1, into: &actions)
        #expect(first.done == Chunk(first: 0, count: 1) && first.verdict == .final(attempts: 1))
        #expect(schedule.outstanding(0) == 2 && schedule.busyWorkers == 1)
        try schedule.done(0, first: 2, completed: 2, nanoseconds: 1, into: &actions)
        #expect(schedule.finished && schedule.doneCount == 3 && schedule.failedCount == 1)
        #expect(actions.last == .end(worker: 0))
    }

    @Test("what fails is tried again by another worker, after the others and not before it has rested")
    mutating func elsewhere() throws {
        var schedule = try schedule(3, workers: 2, retries: 1)
        _ = assigned()
        let verdict = try schedule.failed(0, first: 0, completed: 0, nanoseconds: 1, into: &actions).verdict
        #expect(verdict == .retry(attempts: 1))
        #expect(assigned() == [0: [2]])
        try schedule.done(1, first: 1, completed: 1, nanoseconds: 1, into: &actions)
        try schedule.done(0, first: 2, completed: 1, nanoseconds: 1, into: &actions)
        #expect(actions.isEmpty && schedule.isWaiting(0) && schedule.isWaiting(1))
        schedule.retry(0, into: &actions)
        #expect(assigned() == [1: [0]])
        try schedule.done(1, first: 0, completed: 1, nanoseconds: 1, into: &actions)
        #expect(schedule.finished && actions.count == 2)
    }

    @Test("the worker on which it failed leaves it to the others, unless they go")
    mutating func alone() throws {
        var schedule = try schedule(2, workers: 2, retries: 1)
        _ = assigned()
        _ = try schedule.failed(0, first: 0, completed: 0, nanoseconds: 1, into: &actions)
        schedule.retry(0, into: &actions)
        #expect(actions.isEmpty && schedule.isWaiting(0))
        try schedule.leave(1, into: &actions)
        #expect(assigned() == [0: [1]])
        try schedule.done(0, first: 1, completed: 1, nanoseconds: 1, into: &actions)
        #expect(assigned() == [0: [0]])
    }

    @Test("a rank that will never come is not waited for")
    mutating func abstention() throws {
        var schedule = ManagedSchedule(
            .known(1), workers: 2, policy: .fixed(1), failures: FailurePolicy(retries: 1))
        try schedule.enter(0, into: &actions)
        _ = try schedule.failed(0, first: 0, completed: 0, nanoseconds: 1, into: &actions)
        schedule.retry(0, into: &actions)
        #expect(schedule.isWaiting(0))
        actions = []
        try schedule.abstain(1, into: &actions)
        #expect(assigned() == [0: [0]])
        #expect(throws: ScheduleViolation.self) { try schedule.enter(1, into: &actions) }
    }

    @Test("an example fails for good with the last of its attempts", arguments: 0...3)
    mutating func attempts(retries: Int) throws {
        var schedule = try schedule(1, workers: 2, retries: retries)
        for attempt in 0..<retries {
            let verdict = try schedule.failed(attempt % 2, first: 0, completed: 0, nanoseconds: 1, into: &actions)
                .verdict
            #expect(verdict == .retry(attempts: attempt + 1))
            schedule.retry(0, into: &actions)
            schedule.retry(0, into: &actions)
        }
        let verdict = try schedule.failed(retries % 2, first: 0, completed: 0, nanoseconds: 1, into: &actions).verdict
        #expect(verdict == .final(attempts: retries + 1))
        #expect(schedule.finished && schedule.failedCount == 1)
    }

    @Test(
        "a failure that cannot be is refused and changes nothing",
        arguments: [(0, 0, 4), (0, 0, -1), (0, 0, .max), (0, 0, .min), (0, 1, 0), (1, 0, 0), (7, 0, 0), (-1, 0, 0)])
    mutating func hostile(worker: Int, first: Int, completed: Int) throws {
        var schedule = try schedule(8, workers: 2, chunk: 4)
        actions = []
        #expect(throws: ScheduleViolation.self) {
            try schedule.failed(worker, first: first, completed: completed, nanoseconds: 1, into: &actions)
        }
        #expect(actions.isEmpty && schedule.doneCount + schedule.failedCount == 0 && schedule.outstanding(0) == 4)
    }

    @Test("the examples of a chunk on which a worker died go out one by one until the culprit is found")
    mutating func suspects() throws {
        var schedule = try schedule(8, workers: 4, chunk: 4)
        _ = assigned()
        #expect(schedule.lost(0, into: &actions) == nil)
        #expect(assigned() == [2: [1], 3: [0]])
        try schedule.done(3, first: 0, completed: 1, nanoseconds: 1, into: &actions)
        #expect(assigned() == [3: [2]])
        // Example 1 killed both workers: the others are cleared, and are handed out in chunks again.
        #expect(schedule.lost(2, into: &actions) == CrashedExample(example: 1, deaths: 2))
        try schedule.done(1, first: 4, completed: 4, nanoseconds: 1, into: &actions)
        #expect(assigned() == [1: [3]])
        // One death does not condemn the examples that had been suspected together with the culprit.
        #expect(schedule.lost(3, into: &actions) == nil)
        #expect(schedule.failedCount == 1)
    }

    @Test("rank 0 is spared from suspects as long as there is another rank")
    mutating func spared() throws {
        var schedule = try schedule(3, workers: 3)
        _ = assigned()
        _ = schedule.lost(1, into: &actions)
        try schedule.done(0, first: 0, completed: 1, nanoseconds: 1, into: &actions)
        #expect(assigned() == [:] && schedule.isWaiting(0))
        _ = schedule.lost(2, into: &actions)
        #expect(assigned()[0] != nil)
    }

    @Test("an example alone is condemned by as many deaths as are allowed", arguments: 1...3)
    mutating func condemned(limit: Int) throws {
        var schedule = try schedule(1, workers: 4, crashLimit: limit)
        var holder = 0
        for death in 1...limit {
            for case .assign(let worker, _, _) in actions { holder = worker }
            actions = []
            let crashed = schedule.lost(holder, into: &actions)
            #expect(crashed == (death == limit ? CrashedExample(example: 0, deaths: limit) : nil))
        }
        #expect(schedule.finished)
    }

    @Test("of a great many suspects several go out at a time, and fewer after the next death")
    mutating func manySuspects() throws {
        var schedule = try schedule(5000, workers: 3, chunk: 5000)
        _ = assigned()
        _ = schedule.lost(0, into: &actions)
        let second = try #require(assigned()[1] ?? assigned()[2])
        #expect(second.count == 5)
    }
}
