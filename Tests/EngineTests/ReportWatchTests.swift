import Scheduling
import Testing

@testable import Engine

@Suite("Ranks that have examples and say nothing")
struct ReportWatchTests {
    private static let second: UInt64 = 1_000_000_000

    /// Looks every half second until `end`, in seconds; returns the ranks that were found, and when.
    private func look(
        _ watch: inout ReportWatch, from begin: Int = 0, until end: Int, byteCount: (Int) -> UInt64 = { _ in 0 }
    ) -> [(rank: Int, at: UInt64)] {
        var found: [(rank: Int, at: UInt64)] = []
        for moment in stride(from: UInt64(begin) * Self.second, to: UInt64(end) * Self.second, by: 500_000_000) {
            found += watch.overdue(at: moment, byteCount: byteCount).map { ($0.rank, moment / Self.second) }
        }
        return found
    }

    @Test("one is found when its example has had its time and some more, once")
    func silent() {
        var watch = ReportWatch(limit: 4 * Self.second, allowsSetup: false, now: 0)
        #expect(watch.deadline == nil)
        watch.assigned(Chunk(first: 0, count: 1), to: 1, giveBackAfter: 0, isReady: false)
        watch.assigned(Chunk(first: 1, count: 2), to: 2, giveBackAfter: 0, isReady: false)
        watch.assigned(Chunk(first: 3, count: 90), to: 3, giveBackAfter: Int64(Self.second), isReady: false)
        let found = look(&watch, until: 100)
        #expect(found.map(\.rank) == [1, 3, 2])
        #expect(found.map(\.at) == [12, 13, 24])
        #expect(watch.deadline == nil)
    }

    @Test("one that reports has the time again, and one without examples any time")
    func reporting() {
        var watch = ReportWatch(limit: 4 * Self.second, allowsSetup: false, now: 0)
        for rank in 1...2 { watch.assigned(Chunk(first: rank, count: 1), to: rank, giveBackAfter: 0, isReady: false) }
        #expect(look(&watch, until: 10).isEmpty)
        watch.reported(1, isIdle: false)
        watch.reported(2, isIdle: true)
        let found = look(&watch, from: 10, until: 100)
        #expect(found.map(\.rank) == [1] && found.first?.at ?? 0 >= 21)
    }

    @Test("a limit that is as good as none finds nobody", arguments: [UInt64.max, UInt64.max - 1_000_000_000])
    func noLimit(limit: UInt64) {
        var watch = ReportWatch(limit: limit, allowsSetup: false, now: 0)
        for rank in 1...2 {
            watch.assigned(
                Chunk(first: rank, count: 1), to: rank, giveBackAfter: rank == 1 ? 0 : .max, isReady: false)
        }
        watch.asked(3)
        #expect(look(&watch, until: 1_000).isEmpty)
    }

    @Test("one that has begun to send is not silent as long as bytes come")
    func sending() {
        var watch = ReportWatch(limit: 4 * Self.second, allowsSetup: false, now: 0)
        for rank in 1...2 { watch.assigned(Chunk(first: rank, count: 1), to: rank, giveBackAfter: 0, isReady: false) }
        var sent: UInt64 = 0
        let bytes: (Int) -> UInt64 = { rank in
            sent += rank == 1 ? 1 : 0
            return rank == 1 ? sent : 17
        }
        #expect(look(&watch, until: 50, byteCount: bytes).map(\.rank) == [2])
        let found = look(&watch, from: 50, until: 100) { _ in sent }
        #expect(found.map(\.rank) == [1] && found.first?.at ?? 0 >= 61)
    }

    @Test("one that is asked for its results has the time of an example to begin, and again after each part")
    func delivering() {
        var watch = ReportWatch(limit: 4 * Self.second, allowsSetup: true, now: 0)
        for rank in 1...3 { watch.asked(rank) }
        #expect(look(&watch, until: 10).isEmpty)
        watch.reported(2, isIdle: false)
        watch.reported(3, isIdle: true)
        let found = look(&watch, from: 10, until: 100)
        #expect(found.map(\.rank) == [1, 2] && found.map(\.at) == [12, 22])
        #expect(watch.deadline == nil)
    }

    @Test("before its first report a rank may take any time where it has something to set up")
    func setup() {
        var watch = ReportWatch(limit: Self.second, allowsSetup: true, now: 0)
        watch.assigned(Chunk(first: 0, count: 1), to: 1, giveBackAfter: 0, isReady: false)
        watch.assigned(Chunk(first: 1, count: 1), to: 2, giveBackAfter: 0, isReady: true)
        #expect(look(&watch, until: 50).map(\.rank) == [2])
        watch.reported(1, isIdle: true)
        watch.assigned(Chunk(first: 2, count: 1), to: 1, giveBackAfter: 0, isReady: false)
        #expect(look(&watch, from: 50, until: 100).map(\.rank) == [1])
    }

    @Test("time in which the root was stopped does not count")
    func stopped() {
        var watch = ReportWatch(limit: 4 * Self.second, allowsSetup: false, now: 0)
        watch.assigned(Chunk(first: 0, count: 1), to: 1, giveBackAfter: 0, isReady: false)
        #expect(watch.overdue(at: Self.second) { _ in 0 }.isEmpty)
        #expect(watch.overdue(at: 1000 * Self.second) { _ in 0 }.isEmpty)
    }
}
