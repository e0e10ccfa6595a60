import Glibc

/// The distribution of the costs of examples, and their order.
public enum CostDistribution: String, CaseIterable, Sendable {
    /// All examples cost the same.
    case constant
    /// One of five takes six times as long as the others.
    case bimodal
    /// A Pareto distribution: its mean is three times its least value, its variance infinite.
    case heavyTail
    /// The first examples cost nothing, the last ones twice the mean.
    case ascending
    /// The reverse order.
    case descending

    /// `count` costs in nanoseconds with a mean of about `mean`, the same in every run.
    public func costs(_ count: Int, mean: Double) -> [Int64] {
        var generator = SeededGenerator(seed: 7)
        switch self {
        case .constant: return Array(repeating: Int64(mean), count: count)
        case .bimodal:
            return (0..<count).map { _ in
                Int64(Double.random(in: 0..<1, using: &generator) < 0.2 ? 3 * mean : 0.5 * mean)
            }
        case .heavyTail:
            return (0..<count).map { _ in
                Int64(mean / 3 / pow(1 - Double.random(in: 0..<1, using: &generator), 1 / 1.5))
            }
        case .ascending: return (0..<count).map { Int64(2 * mean * Double($0 + 1) / Double(count)) }
        case .descending: return (0..<count).map { Int64(2 * mean * Double(count - $0) / Double(count)) }
        }
    }
}
