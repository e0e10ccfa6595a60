/// How long examples of a job took, according to a journal.
public struct KnownSeconds: Sendable {
    /// The seconds of each example.
    public var examples: [ExampleKey: Double]
    /// The mean of all examples in the journal.
    public var mean: Double
}

extension JournalReader {
    /// How long the job's own examples took; rows that are not valid are left out.
    ///
    /// - Parameter ofFailedOnly: whether only failed examples are returned; the mean is still that of all.
    /// - Throws: `JournalError` where the journal cannot be read.
    public func seconds(ofFailedOnly: Bool = false) throws(JournalError) -> KnownSeconds {
        var known: [ExampleKey: Double] = [:]
        var (sum, count) = (0.0, 0)
        // Usually nothing has failed. Then nothing needs to be read.
        if ofFailedOnly, try !hasFailures() { return KnownSeconds(examples: [:], mean: 0) }
        try forEachRow { key, row, stage, seconds in
            guard stage == nil, let seconds else { return }
            sum += seconds
            count += 1
            if !ofFailedOnly || !row.isDone { known[key] = seconds }
        }
        return KnownSeconds(examples: known, mean: count > 0 ? sum / Double(count) : 0)
    }
}
