import Testing

@testable import MPIBackend

@Suite("Waiting for MPI")
struct BackoffTests {
    /// Returns the pauses of a wait that begins at 0 and looks at the end of each pause; a look takes a microsecond.
    static func pauses(
        _ backoff: inout Backoff, until end: UInt64, isTransferring: Bool = false, willHear: Bool = false
    ) -> [(at: UInt64, Backoff.Pause)] {
        var now: UInt64 = 0
        var pauses: [(UInt64, Backoff.Pause)] = []
        while now < end {
            let pause = backoff.pause(at: now, isTransferring: isTransferring, willHear: willHear)
            pauses.append((now, pause))
            now += 1000
            if case .sleep(let nanoseconds) = pause { now += nanoseconds }
        }
        return pauses
    }

    @Test("the first looks follow each other at once, of each wait anew", arguments: [true, false])
    func firstLooks(isTransferring: Bool) {
        var backoff = Backoff()
        for start in [0, 1_000_000_000] as [UInt64] {
            let pauses = (0..<5).map {
                backoff.pause(at: start + $0 * 100, isTransferring: isTransferring, willHear: false)
            }
            #expect(pauses == [.none, .none, .yield, .yield, .yield])
            backoff.endWait()
        }
    }

    @Test("a wait yields at first and then sleeps ever longer, but no longer than a part of what it has lasted")
    func growth() {
        var backoff = Backoff()
        var last: UInt64 = 0
        for (now, pause) in Self.pauses(&backoff, until: 20_000_000_000) {
            switch pause {
            case .none, .yield: #expect(now < Backoff.patience)
            case .sleep(let nanoseconds):
                #expect(now >= Backoff.patience && nanoseconds >= last)
                #expect(nanoseconds <= now / (now > 100 * Backoff.usualSleep ? 100 : 4))
                last = nanoseconds
            }
        }
        #expect(last == Backoff.longestSleep)
    }

    @Test("a wait that a bell will end sleeps at once, and then as long as it has lasted")
    func growthWithBells() {
        var backoff = Backoff()
        var last: UInt64 = 0
        for (now, pause) in Self.pauses(&backoff, until: 2_000_000_000, willHear: true) {
            last = min(max(now, Backoff.shortestSleepWithBell), Backoff.longestSleep)
            #expect(pause == .sleep(last))
        }
        #expect(last == Backoff.longestSleep)
    }

    @Test("an idle wait costs ever fewer looks", arguments: [(false, 300, 500), (true, 50, 15)])
    func idle(willHear: Bool, first: Int, later: Int) {
        var backoff = Backoff()
        let looks = Self.pauses(&backoff, until: 11_000_000_000, willHear: willHear)
        #expect(looks.count { $0.at < 100_000_000 } < first)
        #expect(looks.count { $0.at >= 1_000_000_000 && $0.at < 2_000_000_000 } < later)
        #expect(looks.count { $0.at >= 10_000_000_000 } < 15)
    }

    @Test("what comes begins a new wait")
    func newWait() {
        var backoff = Backoff()
        _ = Self.pauses(&backoff, until: 5_000_000)
        backoff.endWait()
        #expect(backoff.pause(at: 9_000_000, isTransferring: false, willHear: false) == .none)
    }

    @Test("each byte under way buys time without sleep, and no more than that", arguments: [1, 100_000, 30_000_000])
    func credit(bytes: Int) {
        var backoff = Backoff()
        backoff.began(transferOf: bytes)
        let paid = UInt64(bytes) * Backoff.creditPerByte
        let pauses = Self.pauses(&backoff, until: paid + 10_000_000, isTransferring: true, willHear: false)
        for (now, pause) in pauses where now + 1000 < paid { #expect(pause == (now < 2000 ? .none : .yield)) }
        for (now, pause) in pauses where now > paid + Backoff.patience {
            #expect(pause == .sleep(min(now / 4, Backoff.longestSleepInTransfer)))
        }
    }

    @Test("what comes meanwhile does not make a transfer cheaper: the other side may be busy for hours")
    func creditIsSpent() {
        var backoff = Backoff()
        backoff.began(transferOf: 1_000_000)
        var yielded: UInt64 = 0
        for start in stride(from: 0, to: 1_000_000_000, by: 1_000_000) as StrideTo<UInt64> {
            backoff.endWait()
            // Looks every microsecond. After the wait's own patience, only credit keeps it from sleeping.
            for now in stride(from: start, to: start + 100_000, by: 1000)
            where backoff.pause(at: now, isTransferring: true, willHear: false) == .yield
                && now >= start + Backoff.patience
            {
                yielded += 1000
            }
        }
        #expect(yielded <= 1_000_000 * Backoff.creditPerByte)
    }

    @Test("what a transfer did not need is forgotten with it")
    func creditEnds() {
        var backoff = Backoff()
        backoff.began(transferOf: .max)
        backoff.began(transferOf: .max)
        #expect(backoff.pause(at: 0, isTransferring: true, willHear: false) == .none)
        _ = backoff.pause(at: 1_000_000, isTransferring: false, willHear: false)
        #expect(
            backoff.pause(at: 2_000_000, isTransferring: true, willHear: false)
                == .sleep(Backoff.longestSleepInTransfer))
    }
}
