import Testing

@testable import Scheduling

@Suite("How many examples a chunk has")
struct ScheduleChunkTests {
    private func input(
        available: Int = 1_000_000, workers: Int = 4, cost: Double? = 1000, previous: Int = 100_000
    ) -> ChunkingInput {
        var estimate = CostEstimate()
        if let cost {
            // Times are whole nanoseconds, so fractions show only over many examples.
            let time = Int64(min(cost * 1000, 1e18))
            estimate.record(nanoseconds: time, examples: 1000, window: 16)
        }
        return ChunkingInput(available: Double(available), workers: workers, cost: estimate, previous: previous)
    }

    @Test("one, as long as the cost is unknown or the worker is new")
    func unknown() {
        #expect(ChunkPolicy.adaptive.count(in: input(cost: nil)) == 1)
        #expect(ChunkPolicy.adaptive.count(in: input(previous: 0)) == 1)
    }

    @Test("as many as fill the chunk's time", arguments: [(1000.0, 2000), (100_000, 20), (2_000_000, 1), (1e12, 1)])
    func time(cost: Double, count: Int) {
        #expect(ChunkPolicy.adaptive.count(in: input(cost: cost)) == count)
    }

    @Test("at most 8 times the worker's previous one")
    func growth() {
        #expect(ChunkPolicy.adaptive.count(in: input(previous: 1)) == 8)
        #expect(ChunkPolicy.adaptive.count(in: input(previous: 8)) == 64)
    }

    @Test("a quarter of a fair share of what remains, at least what the root needs to serve all")
    func end() {
        #expect(ChunkPolicy.adaptive.count(in: input(available: 16_000)) == 1000)
        #expect(ChunkPolicy.adaptive.count(in: input(available: 160)) == 80)
        #expect(ChunkPolicy.adaptive.count(in: input(available: 160, cost: 100_000)) == 10)
        #expect(ChunkPolicy.adaptive.count(in: input(available: 3, cost: 100_000)) == 1)
    }

    @Test("more where the root has many to serve")
    func manyWorkers() {
        #expect(ChunkPolicy.adaptive.count(in: input(available: 1 << 40, workers: 1000)) == 80_000)
    }

    @Test("bounded, whatever the numbers", arguments: [0, 1e-300, 1e300, .infinity])
    func extremes(cost: Double) {
        let count = ChunkPolicy.adaptive.count(in: input(available: .max, cost: cost, previous: 1 << 30))
        #expect(1...(1 << 30) ~= count)
        #expect(ChunkPolicy.fixed(.max).count(in: input()) == 1 << 30)
        #expect(ChunkPolicy.fixed(.min).count(in: input()) == 1)
    }

    @Test("a second one only where examples are short and there is one for everybody")
    func ahead() {
        #expect(ChunkPolicy.adaptive.allowsAhead(in: input()))
        #expect(!ChunkPolicy.adaptive.allowsAhead(in: input(cost: nil)))
        #expect(!ChunkPolicy.adaptive.allowsAhead(in: input(cost: 20_000_000)))
        #expect(!ChunkPolicy.adaptive.allowsAhead(in: input(available: 300)))
        #expect(ChunkPolicy.fixed(3).allowsAhead(in: input(available: 12)))
        #expect(!ChunkPolicy.fixed(3).allowsAhead(in: input(available: 11)))
    }

    @Test("given back after five times the expected time, never where its size is fixed or there is nothing to give")
    func giveBack() {
        #expect(ChunkPolicy.adaptive.giveBackAfter(chunkOf: 2000, in: input()) == 10_000_000)
        #expect(ChunkPolicy.adaptive.giveBackAfter(chunkOf: 1, in: input()) == 0)
        #expect(ChunkPolicy.fixed(9).giveBackAfter(chunkOf: 9, in: input()) == 0)
        #expect(ChunkPolicy.adaptive.giveBackAfter(chunkOf: 2, in: input(cost: 1e300)) > 0)
    }

    @Test("caution follows a rise at once and forgets a fall slowly")
    func caution() throws {
        var cost = CostEstimate()
        for _ in 0..<1000 { cost.record(nanoseconds: 1000, examples: 10, window: 16) }
        #expect(abs(try #require(cost.cautious) - 100) < 0.001)
        for _ in 0..<16 { cost.record(nanoseconds: 10_000, examples: 10, window: 16) }
        let risen = try #require(cost.cautious)
        #expect(risen > 600 && risen == cost.recent)
        for _ in 0..<64 { cost.record(nanoseconds: 1000, examples: 10, window: 16) }
        #expect(try #require(cost.recent) < 120)
        #expect(try #require(cost.cautious) > 150)
    }

    @Test("nothing done teaches nothing")
    func nothing() {
        var cost = CostEstimate()
        cost.record(nanoseconds: 5, examples: 0, window: 16)
        #expect(cost.recent == nil && cost.cautious == nil)
    }
}
