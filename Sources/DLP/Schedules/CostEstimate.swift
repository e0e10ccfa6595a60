/// What one example costs, in nanoseconds, learnt from the chunks that came back.
///
/// The larger of a recent and a lasting mean counts. The recent one follows costs that rise along the list; the
/// lasting one remembers the rare long examples of a heavy tail, which most recent chunks did not meet. To take too
/// much for the cost only makes chunks smaller, to take too little makes ranks wait for each other at the end.
struct CostEstimate: Sendable {
    /// How many windows of the recent mean the lasting one looks back.
    private static let lastingWindows = 16.0

    private var recent = DecayingMean()
    private var lasting = DecayingMean()

    /// Nanoseconds per example; nil as long as nothing was measured.
    private(set) var perExample: Double?

    /// Takes in that `examples` took `nanoseconds` together; the recent mean looks back over `window` such reports.
    mutating func record(nanoseconds: Int64, examples: Int, window: Int) {
        guard examples > 0 else { return }
        let time = Double(max(nanoseconds, 0))
        recent.add(time, weight: Double(examples), keeping: 1 - 1 / Double(window))
        lasting.add(time, weight: Double(examples), keeping: 1 - 1 / (Double(window) * Self.lastingWindows))
        perExample = max(recent.mean, lasting.mean)
    }
}

/// A mean in which everything counts less the older it is.
private struct DecayingMean: Sendable {
    private var sum = 0.0
    private var weight = 0.0

    var mean: Double { weight > 0 ? sum / weight : 0 }

    mutating func add(_ value: Double, weight added: Double, keeping factor: Double) {
        sum = sum * factor + value
        weight = weight * factor + added
    }
}
