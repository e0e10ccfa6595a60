import CSystem
import DLP
import Testing

@testable import AME

@Suite("Small parts")
struct PartsTests {
    static let lists: [([Int], Int, String)] = [
        ([1], 2, "rank 1 of 2"), ([2, 5, 6, 7], 8, "ranks 2 and 5-7 of 8"), ([3, 1], 4, "ranks 1 and 3 of 4"),
        ([7, 1, 3, 5, 6], 8, "ranks 1, 3 and 5-7 of 8"), (Array(1..<100), 100, "ranks 1-99 of 100"),
    ]

    @Test("missing ranks are listed as runs", arguments: lists)
    func rankList(ranks: [Int], size: Int, text: String) { #expect(RankList(ranks, of: size).description == text) }

    @Test("a queue gives back in order what it got", arguments: 0..<10 as Range<UInt64>)
    func queue(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var queue = Queue<Int>()
        var model: [Int] = []
        for step in 0..<2000 {
            if Bool.random(using: &generator) {
                queue.append(step)
                model.append(step)
            } else {
                #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst()), "seed \(seed)")
            }
            #expect(queue.isEmpty == model.isEmpty)
        }
    }

    @Test("a deadline counts in whole milliseconds, never too few")
    func deadline() {
        #expect(Deadline(nil).milliseconds == -1)
        #expect(Deadline(0).milliseconds == 0)
        #expect(Deadline(.max).milliseconds == Int32.max)
        let deadline = Deadline.after(1_000_500_000)
        let started = dlp_now()
        let milliseconds = UInt64(deadline.milliseconds)
        let rest = (deadline.moment ?? 0) - started
        // The clock has advanced between the two readings.
        #expect(
            milliseconds * 1_000_000 <= rest + 1_000_000 && milliseconds * 1_000_000 + (dlp_now() - started) >= rest)
        #expect(Deadline(1).hasPassed)
        #expect(!Deadline(nil).hasPassed)
        #expect(Deadline.earlier(Deadline(nil), Deadline(5)).moment == 5)
        #expect(Deadline.earlier(Deadline(7), Deadline(nil)).moment == 7)
        #expect(Deadline.earlier(Deadline(7), Deadline(6)).moment == 6)
        #expect(Deadline.after(.max).moment == nil)
    }

    @Test("times are written as people write them")
    func times() {
        #expect(describe(nanoseconds: 60 * second) == "60 s")
        #expect(describe(nanoseconds: second / 2) == "0.5 s")
    }
}
