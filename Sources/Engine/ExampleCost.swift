/// The cost of examples that a rank has reported together.
///
/// The numbers are the rank's own, except that none is negative.
public struct ExampleCost: Sendable, Equatable {
    /// How long all of them took, in nanoseconds.
    public var nanoseconds: Int64
    /// The processor time that all of them took, in nanoseconds.
    public var cpu: Int64
    /// The most memory that their rank, or a program that they ran, held meanwhile, in bytes; nil where unknown.
    public var peak: Int64?
    /// How long ago the first of them was begun when the root received the report, in nanoseconds.
    public var age: Int64

    /// A cost; negative numbers count as 0, and a peak of 0 as none.
    ///
    /// - Parameter age: how long ago the first was begun; nil: the same as `nanoseconds`.
    public init(nanoseconds: Int64, cpu: Int64 = 0, peak: Int64 = 0, age: Int64? = nil) {
        self.nanoseconds = max(0, nanoseconds)
        self.cpu = max(0, cpu)
        self.peak = peak > 0 ? peak : nil
        self.age = max(0, age ?? nanoseconds)
    }

    /// A part, at most all, of an amount that a rank has reported, which may be any number.
    static func part(_ part: Double, of amount: Int64) -> Int64 {
        Int64(min(Double(max(0, amount)) * min(part, 1), 1e18))
    }

    /// The mean time of one of the `count` examples that the cost is about, in seconds; and its mean processor time.
    package func seconds(of count: Int) -> Double { Double(nanoseconds) / (1e9 * Double(max(count, 1))) }
    package func cpuSeconds(of count: Int) -> Double { Double(cpu) / (1e9 * Double(max(count, 1))) }

    /// The cost of all examples in `report`.
    init(_ report: ChunkReport) {
        self.init(nanoseconds: report.nanoseconds, cpu: report.cpu, peak: report.peak)
    }
}
