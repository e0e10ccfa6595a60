import Glibc
import Testing

@testable import Runner

@Suite("What signals mean, one after another")
struct SignalRulesTests {
    private static let later = LifePeriods.sameSignal + 1

    /// Returns the verdicts for signals that come at these times after the first.
    private func verdicts(
        letsFinish: Bool, _ signals: [(signal: Int32, time: UInt64)]
    ) -> [SignalRules.Verdict] {
        var rules = SignalRules(letsFinish: letsFinish)
        return signals.map { rules.handle($0.signal, at: 1000 + $0.time) }
    }

    @Test("Ctrl-C abandons what runs, and the next one ends the process", arguments: [false, true], [SIGINT, SIGTERM])
    func interrupt(letsFinish: Bool, next: Int32) {
        let found = verdicts(letsFinish: letsFinish, [(SIGINT, 0), (next, Self.later)])
        #expect(found == [.abandon, .die])
    }

    @Test("SIGTERM lets what runs finish, the next signal abandons it, and a third one ends the process")
    func terminate() {
        for second in [SIGINT, SIGTERM] {
            let found = verdicts(
                letsFinish: true,
                [(SIGTERM, 0), (second, Self.later), (SIGTERM, Self.later + 1), (SIGINT, 2 * Self.later + 1)])
            #expect(found == [.finish, .abandon, .ignore, .die])
        }
    }

    @Test("signals that follow each other at once are one, but Ctrl-C after SIGTERM is not")
    func together() {
        #expect(verdicts(letsFinish: true, [(SIGTERM, 0), (SIGTERM, LifePeriods.sameSignal)]) == [.finish, .ignore])
        #expect(verdicts(letsFinish: true, [(SIGTERM, 0), (SIGINT, 1)]) == [.finish, .abandon])
        #expect(verdicts(letsFinish: true, [(SIGINT, 0), (SIGTERM, 1)]) == [.abandon, .ignore])
        #expect(verdicts(letsFinish: false, [(SIGTERM, 0), (SIGTERM, LifePeriods.sameSignal)]) == [.abandon, .ignore])
    }

    @Test("who does not let anything finish ends at the second SIGTERM")
    func follower() {
        #expect(verdicts(letsFinish: false, [(SIGTERM, 0), (SIGTERM, Self.later)]) == [.abandon, .die])
    }
}
