import AME
import DLP
import Testing

@testable import Launcher

@Suite("The environment of the ranks")
struct RankEnvironmentTests {
    private func entries(
        rank: Int, _ inherited: [String], exports: [(name: SystemString, value: SystemString?)] = [], columns: Int = 0
    ) -> [String] {
        let environment = RankEnvironment(
            inherited: inherited.map { Array($0.utf8) }, exports: exports, rendezvous: [("AME_HOST", "127.1.2.3")],
            size: 3, columns: columns)
        return environment.entries(rank: rank, listeners: [8], control: 9).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("an outer job's variables are replaced, all of them")
    func outerJob() {
        let outer = AMEVariable.all.map { "\($0)=outer" } + ["HOME=/root"]
        let all = entries(rank: 1, outer)
        #expect(Set(all) == ["HOME=/root", "AME_HOST=127.1.2.3", "AME_SIZE=3", "AME_RANK=1"])
        #expect(all.count == 4)
    }

    @Test("only rank 0 is told of descriptors")
    func descriptors() {
        let all = entries(rank: 0, [])
        #expect(all.contains("AME_LISTEN_FD=8") && all.contains("AME_CONTROL_FD=9"))
    }

    @Test("the last exported value counts, a name alone changes nothing")
    func exports() {
        let all = entries(
            rank: 2, ["A=old", "B=b", "ABC=x"], exports: [("A", "1"), ("A", "2=3"), ("B", nil), ("AME_SIZE", "9")],
            columns: 80)
        #expect(
            Set(all) == [
                "A=2=3", "B=b", "ABC=x", "AME_HOST=127.1.2.3", "AME_SIZE=3", "AME_COLUMNS=80", "AME_RANK=2",
            ])
    }
}
