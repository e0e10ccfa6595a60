/// What examples have cost that a rank has reported together.
///
/// Its numbers are the rank's, but none is negative.
public struct ExampleCost: Sendable, Equatable {
    /// How long all of them took, in nanoseconds.
    public var nanoseconds: Int64
    /// The processor time that all of them took, in nanoseconds.
    public var cpu: Int64
    /// The most memory that their rank, or a program that they ran, held meanwhile, in bytes; nil where nobody knows.
    public var peak: Int64?
    /// How long before the root heard of them the first of them was begun, in nanoseconds.
    public var age: Int64

    /// A cost; negative numbers count as 0, and a peak of 0 as none.
    ///
    /// - Parameter age: nil: as long ago as they took.
    public init(nanoseconds: Int64, cpu: Int64 = 0, peak: Int64 = 0, age: Int64? = nil) {
        self.nanoseconds = max(0, nanoseconds)
        self.cpu = max(0, cpu)
        self.peak = peak > 0 ? peak : nil
        self.age = max(0, age ?? nanoseconds)
    }

    /// What one of `count` examples took that they are about, in seconds; and its processor time.
    package func seconds(of count: Int) -> Double { Double(nanoseconds) / (1e9 * Double(max(count, 1))) }
    package func cpuSeconds(of count: Int) -> Double { Double(cpu) / (1e9 * Double(max(count, 1))) }

    /// The cost of all that `report` is about.
    init(_ report: ChunkReport) {
        self.init(nanoseconds: report.nanoseconds, cpu: report.cpu, peak: report.peak)
    }
}
