import Testing

@testable import LuaHost

@Suite("The timer of examples")
struct ExampleTimerTests {
    /// Looks at one example whenever the timer asks for it, until `end`; returns the verdicts with their times.
    private static func verdicts(
        _ timer: inout ExampleTimer, number: UInt64, from start: UInt64, until end: UInt64
    ) -> [(time: UInt64, verdict: ExampleTimer.Verdict)] {
        var result: [(time: UInt64, verdict: ExampleTimer.Verdict)] = []
        var now = start
        while now <= end {
            let verdict = timer.look(at: number, now: now)
            result.append((now, verdict))
            switch verdict {
            case .lookAgain(let pause), .expire(let pause): now += pause
            case .giveUp: return result
            }
        }
        return result
    }

    private static func isExpiry(_ verdict: ExampleTimer.Verdict) -> Bool {
        if case .expire = verdict { true } else { false }
    }

    private static let limits: [UInt64] = [1_000_000, 1_600_000, 50_000_000, 10_000_000_000, 1_000_000_000_000_000_000]

    @Test("lets an example expire when the limit is reached, until it is given up after the grace", arguments: limits)
    func expiry(limit: UInt64) throws {
        let (start, grace): (UInt64, UInt64) = (1 << 40, 2_000_000_000)
        var timer = ExampleTimer(limit: limit, grace: grace)
        let all = Self.verdicts(&timer, number: 7, from: start, until: start + 2 * limit + 2 * grace)
        let first = try #require(all.firstIndex { Self.isExpiry($0.verdict) })
        #expect(all[first].time >= start + limit)
        #expect(all[first].time <= start + limit + limit / 16 + 1_000_000)
        #expect(all[first..<(all.count - 1)].allSatisfy { Self.isExpiry($0.verdict) })
        #expect(all.last?.verdict == .giveUp)
        #expect(all.count - 1 - first >= 20)
        let end = try #require(all.last).time
        #expect(end >= start + limit + grace && end <= start + limit + 2 * grace)
        // Waiting for a distant limit costs very little.
        #expect(first <= 18)
    }

    @Test("begins anew with each example, and rests where there is none")
    func anew() {
        var timer = ExampleTimer(limit: 100_000_000, grace: 2_000_000_000)
        var now: UInt64 = 5
        for number: UInt64 in 1...1000 {
            let all = Self.verdicts(&timer, number: number, from: now, until: now + 99_000_000)
            #expect(!all.contains { Self.isExpiry($0.verdict) })
            now += 99_000_000
        }
        for _ in 0..<1000 {
            now += 99_000_000
            #expect(!Self.isExpiry(timer.look(at: 0, now: now)))
        }
    }

    @Test("does not count the time for which the process was stopped")
    func stopped() {
        var timer = ExampleTimer(limit: 1_000_000_000, grace: 2_000_000_000)
        _ = timer.look(at: 3, now: 0)
        let verdict = timer.look(at: 3, now: 3_600_000_000_000)
        #expect(verdict != .giveUp && !Self.isExpiry(verdict))
    }

    @Test("never lets one expire early, nor gives up without trying, whenever it looks", arguments: 1...20)
    func walk(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15
        func draw(_ range: UInt64) -> UInt64 {
            // xorshift (Marsaglia, 2003)
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return random % range
        }
        let limit = 1_000_000 + draw(5_000_000_000)
        var timer = ExampleTimer(limit: limit, grace: 2_000_000_000)
        var (now, number, firstSeen, expiries) = (UInt64(1), UInt64(1), UInt64(1), 0)
        var pause: UInt64 = 0
        for _ in 0..<5000 {
            if draw(60) == 0 {
                number += 2
                (firstSeen, expiries) = (now, 0)
            }
            switch timer.look(at: number, now: now) {
            case .lookAgain(let wanted): pause = wanted
            case .expire(let wanted):
                #expect(now - firstSeen >= limit)
                expiries += 1
                pause = wanted
            case .giveUp:
                #expect(now - firstSeen >= limit + 2_000_000_000)
                #expect(expiries >= 5)
                number += 2
                (firstSeen, expiries) = (now, 0)
            }
            // A sleep may be cut short, or last far too long.
            now += draw(8) == 0 ? draw(pause) : pause + draw(draw(4) == 0 ? 20 * pause : 1_000)
        }
    }
}
