/// How much memory ranks need, whichever of them gets which examples.
public struct MemoryNeed: Sendable {
    /// The memory of the examples for which it is known, the most first; and the sums of its first elements, from none on.
    private let peaks: [Int64]
    private let together: [Int64]
    /// How many examples of the job each of them stands for.
    private let each: Int

    /// - Parameters:
    ///   - peaks: the most memory that the rank of each example held, in bytes.
    ///   - count: how many examples the job has; others than these need as much as these do.
    /// - Returns: nil where nothing is known.
    public init?(peaks: [Int64], of count: Int) {
        guard !peaks.isEmpty else { return nil }
        self.peaks = peaks.map { max(0, $0) }.sorted(by: >)
        each = max(1, (count + peaks.count - 1) / peaks.count)
        var sum: Int64 = 0
        together =
            [0]
            + self.peaks.map { peak in
                sum = sum.addingReportingOverflow(peak).overflow ? .max : sum + peak
                return sum
            }
    }

    /// The most that one rank needs, in bytes.
    public var ofRank: Int64 { peaks[0] }

    /// The most that `ranks` ranks of one host can need at a time, in bytes: each of them is taken to keep what one of
    /// the most demanding examples has needed.
    public func most(of ranks: Int) -> Int64 {
        let (whole, rest) = ((ranks / each), ranks % each)
        // A rank that gets no example still needs as much as the least demanding example.
        guard whole < peaks.count else {
            let idle = Double(ranks - peaks.count * each) * Double(peaks[peaks.count - 1])
            return Self.sum(Double(together[peaks.count]) * Double(each) + idle)
        }
        return Self.sum(Double(together[whole]) * Double(each) + Double(rest) * Double(peaks[whole]))
    }

    private static func sum(_ bytes: Double) -> Int64 { bytes < 9e18 ? Int64(bytes) : .max }
}
