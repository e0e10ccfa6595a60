import DLP
import Simulation
import Testing

@testable import Report

@Suite("Who did what when")
struct TimelineTests {
    private static let start: UInt64 = 1_000_000

    /// Adds reports of one example each: the time of the report, and the duration of the example.
    private func row(_ reports: [(at: UInt64, took: UInt64)], capacity: Int = 1000) -> TimelineRow {
        var row = TimelineRow(origin: Self.start, capacity: capacity)
        for (number, report) in reports.enumerated() {
            row.add(block(number + 1, at: Self.start + report.at, took: report.took))
        }
        return row
    }

    private func block(_ example: Int, at end: UInt64, took: UInt64, failed: Bool = false) -> TimelineBlock {
        TimelineBlock(
            start: end - took, end: end, work: took, examples: example...example, count: 1, failed: failed ? 1 : 0)
    }

    private func spans(_ row: TimelineRow) -> [ClosedRange<UInt64>] {
        row.blocks.map { $0.start - Self.start...$0.end - Self.start }
    }

    @Test("a block ends when it is reported, and lasts as long as the rank says")
    func placed() {
        let row = row([(100, 100), (250, 120), (300, 50)])
        #expect(spans(row) == [0...100, 130...250, 250...300])
        #expect(row.work == 270)
    }

    @Test("a report that comes late pushes those before it back, as far as the rank was idle")
    func late() {
        #expect(spans(row([(100, 50), (300, 50), (310, 100)])) == [50...100, 160...210, 210...310])
        #expect(spans(row([(100, 50), (160, 50), (170, 60)])) == [10...60, 60...110, 110...170])
        #expect(spans(row([(100, 50), (160, 50), (170, 100)])) == [0...50, 50...100, 100...170], "as far as it goes")
    }

    @Test("a rank never does two things at once, whatever it reports", arguments: UInt64(1)...40)
    func order(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var row = TimelineRow(origin: Self.start, capacity: .random(in: 4...50, using: &random))
        var now = Self.start
        for example in 1...400 {
            now += .random(in: 0..<1000, using: &random)
            let took = UInt64.random(in: 0..<1500, using: &random)
            row.add(block(example, at: now, took: took, failed: Bool.random(using: &random)))
        }
        var last = Self.start
        for block in row.blocks {
            #expect(block.start >= last && block.end >= block.start)
            last = block.end
        }
        #expect(last <= now)
        #expect(row.blocks.reduce(0) { $0 + $1.count } == 400)
    }

    @Test("a million short examples take as little room as a few, and none is forgotten", arguments: [4, 64, 1000])
    func bounded(_ capacity: Int) {
        var row = TimelineRow(origin: Self.start, capacity: capacity)
        var most = 0
        for example in 1...1_000_000 {
            row.add(block(example, at: Self.start + UInt64(example) * 1000, took: 900, failed: example % 1000 == 0))
            most = max(most, row.blocks.count)
        }
        #expect(most <= capacity && row.blocks.count >= capacity / 4)
        #expect(row.blocks.reduce(0) { $0 + $1.count } == 1_000_000)
        #expect(row.blocks.reduce(0) { $0 + $1.failed } == 1000)
        #expect(row.work == 900_000_000)
        #expect(row.blocks.first?.examples.lowerBound == 1 && row.blocks.last?.examples.upperBound == 1_000_000)
    }

    @Test("a long example among many short ones keeps a block of its own, nearly")
    func long() throws {
        var row = TimelineRow(origin: Self.start, capacity: 100)
        var now = Self.start
        for example in 1...10_000 {
            let took: UInt64 = example == 5_000 ? 3_000_000 : 1000
            now += took
            row.add(block(example, at: now, took: took))
        }
        let longest = try #require(row.blocks.max { $0.duration < $1.duration })
        #expect(longest.examples.contains(5_000))
        #expect(longest.count < 1_000)
    }

    @Test("a lost rank is shown from its last report on")
    func lost() throws {
        var row = row([(100, 50)])
        row.lose(at: Self.start + 500, cause: "killed")
        let loss = try #require(row.loss)
        #expect(loss.start == Self.start + 100 && loss.end == Self.start + 500)
    }

    @Test(
        "a block says what it was",
        arguments: [
            (3...3, 1, 0, "example 3"), (3...3, 1, 1, "example 3, failed"), (3...7, 5, 0, "examples 3 to 7"),
            (3...9, 3, 2, "3 examples of 3 to 9, 2 failed"),
        ])
    func text(_ examples: ClosedRange<Int>, _ count: Int, _ failed: Int, _ text: String) {
        let block = TimelineBlock(start: 0, end: 1, work: 1, examples: examples, count: count, failed: failed)
        #expect(block.text == text)
    }

    @Test("ranks are called by their hosts where there are several")
    func names() {
        var timeline = Timeline(title: "job", ranks: 3, start: Self.start)
        for rank in 0..<2 {
            timeline.add(
                Chunk(first: 0, count: 1), isFailed: false, rank: rank, host: "a", nanoseconds: 1, at: Self.start + 9)
        }
        #expect((0..<3).map { timeline.name(of: $0) } == ["rank 0", "rank 1", "rank 2"])
        timeline.lose(1, host: "b", cause: "gone", at: Self.start + 10)
        #expect((0..<3).map { timeline.name(of: $0) } == ["rank 0 (a)", "rank 1 (b)", "rank 2"])
    }

    @Test("ranks that came late have their rows behind the others")
    func lateRanks() {
        var timeline = Timeline(title: "job", ranks: 1, start: Self.start)
        timeline.add(
            Chunk(first: 0, count: 1), isFailed: false, rank: 2, host: "a", nanoseconds: 1, at: Self.start + 9)
        timeline.lose(3, host: "a", cause: "gone", at: Self.start + 10)
        #expect(timeline.rows.map(\.blocks.count) == [0, 0, 1, 0])
    }

    @Test("reports that make no sense do no harm", arguments: [Int64.min, -1, 0, .max])
    func nonsense(_ nanoseconds: Int64) {
        var timeline = Timeline(title: "job", ranks: 1, start: Self.start)
        for count in [0, 2] {
            timeline.add(
                Chunk(first: 5, count: count, stride: 3), isFailed: false, rank: 0, host: "a", nanoseconds: nanoseconds,
                at: Self.start + 100)
        }
        timeline.finish(at: 0)
        #expect(timeline.count == 2 && timeline.end == timeline.start)
        #expect(timeline.rows[0].blocks.map(\.examples) == [6...9])
    }

    @Test(
        "an axis has a dozen round times or so",
        arguments: [
            (1_000_000_000, "milliseconds", ["0", "100", "200"]), (3_000_000_000, "seconds", ["0.0", "0.2", "0.4"]),
            (12_300_000_000, "seconds", ["0", "1", "2"]), (100_000_000_000, "seconds", ["0", "10", "20"]),
            (600_000_000_000, "minutes", ["0", "1", "2"]), (36_000_000_000_000, "hours", ["0", "1", "2"]),
            (20_000_000, "milliseconds", ["0", "2", "4"]), (5_000, "microseconds", ["0.0", "0.5", "1.0"]),
        ] as [(UInt64, String, [String])])
    func axis(_ time: UInt64, _ unit: String, _ labels: [String]) {
        let scale = TimeScale(nanoseconds: time, pixels: 980)
        #expect(scale.unit == unit)
        #expect(scale.ticks.prefix(3).map(\.label) == labels)
        #expect((4...20).contains(scale.ticks.count))
        #expect(zip(scale.ticks, scale.ticks.dropFirst()).allSatisfy { $1.pixel - $0.pixel >= 59.9 })
        #expect(scale.pixel(time) == 980 && scale.pixel(0) == 0 && scale.pixel(2 * time) == 980)
    }
}
