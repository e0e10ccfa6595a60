/// What the examples of a job cost, in nanoseconds; a long list is a shorter one over and over.
public struct ExampleCosts: Sendable {
    /// What the examples of one period before each take together; the last is all of them.
    private let elapsed: [Int64]
    /// How many examples there are.
    public private(set) var count: Int
    /// How many neighbours count as one example, and how many there are without that.
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

    /// The same work as examples each of which is `number` neighbours of these, as far as there are so many.
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
