/// What the examples of a job cost, in nanoseconds; a long list repeats a shorter one.
public struct ExampleCosts: Sendable {
    /// For each example of one period, the time that all before it take together; the last entry is the time of the
    /// whole period.
    private let elapsed: [Int64]
    /// How many examples there are.
    public private(set) var count: Int
    /// How many neighbours count as one example, and how many examples there are without that.
    private var together = 1
    private let single: Int
    /// What the longest of them takes, alone.
    public let longest: Int64

    /// `count` examples of which the first ones cost `costs`, and the others the same again.
    ///
    /// - Precondition: there are costs, unless there are no examples.
    public init(repeating costs: [Int64], count: Int) {
        var elapsed: [Int64] = [0]
        elapsed.reserveCapacity(costs.count + 1)
        var total: Int64 = 0
        for cost in costs {
            total += cost
            elapsed.append(total)
        }
        self.elapsed = elapsed
        self.count = count
        single = count
        longest = costs.max() ?? 0
    }

    /// Examples that cost `costs`.
    public init(_ costs: [Int64]) { self.init(repeating: costs, count: costs.count) }

    /// The same work, where each example is `number` neighbours of these, or as many as are left.
    public func merged(_ number: Int) -> ExampleCosts {
        var merged = self
        merged.together = together * max(1, number)
        merged.count = (single + merged.together - 1) / merged.together
        return merged
    }

    /// What the examples before `example` take together.
    public func before(_ example: Int) -> Int64 {
        let example = min(example * together, single)
        let period = elapsed.count - 1
        if example <= period { return elapsed[example] }
        return Int64(example / period) * elapsed[period] + elapsed[example % period]
    }
}
