import Scheduling
import Testing

@Suite("What a managed schedule accepts and refuses")
struct ScheduleRulesTests {
    private var actions: [ScheduleAction] = []

    /// A schedule of 10 examples with two workers: worker 0 has the examples 0 to 3, and worker 1 has 4 to 7.
    private mutating func twoAtWork(resultsStay: Bool = false) throws -> ManagedSchedule {
        var schedule = ManagedSchedule(.known(10), workers: 2, policy: .fixed(4), resultsStay: resultsStay)
        try schedule.enter(0, into: &actions)
        try schedule.enter(1, into: &actions)
        actions.removeAll()
        return schedule
    }

    @Test("a list whose last example takes longer than the first is gone through backwards", arguments: [1, 3, 30])
    func fromTheEnd(costOfLast: Int64) throws {
        var schedule = ManagedSchedule(.known(10), workers: 3, policy: .fixed(1), mayBeginAtEnd: true)
        var given: [Int: Int] = [:]
        func take(_ actions: [ScheduleAction]) {
            for case .assign(let worker, let chunk, _) in actions { given[worker] = chunk.first }
        }
        for worker in 0..<3 {
            var actions: [ScheduleAction] = []
            try schedule.enter(worker, into: &actions)
            take(actions)
        }
        #expect(given == [0: 0, 1: 9, 2: 1])
        var actions: [ScheduleAction] = []
        try schedule.done(0, first: 0, completed: 1, nanoseconds: 100_000_000, into: &actions)
        try schedule.done(1, first: 9, completed: 1, nanoseconds: costOfLast * 100_000_000, into: &actions)
        take(actions)
        #expect(given == [0: 2, 1: costOfLast == 1 ? 3 : 8, 2: 1])
    }

    @Test("a list whose last example fails and rests is not taken for one whose last example is long")
    func restingEnd() throws {
        let failures = FailurePolicy(retries: 5)
        var schedule = ManagedSchedule(
            .known(100), workers: 3, policy: .fixed(1), failures: failures, mayBeginAtEnd: true)
        var actions: [ScheduleAction] = []
        for worker in 0..<3 { try schedule.enter(worker, into: &actions) }
        _ = try schedule.failed(1, first: 99, completed: 0, nanoseconds: 1, into: &actions)
        // More than enough time for an example that is still in work to count as long.
        var given = [1]
        for _ in 1..<20 {
            actions = []
            try schedule.done(
                2, first: given[given.count - 1], completed: 1, nanoseconds: 1_000_000_000, into: &actions)
            for case .assign(worker: 2, let chunk, _) in actions { given.append(chunk.first) }
        }
        #expect(given.count == 20 && given == given.sorted() && given[19] < 30)
    }

    @Test(
        "a report about examples that the worker does not have is refused and changes nothing",
        arguments: [
            (0, 4, 4), (0, 1, 1), (0, 0, 5), (0, 0, -1), (0, -1, 1), (0, .min, .min), (0, .max, .max), (0, 0, .max),
            (1, 0, 4), (2, 0, 4), (-1, 0, 4), (.max, 0, 4), (1, 8, 1),
        ])
    mutating func hostileDone(worker: Int, first: Int, completed: Int) throws {
        var schedule = try twoAtWork()
        #expect(throws: ScheduleViolation.self) {
            try schedule.done(worker, first: first, completed: completed, nanoseconds: 1, into: &actions)
        }
        #expect(actions.isEmpty)
        #expect(schedule.doneCount == 0 && schedule.handedOut == 8 && schedule.busyWorkers == 2)
        #expect(schedule.outstanding(0) == 4 && schedule.outstanding(1) == 4)
    }

    @Test(
        "a part of a chunk that is none is refused and changes nothing",
        arguments: [
            (0, 0, 0), (0, 0, 4), (0, 0, 5), (0, 0, -1), (0, 1, 1), (1, 0, 1), (2, 0, 1), (0, .max, 1), (0, 0, .max),
        ])
    mutating func hostilePart(worker: Int, first: Int, completed: Int) throws {
        var schedule = try twoAtWork()
        #expect(throws: ScheduleViolation.self) {
            try schedule.partlyDone(worker, first: first, completed: completed, nanoseconds: 1)
        }
        #expect(schedule.doneCount == 0 && schedule.outstanding(0) == 4 && schedule.outstanding(1) == 4)
    }

    @Test("what was reported of a chunk does not come back when its worker dies, the rest does")
    mutating func lostAfterPart() throws {
        var schedule = try twoAtWork()
        let done = try schedule.partlyDone(0, first: 0, completed: 3, nanoseconds: 1)
        #expect(done == Chunk(first: 0, count: 3) && schedule.doneCount == 3 && schedule.busyWorkers == 2)
        _ = schedule.lost(0, into: &actions)
        #expect(schedule.doneCount == 3 && schedule.available == 3)
    }

    @Test("a chunk that was reassigned is not done by its first owner")
    mutating func lateReport() throws {
        var schedule = try twoAtWork()
        _ = schedule.lost(0, into: &actions)
        #expect(throws: ScheduleViolation.self) {
            try schedule.done(0, first: 0, completed: 4, nanoseconds: 1, into: &actions)
        }
        #expect(schedule.doneCount == 0)
    }

    @Test("any measured time is survived", arguments: [0, -1, .min, .max, 1] as [Int64])
    mutating func hostileTime(nanoseconds: Int64) throws {
        var schedule = ManagedSchedule(.known(1_000_000), workers: 1)
        try schedule.enter(0, into: &actions)
        for _ in 0..<40 {
            guard case .assign(_, let chunk, let giveBackAfter)? = actions.first else { break }
            actions.removeFirst()
            #expect(giveBackAfter >= 0)
            try schedule.done(
                0, first: chunk.first, completed: chunk.count, nanoseconds: nanoseconds, into: &actions)
        }
        #expect(schedule.doneCount >= 40)
    }

    @Test("a worker cannot enter twice, nor leave what it is not in")
    mutating func phases() throws {
        var schedule = try twoAtWork()
        #expect(throws: ScheduleViolation.self) { try schedule.enter(0, into: &actions) }
        #expect(throws: ScheduleViolation.self) { try schedule.enter(-1, into: &actions) }
        #expect(throws: ScheduleViolation.self) { try schedule.enter(.max, into: &actions) }
        #expect(throws: ScheduleViolation.self) { try schedule.leave(2, into: &actions) }
        try schedule.leave(0, into: &actions)
        #expect(throws: ScheduleViolation.self) { try schedule.leave(0, into: &actions) }
        #expect(throws: ScheduleViolation.self) { try schedule.enter(0, into: &actions) }
        _ = schedule.lost(1, into: &actions)
        _ = schedule.lost(1, into: &actions)
        _ = schedule.lost(7, into: &actions)
        #expect(throws: ScheduleViolation.self) { try schedule.enter(1, into: &actions) }
        #expect(schedule.activeWorkers == 0 && schedule.handedOut == 0 && schedule.available == 10)
    }

    @Test("a worker beyond the number known at the start may join")
    mutating func joins() throws {
        var schedule = try twoAtWork()
        try schedule.enter(5, into: &actions)
        #expect(actions == [.assign(worker: 5, Chunk(first: 8, count: 2), giveBackAfter: 0)])
    }

    @Test("what is given back goes to a worker that waits, before anything else")
    mutating func giveBack() throws {
        var schedule = ManagedSchedule(.known(8), workers: 3, policy: .fixed(4))
        for worker in 0..<3 { try schedule.enter(worker, into: &actions) }
        #expect(schedule.isWaiting(2))
        actions.removeAll()
        try schedule.done(0, first: 0, completed: 1, nanoseconds: 10_000_000, into: &actions)
        #expect(actions == [.assign(worker: 2, Chunk(first: 1, count: 3), giveBackAfter: 0)])
        #expect(schedule.isWaiting(0))
    }

    @Test("results that die with a worker are made again, those that are safe are not", arguments: [true, false])
    mutating func lostResults(resultsStay: Bool) throws {
        var schedule = try twoAtWork(resultsStay: resultsStay)
        try schedule.done(0, first: 0, completed: 4, nanoseconds: 40_000_000, into: &actions)
        _ = schedule.lost(0, into: &actions)
        #expect(schedule.doneCount == (resultsStay ? 0 : 4))
        #expect(schedule.available == (resultsStay ? 6 : 2))
    }

    @Test("results that stay are asked for once all is done, and all workers are ended when they are safe")
    mutating func delivery() throws {
        var schedule = ManagedSchedule(.known(2), workers: 3, policy: .fixed(1), resultsStay: true)
        for worker in 0..<3 { try schedule.enter(worker, into: &actions) }
        actions.removeAll()
        try schedule.done(0, first: 0, completed: 1, nanoseconds: 1, into: &actions)
        #expect(actions.isEmpty)
        #expect(throws: ScheduleViolation.self) { try schedule.delivered(0, into: &actions) }
        try schedule.done(1, first: 1, completed: 1, nanoseconds: 1, into: &actions)
        #expect(Set(actions) == [.deliver(worker: 0), .deliver(worker: 1)])
        actions.removeAll()
        try schedule.delivered(0, into: &actions)
        #expect(actions.isEmpty && schedule.isSettled && !schedule.finished)
        try schedule.delivered(1, into: &actions)
        #expect(Set(actions) == [.end(worker: 0), .end(worker: 1), .end(worker: 2)])
    }

    @Test("results that die before they are delivered are made again by a worker that waits")
    mutating func lostDelivery() throws {
        var schedule = ManagedSchedule(.known(2), workers: 2, policy: .fixed(1), resultsStay: true)
        for worker in 0..<2 { try schedule.enter(worker, into: &actions) }
        for worker in 0..<2 {
            try schedule.done(worker, first: worker, completed: 1, nanoseconds: 1, into: &actions)
        }
        try schedule.delivered(0, into: &actions)
        actions.removeAll()
        _ = schedule.lost(1, into: &actions)
        #expect(actions == [.assign(worker: 0, Chunk(first: 1, count: 1), giveBackAfter: 0)])
        try schedule.done(0, first: 1, completed: 1, nanoseconds: 1, into: &actions)
        #expect(actions.last == .deliver(worker: 0))
        try schedule.delivered(0, into: &actions)
        #expect(actions.last == .end(worker: 0) && schedule.finished)
    }

    @Test("ranks that disagree on the length are told so")
    mutating func lengths() throws {
        var schedule = ManagedSchedule(.unbounded, workers: 1, policy: .fixed(4))
        try schedule.enter(0, into: &actions)
        #expect(throws: ScheduleViolation.self) { try schedule.lengthBecameKnown(-1, into: &actions) }
        try schedule.done(0, first: 0, completed: 4, nanoseconds: 200_000_000, into: &actions)
        #expect(throws: ScheduleViolation.self) { try schedule.lengthBecameKnown(3, into: &actions) }
        try schedule.lengthBecameKnown(6, into: &actions)
        try schedule.lengthBecameKnown(6, into: &actions)
        #expect(throws: ScheduleViolation.self) { try schedule.lengthBecameKnown(7, into: &actions) }
        #expect(throws: ScheduleViolation.self) {
            try schedule.done(0, first: 4, completed: 3, nanoseconds: 1, into: &actions)
        }
        try schedule.done(0, first: 4, completed: 2, nanoseconds: 1, into: &actions)
        #expect(schedule.finished && actions.last == .end(worker: 0))
    }

    @Test("a length is only accepted where the list has no known end")
    mutating func unexpectedLength() throws {
        var known = ManagedSchedule(.known(3), workers: 1)
        try known.lengthBecameKnown(3, into: &actions)
        #expect(throws: ScheduleViolation.self) { try known.lengthBecameKnown(4, into: &actions) }
        var growing = ManagedSchedule(.growing, workers: 1)
        #expect(throws: ScheduleViolation.self) { try growing.lengthBecameKnown(4, into: &actions) }
    }
}
