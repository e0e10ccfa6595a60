/// The cost of one example, in nanoseconds, learnt from the chunks that came back; where costs are known, of an example
/// of mean cost.
struct CostEstimate: Sendable {
    /// How many windows of the recent mean the lasting mean looks back.
    private static let lastingWindows = 8.0

    private var recentMean = DecayingMean()
    private var lastingMean = DecayingMean()

    /// How long each of the latest examples took on average; nil as long as nothing was measured.
    var recent: Double? { recentMean.value }

    /// The larger of a recent and a lasting mean.
    ///
    /// The recent one follows costs that rise along the list; the lasting one remembers the rare long examples of a
    /// heavy tail, which most recent chunks did not meet. To expect too much only makes chunks smaller, to expect too
    /// little makes ranks wait for each other at the end.
    var cautious: Double? {
        guard let recent = recentMean.value, let lasting = lastingMean.value else { return nil }
        return max(recent, lasting)
    }

    /// Records that `examples` took `nanoseconds` together; the recent mean looks back over `window` such reports.
    mutating func record(nanoseconds: Int64, examples: Double, window: Int) {
        guard examples > 0 else { return }
        let time = Double(max(nanoseconds, 0))
        recentMean.add(time, weight: examples, keeping: 1 - 1 / Double(window))
        lastingMean.add(time, weight: examples, keeping: 1 - 1 / (Double(window) * Self.lastingWindows))
    }
}

/// A mean in which everything counts less the older it is.
private struct DecayingMean: Sendable {
    private var sum = 0.0
    private var weight = 0.0

    var value: Double? { weight > 0 ? sum / weight : nil }

    mutating func add(_ value: Double, weight added: Double, keeping factor: Double) {
        sum = sum * factor + value
        weight = weight * factor + added
    }
}
