import Testing

@testable import DLP

@Suite("Round robin")
struct ScheduleRoundRobinTests {
    @Test("every example is in exactly one share", arguments: 0...9, 1...5)
    func partition(length: Int, size: Int) {
        let schedule = RoundRobinSchedule(length: length, size: size)
        var owners = Array(repeating: [Int](), count: length)
        for rank in 0..<size {
            for example in schedule.share(of: rank).indices { owners[example].append(rank) }
        }
        for example in 0..<length { #expect(owners[example] == [example % size]) }
    }

    @Test("rank r of n does r, r + n, r + 2n")
    func order() {
        #expect(Array(RoundRobinSchedule(length: 10, size: 4).share(of: 1).indices) == [1, 5, 9])
    }

    @Test("every worker is given its share as one chunk, the root too unless it does not work", arguments: [4, 3])
    func shares(count: Int) throws {
        var schedule = ManagedSchedule(.known(10), workers: 4, shares: count)
        var actions: [ScheduleAction] = []
        for worker in (4 - count)..<4 { try schedule.enter(worker, into: &actions) }
        let shares = RoundRobinSchedule(length: 10, size: count)
        #expect(
            actions
                == (0..<count).map { number in
                    .assign(worker: 4 - count + number, shares.share(of: number), giveBackAfter: 0)
                })
    }

    @Test("a list that grows is shared out once it is closed")
    func growing() throws {
        var schedule = ManagedSchedule(.growing, workers: 2, shares: 2)
        var actions: [ScheduleAction] = []
        try schedule.enter(0, into: &actions)
        schedule.extend(by: 3, into: &actions)
        schedule.extend(by: 2, into: &actions)
        #expect(actions.isEmpty)
        schedule.close(into: &actions)
        #expect(actions == [.assign(worker: 0, Chunk(first: 0, count: 3, stride: 2), giveBackAfter: 0)])
        try schedule.enter(1, into: &actions)
        #expect(actions.last == .assign(worker: 1, Chunk(first: 1, count: 2, stride: 2), giveBackAfter: 0))
    }

    @Test("the part of a share that stays undone is done by others")
    func leaving() throws {
        var schedule = ManagedSchedule(.known(12), workers: 2, shares: 2)
        var actions: [ScheduleAction] = []
        try schedule.enter(0, into: &actions)
        try schedule.enter(1, into: &actions)
        try schedule.done(1, first: 1, completed: 2, nanoseconds: 10_000_000_000, into: &actions)
        try schedule.leave(1, into: &actions)
        actions = []
        try schedule.done(0, first: 0, completed: 6, nanoseconds: 10_000_000_000, into: &actions)
        #expect(actions == [.assign(worker: 0, Chunk(first: 5, count: 1, stride: 2), giveBackAfter: 0)])
    }

    @Test("what lies below an end is counted right", arguments: 0...20, [1, 3])
    func clipping(end: Int, stride: Int) {
        let chunk = Chunk(first: 4, count: 4, stride: stride)
        #expect(Array(chunk.clipped(to: end).indices) == Array(chunk.indices).filter { $0 < end })
    }
}
