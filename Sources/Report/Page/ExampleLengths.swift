#if canImport(Glibc)
    import Glibc
#endif

/// The distribution of examples' lengths.
///
/// It takes as little memory for a million examples as for a thousand.
struct ExampleLengths {
    /// A range of lengths, in seconds, and the number of examples in it.
    struct Bar: Equatable {
        var from: Double
        var to: Double
        var count: Int
    }

    /// The resolution of lengths: this many steps to a power of ten, half a percent each.
    private static let steps = 500.0
    /// The approximate number of bars.
    private static let bars = 30

    /// The number of examples in each step.
    private var counts: [Int: Int] = [:]
    /// How many examples there are.
    private(set) var count = 0
    /// The total length of the examples, and the shortest and the longest, in seconds.
    private(set) var sum = 0.0
    private(set) var least = Double.infinity
    private(set) var most = 0.0

    /// Adds `count` examples that took `seconds` each.
    mutating func add(_ seconds: Double, count added: Int) {
        // Not less than a nanosecond, the resolution of the clock.
        let seconds = max(seconds, 1e-9)
        counts[Int((log10(seconds) * Self.steps).rounded(.down)), default: 0] += added
        count += added
        sum += seconds * Double(added)
        least = min(least, seconds)
        most = max(most, seconds)
    }

    /// The length that a fraction of the examples, from 0 to 1, does not exceed.
    func quantile(_ part: Double) -> Double {
        var rest = Int((part * Double(count)).rounded(.up))
        for (step, count) in counts.sorted(by: { $0.key < $1.key }) {
            rest -= count
            if rest <= 0 { return min(max(middle(of: step), least), most) }
        }
        return most
    }

    private func middle(of step: Int) -> Double { pow(10, (Double(step) + 0.5) / Self.steps) }

    /// Whether the lengths differ so much that a logarithmic scale is needed.
    var isLogarithmic: Bool { count > 0 && most > 10 * least }

    /// All lengths in bars of equal width on their scale, including empty bars.
    var distribution: [Bar] {
        guard count > 0 else { return [] }
        return isLogarithmic ? logarithmicBars : linearBars
    }

    private var logarithmicBars: [Bar] {
        let decades = log10(most / least)
        // Divisors of the number of steps, so that each step falls into exactly one bar.
        let perDecade = [10, 5, 4, 2].first { decades * Double($0) <= Double(Self.bars) } ?? 1
        let width = Int(Self.steps) / perDecade
        var bars: [Int: Int] = [:]
        for (step, count) in counts { bars[Int((Double(step) / Double(width)).rounded(.down)), default: 0] += count }
        let places = bars.keys.sorted()
        return (places[0]...places[places.count - 1]).map { place in
            Bar(
                from: pow(10, Double(place) / Double(perDecade)), to: pow(10, Double(place + 1) / Double(perDecade)),
                count: bars[place] ?? 0)
        }
    }

    private var linearBars: [Bar] {
        // A step is half a percent wide, so narrower bars would leave gaps.
        let least = max((most - self.least) / Double(Self.bars), most / 100)
        var width = pow(10, log10(least).rounded(.down))
        for factor in [1.0, 2, 5, 10] where width * factor >= least {
            width *= factor
            break
        }
        var bars: [Int: Int] = [:]
        for (step, count) in counts {
            let length = min(max(middle(of: step), self.least), most)
            bars[Int((length / width).rounded(.down)), default: 0] += count
        }
        let places = bars.keys.sorted()
        return (places[0]...places[places.count - 1]).map { place in
            Bar(from: Double(place) * width, to: Double(place + 1) * width, count: bars[place] ?? 0)
        }
    }
}
