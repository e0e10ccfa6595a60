import CSystem
import Testing

@testable import AME

@Suite("Hosts that fall silent")
struct LivenessTests {
    /// `owed` is what the system reports once a second.
    ///
    /// Returns after how many seconds the host counts as lost; nil: never.
    private static func loss(_ owed: (Int) -> dlp_owed) -> Int? {
        var debt = Liveness.Debt()
        return (0..<120).first { debt.isOverdue(owed($0), at: UInt64($0 + 5) * second) }
    }

    private static func owed(_ acknowledged: Int, tries: Int, silence: Int) -> dlp_owed {
        dlp_owed(acknowledged: UInt64(acknowledged), tries: UInt32(tries), silence: UInt32(silence * 1000))
    }

    @Test("a host that owes nothing is not lost, however long it is silent")
    func idle() { #expect(Self.loss { Self.owed(7, tries: 0, silence: $0) } == nil) }

    @Test("one that answers nothing is lost within half a minute")
    func dead() {
        let lost = Self.loss { Self.owed(7, tries: $0, silence: $0) }
        #expect(lost.map { $0 <= 28 } == true && lost.map { $0 >= 20 } == true)
    }

    @Test("one that still sends, but acknowledges nothing, is lost within half a minute, too")
    func oneWay() {
        let lost = Self.loss { Self.owed(7, tries: $0, silence: 0) }
        #expect(lost.map { $0 <= 28 } == true && lost.map { $0 >= 20 } == true)
    }

    @Test("one that was silent before anything was sent to it is given no more time for that")
    func lateData() {
        let lost = Self.loss { Self.owed(7, tries: $0 < 15 ? 0 : $0 - 14, silence: $0) }
        #expect(lost.map { $0 <= 28 } == true)
    }

    @Test("one that acknowledges now and then is not lost, nor one that is away for a moment")
    func slow() {
        #expect(Self.loss { Self.owed($0 / 20, tries: 1 + $0 % 20, silence: $0 % 20) } == nil)
        #expect(Self.loss { Self.owed(7, tries: $0 % 20 == 0 ? 0 : 5, silence: $0 % 20) } == nil)
        #expect(Self.loss { Self.owed(7, tries: 1, silence: $0) } == nil, "one attempt may be on its way")
    }
}
