import Testing

@testable import Scheduling

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

    @Test("what is done already is in no share, and the others are dealt out in turn", arguments: 1...4, 0..<32)
    func skipping(size: Int, pattern: Int) throws {
        var schedule = ManagedSchedule(.growing, workers: size, shares: size)
        var actions: [ScheduleAction] = []
        let examples = 0..<10
        let remaining = examples.filter { pattern >> ($0 / 2) & 1 == 1 }
        for example in examples {
            if remaining.contains(example) { schedule.extend(by: 1, into: &actions) } else { schedule.skip(1) }
        }
        schedule.close(into: &actions)
        var dealt: [Int: [Int]] = [:]
        for worker in 0..<size { try schedule.enter(worker, into: &actions) }
        while let action = actions.popLast() {
            guard case .assign(let worker, let chunk, _) = action else { continue }
            dealt[worker, default: []] += chunk.indices
            try schedule.done(worker, first: chunk.first, completed: chunk.count, nanoseconds: 1, into: &actions)
        }
        for worker in 0..<size {
            let expected = remaining.enumerated().filter { $0.offset % size == worker }.map { $0.element }
            #expect(dealt[worker, default: []].sorted() == expected)
        }
        #expect(schedule.finished && schedule.doneCount == 10)
    }

    @Test("a share in chunks stays with its worker")
    func chunks() throws {
        var schedule = ManagedSchedule(
            .known(9), workers: 2, policy: .fixed(2), shares: 2, sharesInChunks: true)
        var actions: [ScheduleAction] = []
        try schedule.enter(0, into: &actions)
        try schedule.enter(1, into: &actions)
        for first in [0, 4] {
            try schedule.done(0, first: first, completed: 2, nanoseconds: 1, into: &actions)
        }
        #expect(
            actions == [
                .assign(worker: 0, Chunk(first: 0, count: 2, stride: 2), giveBackAfter: 0),
                .assign(worker: 1, Chunk(first: 1, count: 2, stride: 2), giveBackAfter: 0),
                .assign(worker: 0, Chunk(first: 4, count: 2, stride: 2), giveBackAfter: 0),
                .assign(worker: 0, Chunk(first: 8, count: 1, stride: 2), giveBackAfter: 0),
            ])
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
