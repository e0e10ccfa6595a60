import Planning
import Scheduling
import Testing

@Suite("A plan")
struct PlanTests {
    @Test("of equal examples is what one can count", arguments: [1, 2, 5, 10])
    func equal(ranks: Int) throws {
        let plan = Plan(seconds: Array(repeating: 2, count: 100), of: 100)
        let row = try plan.row(ranks: ranks)
        #expect(!plan.isExtrapolated && abs(plan.work.total - 200) < 1e-6 && abs(plan.work.longest - 2) < 1e-6)
        #expect(abs(row.makespan - 200 / Double(ranks)) < 0.1 && row.efficiency > 0.99, "\(row)")
        #expect(row.range == row.makespan...row.makespan && row.rankSeconds == row.makespan * Double(ranks))
    }

    @Test("knows from how many ranks on the longest example is all that counts")
    func useful() throws {
        let plan = Plan(seconds: [100] + Array(repeating: 1, count: 900), of: 901)
        let useful = try plan.usefulRanks()
        #expect((9...11).contains(useful), "\(useful)")
        #expect(try plan.row(ranks: useful).makespan <= 1.05 * plan.row(ranks: 901).makespan)
        #expect(try plan.row(ranks: useful - 1).makespan > 1.05 * plan.row(ranks: 901).makespan)
        #expect(try plan.row(ranks: 1 << 30).ranks == Plan.mostRanks)
    }

    @Test("from some of the examples has a spread around the whole, and more of them make it narrower")
    func extrapolated() throws {
        var generator = SeededGenerator(seed: 7)
        let all = (0..<10_000).map { _ in 0.5 + Double(generator.below(1_000)) / 1_000 }
        let whole = try Plan(seconds: all, of: all.count).row(ranks: 16)
        var widths: [Double] = []
        for count in [20, 2_000] {
            let plan = Plan(seconds: Array(all.prefix(count)), of: all.count)
            let row = try plan.row(ranks: 16)
            #expect(plan.isExtrapolated && plan.measured == count && plan.count == all.count)
            let width = row.range.upperBound - row.range.lowerBound
            // One of ten lies outside, though not by much.
            #expect(
                abs(row.makespan - whole.makespan) < 1.5 * width && row.range.contains(row.makespan), "\(row) \(whole)")
            widths.append(width)
        }
        #expect(widths[1] < widths[0] / 3, "\(widths)")
    }

    @Test("is the same each time")
    func repeated() throws {
        let rows = try (0..<2).map { _ in try Plan(seconds: [1, 2, 3], of: 500).row(ranks: 4) }
        #expect(rows[0] == rows[1])
    }

    @Test("heeds how the ranks work")
    func conduct() throws {
        let seconds = (0..<64).map { $0 % 4 == 1 ? 3.0 : 1 }
        var conduct = Plan.Conduct()
        conduct.hasShares = true
        #expect(try Plan(seconds: seconds, of: 64, conduct).row(ranks: 4).makespan == 48)
        conduct.hasShares = false
        conduct.rootWorks = false
        let idle = try Plan(seconds: seconds, of: 64, conduct).row(ranks: 4)
        let busy = try Plan(seconds: seconds, of: 64).row(ranks: 3)
        #expect(idle.makespan == busy.makespan && idle.efficiency < busy.efficiency)
        conduct.policy = .fixed(64)
        #expect(try Plan(seconds: seconds, of: 64, conduct).row(ranks: 4).makespan > 95)
    }

    @Test("takes times as they come", arguments: [[], [0], [-1, .infinity, .nan, 1e300]] as [[Double]])
    func strange(seconds: [Double]) throws {
        let row = try Plan(seconds: seconds, of: 3).row(ranks: 2)
        #expect(row.makespan.isFinite && row.makespan >= 0 && row.efficiency.isFinite)
        _ = try Plan(seconds: seconds, of: 3).usefulRanks()
    }
}
