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
            // One of ten is outside the range, but not by much.
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

    @Test("says what it brings to begin the longest first, unless each rank has its share")
    func longestFirst() throws {
        let seconds = Array(repeating: 1.0, count: 63) + [20, 1]
        let row = try Plan(seconds: seconds, of: 65).row(ranks: 4)
        let best = try #require(row.longestFirst)
        #expect(row.makespan > 25 && best < 21.5, "\(row)")
        var conduct = Plan.Conduct()
        conduct.hasShares = true
        #expect(try Plan(seconds: seconds, of: 65, conduct).row(ranks: 4).longestFirst == nil)
    }

    @Test("of very many examples is that of all of them one by one", arguments: [1, 7, 64])
    func merged(ranks: Int) throws {
        var generator = SeededGenerator(seed: 3)
        let seconds = (0..<200_000).map { _ in 0.05 + Double(generator.below(1_000)) / 10_000 }
        let row = try Plan(seconds: seconds, of: seconds.count).row(ranks: ranks)
        var simulator = ScheduleSimulator(ranks: ranks)
        simulator.mayBeginAtEnd = true
        let whole = try simulator.run(ExampleCosts(seconds.map { Int64($0 * 1e9) }))
        #expect(abs(row.makespan / (Double(whole.makespan) / 1e9) - 1) < 0.008, "\(row) \(whole)")
    }

    @Test("has neighbours as one example that takes what they take")
    func neighbours() {
        let merged = ExampleCosts(repeating: [1, 2, 4], count: 8).merged(3)
        #expect(merged.count == 3 && (0...3).map { merged.before($0) } == [0, 7, 14, 17])
        #expect(merged.merged(2).count == 2 && merged.merged(2).before(1) == 14 && merged.merged(2).before(2) == 17)
    }

    @Test("has a curve that ends with the first number of ranks beyond which more are of no use")
    func curve() throws {
        let curve = try Plan(seconds: [100] + Array(repeating: 1, count: 900), of: 901).curve()
        #expect(curve.map(\.ranks) == [1, 2, 4, 8, 16], "\(curve)")
        #expect(abs(curve[0].seconds - 1000) < 1 && abs((curve.last?.seconds ?? 0) - 100) < 2, "\(curve)")
        #expect(zip(curve, curve.dropFirst()).allSatisfy { $0.seconds > $1.seconds })
    }

    @Test("knows it too where more ranks cost more than they bring, and of very many ranks")
    func usefulExtremes() throws {
        let short = Plan(seconds: Array(repeating: 1e-7, count: 100_000), of: 100_000)
        let useful = try short.usefulRanks()
        #expect(try short.row(ranks: useful).makespan <= 1.05 * short.row(ranks: 2 * useful).makespan)
        #expect(useful > 1 && useful < 100, "\(useful)")
        let many = try Plan(seconds: Array(repeating: 10, count: 50_000), of: 50_000).usefulRanks()
        #expect((25_000...50_000).contains(many), "\(many)")
        #expect(try Plan(seconds: [5], of: 1).usefulRanks() == 1)
        var conduct = Plan.Conduct()
        conduct.rootWorks = false
        #expect(try Plan(seconds: Array(repeating: 1, count: 60), of: 60, conduct).usefulRanks() == 61)
    }

    @Test("counts for a host that its ranks may have the examples that need most, each as often as it is in the job")
    func memory() throws {
        let need = try #require(MemoryNeed(peaks: [10, 200, 30], of: 3))
        #expect(need.ofRank == 200)
        #expect([0, 1, 2, 3, 5].map { need.most(of: $0) } == [0, 200, 230, 240, 260])
        let sample = try #require(MemoryNeed(peaks: [10, 200, 30], of: 7))
        #expect([1, 3, 4, 9, 10].map { sample.most(of: $0) } == [200, 600, 630, 720, 730])
        #expect(MemoryNeed(peaks: [], of: 3) == nil)
        #expect(try #require(MemoryNeed(peaks: [.max, .max, -1], of: 3)).most(of: 3) == .max)
    }

    @Test("puts ranks on hosts as many as these have places for, one host after another")
    func hosts() {
        #expect([1, 4, 5, 16].map { HostPlaces.each(4).spread($0).hosts } == [1, 1, 2, 4])
        #expect([1, 4, 5].map { HostPlaces.each(4).spread($0).most } == [1, 4, 4])
        let listed = HostPlaces.listed([2, 8, 3])
        #expect(listed.room == 13 && HostPlaces.each(4).room == nil)
        #expect([1, 2, 3, 10, 13].map { listed.spread($0).hosts } == [1, 1, 2, 2, 3])
        #expect([1, 2, 3, 10, 13].map { listed.spread($0).most } == [1, 2, 2, 8, 8])
    }

    @Test("takes times as they come", arguments: [[], [0], [-1, .infinity, .nan, 1e300]] as [[Double]])
    func strange(seconds: [Double]) throws {
        let row = try Plan(seconds: seconds, of: 3).row(ranks: 2)
        #expect(row.makespan.isFinite && row.makespan >= 0 && row.efficiency.isFinite)
        _ = try Plan(seconds: seconds, of: 3).usefulRanks()
    }
}
