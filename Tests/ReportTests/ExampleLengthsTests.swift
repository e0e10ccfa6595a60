import Simulation
import Testing

@testable import Report

@Suite("How long examples took")
struct ExampleLengthsTests {
    private func lengths(_ seconds: [Double]) -> ExampleLengths {
        var lengths = ExampleLengths()
        for length in seconds { lengths.add(length, count: 1) }
        return lengths
    }

    @Test("every example is in one bar, whatever the lengths are", arguments: UInt64(1)...30)
    func sums(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let width = Double.random(in: 0...12, using: &random)
        let all = (0..<2000).map { _ in exp10(.random(in: -6...(-6 + width), using: &random)) }
        let lengths = lengths(all)
        let bars = lengths.distribution
        #expect(bars.reduce(0) { $0 + $1.count } == 2000)
        #expect(bars.count <= 40 && zip(bars, bars.dropFirst()).allSatisfy { abs($0.to / $1.from - 1) < 1e-9 })
        #expect((bars.first?.count ?? 0) > 0 && (bars.last?.count ?? 0) > 0)
        for bar in bars {
            // The steps of lengths are half a percent wide.
            let exact = all.count { bar.from <= $0 && $0 < bar.to }
            let wide = all.count { bar.from / 1.006 <= $0 && $0 < bar.to * 1.006 }
            let narrow = all.count { bar.from * 1.006 <= $0 && $0 < bar.to / 1.006 }
            #expect(narrow...max(wide, exact) ~= bar.count)
        }
    }

    @Test("the scale is logarithmic where lengths differ by more than a power of ten")
    func scale() {
        #expect(lengths([0.001, 10]).isLogarithmic && !lengths([1, 5, 9]).isLogarithmic)
        let bars = lengths([0.01, 0.01, 1]).distribution
        #expect(bars.first?.from == 0.01 && bars.allSatisfy { $0.to / $0.from < 1.3 })
        #expect(lengths([1.02, 1.04, 1.11]).distribution.map(\.count).reduce(0, +) == 3)
    }

    @Test("quantiles are right within a percent")
    func quantiles() {
        let lengths = lengths((1...1000).map { Double($0) / 1000 })
        for part in [0.5, 0.9, 0.99, 1] { #expect(abs(lengths.quantile(part) / part - 1) < 0.01) }
        #expect(abs(lengths.sum - 500.5) < 1e-6 && lengths.least == 0.001 && lengths.most == 1)
    }

    @Test("there may be one length, none, or no time at all")
    func few() {
        #expect(ExampleLengths().distribution.isEmpty && !ExampleLengths().isLogarithmic)
        #expect(lengths([2, 2, 2]).distribution.map(\.count) == [3] && lengths([2]).quantile(0.5) == 2)
        #expect(lengths([0]).distribution.map(\.count) == [1])
    }

    private func exp10(_ power: Double) -> Double {
        var (result, rest) = (1.0, power)
        while rest < 0 {
            result /= 10
            rest += 1
        }
        // The rest in steps, because the tests need no exact power.
        while rest >= 1 {
            result *= 10
            rest -= 1
        }
        return result * (1 + 9 * rest)
    }
}
