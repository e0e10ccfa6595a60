/// How long examples of a job took, as a journal has it.
public struct KnownSeconds: Sendable {
    /// The seconds of each example.
    public var examples: [ExampleKey: Double]
    /// The mean of all that the journal has.
    public var mean: Double
}

extension JournalReader {
    /// How long the examples of the job itself took; rows that do not prove themselves are left out.
    ///
    /// - Parameter ofFailedOnly: only of those that have failed; the mean is of all.
    /// - Throws: `JournalError` where the journal cannot be read.
    public func seconds(ofFailedOnly: Bool = false) throws(JournalError) -> KnownSeconds {
        var known: [ExampleKey: Double] = [:]
        var (sum, count) = (0.0, 0)
        // Mostly nothing has failed, and then nothing need be read.
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
