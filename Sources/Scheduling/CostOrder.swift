/// The examples of a list that have not been handed out yet, in the order in which to begin them by their known costs.
///
/// Examples that are long compared with a worker's share come first, starting with the longest: each free worker takes
/// the next one, and what comes last is short (LPT; Graham, SIAM Journal on Applied Mathematics 17, 1969). The others
/// come in the order of the list, in chunks of neighbours: which of them is the last changes the end by a fraction of a
/// percent, and handing them out one by one would cost more than it brings.
///
/// A cost is four bytes, in units of the mean cost. Its sign says whether the example is gone.
struct CostOrder: Sendable {
    private var costs: [Float]
    /// From this cost on an example is long.
    private let long: Float
    /// The long ones that may be handed out, the longest last; some may be gone.
    private var longest: [Int] = []
    /// How far the others have been gone through.
    private var next = 0
    /// Examples from here on may not be handed out yet.
    private var openEnd = 0
    /// The cost of all examples that it had at first.
    let total: Double
    /// How many examples it has, how many of them may be handed out, and what those cost together.
    private(set) var count = 0
    private(set) var openCount = 0
    private(set) var openAmount = 0.0

    /// An example is long if it costs at least one of this many parts of a worker's share.
    ///
    /// Long examples are handed out alone, the longest first.
    private static let partsOfShare = 200.0
    /// The least cost of an example, so that a chunk of the cheapest has an end.
    private static let leastCost: Float = 0.001

    /// - Parameters:
    ///   - costs: what the first examples of the list cost, in any unit, none negative and all finite.
    ///   - fresh: the examples that are to be done, in their order; those without a cost count as the mean of the others.
    ///   - workers: among how many they are shared.
    init(_ costs: [Double], fresh: [Range<Int>], workers: Int) {
        let end = fresh.last?.upperBound ?? 0
        let known = fresh.lazy.flatMap { $0.clamped(to: 0..<max(costs.count, $0.lowerBound)) }
        // Divided by the largest, so that no sum is infinite.
        let largest = known.reduce(0) { max($0, costs[$1]) }
        let (sum, number) = known.reduce((0.0, 0)) {
            ($0.0 + costs[$1] / max(largest, .leastNonzeroMagnitude), $0.1 + 1)
        }
        let mean = sum / Double(max(1, number))
        var units = [Float](repeating: -1, count: end)
        var total = 0.0
        for range in fresh {
            for index in range {
                let isKnown = index < costs.count && mean > 0
                let unit = isKnown ? max(Float(costs[index] / largest / mean), Self.leastCost) : 1
                units[index] = unit
                total += Double(unit)
            }
            count += range.count
        }
        self.costs = units
        self.total = total
        long = Float(total / (Double(max(1, workers)) * Self.partsOfShare))
    }

    /// What an example costs, gone or not; the mean where that is not known.
    func cost(of example: Int) -> Double { example < costs.count ? Double(costs[example].magnitude) : 1 }

    /// Lets examples below `limit` be handed out, and no others.
    mutating func open(below limit: Int) {
        if limit < openEnd {
            (openEnd, openCount, openAmount) = (0, 0, 0)
            longest = []
        }
        guard openEnd < min(limit, costs.count) else { return }
        let before = longest.count
        for index in openEnd..<min(limit, costs.count) where costs[index].sign == .plus {
            openCount += 1
            openAmount += Double(costs[index])
            if costs[index] >= long { longest.append(index) }
        }
        openEnd = min(limit, costs.count)
        guard longest.count > before else { return }
        // Of equal ones the first comes first.
        longest.sort { [costs] in costs[$0] == costs[$1] ? $0 > $1 : costs[$0] < costs[$1] }
    }

    /// The cost of the longest example that is handed out alone; nil where none is left.
    mutating func longestCost() -> Double? {
        while let last = longest.last {
            if costs[last].sign == .plus { return Double(costs[last]) }
            longest.removeLast()
        }
        return nil
    }

    /// Takes the longest example alone, where it costs enough to be alone, or else neighbours; nil where there are
    /// none.
    mutating func take(_ most: ChunkLimits) -> Chunk? {
        if let cost = longestCost(), cost >= most.alone, let index = longest.popLast() {
            take(index)
            return Chunk(first: index, count: 1)
        }
        while next < openEnd, costs[next].sign == .minus { next += 1 }
        guard next < openEnd else { return nil }
        let first = next
        var sum = 0.0
        while next < openEnd, next - first < most.count, costs[next].sign == .plus {
            sum += Double(costs[next])
            guard next == first || sum <= most.amount else { break }
            take(next)
            next += 1
        }
        return Chunk(first: first, count: next - first)
    }

    private mutating func take(_ index: Int) {
        count -= 1
        openCount -= 1
        openAmount -= Double(costs[index])
        costs[index].negate()
    }
}
