import DLP
import Testing

@testable import Runner

@Suite("Some of the examples")
struct ExampleSelectionTests {
    @Test(
        "a list of indices is numbers and ranges, in any order",
        arguments: [
            ("17", [17...17]), ("3,8-12", [3...3, 8...12]), ("8-12,3", [3...3, 8...12]), ("1-3,2-5,5", [1...5]),
        ])
    func lists(_ text: String, _ ranges: [ClosedRange<Int>]) throws {
        let parsed = try #require(ExampleRanges(text))
        #expect(parsed.ranges == ranges)
        #expect(ExampleRanges(parsed.text) == parsed)
    }

    @Test(
        "what is no list is none",
        arguments: ["", ",", "0", "-3", "3-", "5-3", "1,,2", "a", "1.5", "1-2-3", " 1", "+1", "99999999999999999999"])
    func noLists(_ text: String) { #expect(ExampleRanges(text) == nil) }

    @Test(
        "a sample is a number, or a part",
        arguments: [("1", 1), ("30", 10), ("50%", 5), ("1%", 1), ("100%", 10), ("12.5%", 1)])
    func sizes(_ text: String, _ size: Int) throws {
        let parsed = try #require(SampleSize(text))
        #expect(parsed.size(of: 10) == size && parsed.size(of: 0) == 0)
        #expect(SampleSize(parsed.text) == parsed)
    }

    @Test("what is no size is none", arguments: ["", "0", "-1", "%", "0%", "101%", "1.5", "nan%", "many"])
    func noSizes(_ text: String) { #expect(SampleSize(text) == nil) }

    @Test("an index behind the end of the list is told, with its length")
    func beyond() throws {
        let only = try #require(ExampleRanges("2,4-9"))
        let error = #expect(throws: UsageError.self) { try ExampleSelection(only, of: 5) }
        #expect(error?.message == "--only names example 6, and the list has 5")
        #expect(try ExampleSelection(only, of: 9).numbers == [2, 4, 5, 6, 7, 8, 9])
    }

    @Test(
        "a sample has so many different examples, the same ones for a seed", arguments: [0, 1, 7, 100], [1, 10, 100])
    func sample(_ size: Int, _ length: Int) {
        let size = min(size, length)
        let drawn = ExampleSelection(sample: size, of: length, seed: 5)
        #expect(drawn == ExampleSelection(sample: size, of: length, seed: 5))
        #expect(Set(drawn.numbers).count == size && drawn.count == size)
        #expect(drawn.numbers.allSatisfy { 1...length ~= $0 } && drawn.numbers == drawn.numbers.sorted())
        if size == 7, length == 100 { #expect(drawn != ExampleSelection(sample: size, of: length, seed: 6)) }
    }

    @Test("runs say what comes next, chosen or left out, up to the end of the list")
    func runs() {
        let selection = ExampleSelection(indices: [2, 3, 7])
        var runs: [String] = []
        var index = 0
        while index < 10 {
            let run = selection.run(at: index, of: 10)
            runs.append("\(run.isChosen ? "+" : "-")\(run.count)")
            index += run.count
        }
        #expect(runs == ["-2", "+2", "-3", "+1", "-2"])
        #expect([2, 3, 7].map { selection.position(of: $0) } == [0, 1, 2])
    }

    @Test("results move together as if the list held nothing else, whatever lies between them")
    func dense() {
        let selection = ExampleSelection(indices: [1, 2, 5, 9])
        // 1, 24 and "ab" in CBOR.
        let results = Bytes([0x01, 0x18, 0x18, 0x62, 0x61, 0x62])
        let strided = selection.dense(ResultRun(first: 1, count: 3, stride: 4, results: results, rank: 2))
        #expect(strided.map(\.first) == [0, 2, 3] && strided.allSatisfy { $0.count == 1 && $0.rank == 2 })
        #expect(strided.map { $0.results.array } == [[0x01], [0x18, 0x18], [0x62, 0x61, 0x62]])
        let together = selection.dense(ResultRun(first: 1, count: 2, results: Bytes([1, 2]), rank: 0))
        #expect(together.count == 1 && together[0].first == 0 && together[0].results == Bytes([1, 2]))
    }
}
