import AME
import Testing

@testable import Launcher

@Suite("The environment of the ranks")
struct RankEnvironmentTests {
    private func environment(
        _ inherited: [String], exports: [(name: String, value: String?)] = [], columns: Int = 0
    ) -> RankEnvironment {
        RankEnvironment(
            inherited: inherited, exports: exports, rendezvous: [("AME_HOST", "127.1.2.3")], size: 3, columns: columns)
    }

    @Test("an outer job's variables are replaced, all of them")
    func outerJob() {
        let outer = AMEVariable.all.map { "\($0)=outer" } + ["HOME=/root"]
        let entries = environment(outer).entries(rank: 1, listener: 8, control: 9)
        #expect(Set(entries) == ["HOME=/root", "AME_HOST=127.1.2.3", "AME_SIZE=3", "AME_RANK=1"])
        #expect(entries.count == 4)
    }

    @Test("only rank 0 is told of descriptors")
    func descriptors() {
        let entries = environment([]).entries(rank: 0, listener: 8, control: 9)
        #expect(entries.contains("AME_LISTEN_FD=8") && entries.contains("AME_CONTROL_FD=9"))
    }

    @Test("the last exported value counts, a name alone changes nothing")
    func exports() {
        let entries = environment(
            ["A=old", "B=b", "ABC=x"], exports: [("A", "1"), ("A", "2=3"), ("B", nil), ("AME_SIZE", "9")], columns: 80
        ).entries(rank: 2, listener: 8, control: 9)
        #expect(
            Set(entries) == [
                "A=2=3", "B=b", "ABC=x", "AME_HOST=127.1.2.3", "AME_SIZE=3", "AME_COLUMNS=80", "AME_RANK=2",
            ])
    }

    @Test(
        "base64 is that of RFC 4648, section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64Vectors(text: String, encoded: String) { #expect(base64(Array(text.utf8)) == encoded) }
}
