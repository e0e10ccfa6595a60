/// What the examples of one list have cost, according to a journal.
public struct MeasuredExamples: Sendable {
    /// How long they took, in the order of the list.
    public var seconds: [Double] = []
    /// The peak memory of each, in bytes, as far as it is known.
    public var peaks: [Int64] = []
    /// The largest number of ranks that worked on one host; nil where that is not known.
    public var ranksPerHost: Int?
}

extension JournalReader {
    /// The costs of the examples of `stage`, or of the job itself, that are in the latest list.
    ///
    /// - Returns: the costs, and a message for the user if something is wrong with the journal; nil if everything is valid.
    /// - Throws: `JournalError` where it cannot be read.
    public func measuredExamples(of stage: String?) throws(JournalError) -> (MeasuredExamples, flaws: String?) {
        var rows: [(index: Int, id: Int64, seconds: Double?, peak: Int64?)] = []
        var ranks: [String: Set<Int>] = [:]
        let flaws = try forEachMeasure { row, found, measure in
            guard found == stage, let index = row.index else { return }
            rows.append((index, row.id, measure.seconds, measure.peak))
            if let rank = measure.rank, let host = measure.host { ranks[host, default: []].insert(rank) }
        }
        // While a list is being read anew, an older example may still have the place of a newer one.
        rows.sort { ($0.index, $1.id) < ($1.index, $0.id) }
        var measured = MeasuredExamples()
        var next = 0
        for row in rows where row.index >= next {
            next = row.index + 1
            if let seconds = row.seconds { measured.seconds.append(seconds) }
            if let peak = row.peak { measured.peaks.append(peak) }
        }
        measured.ranksPerHost = ranks.values.map(\.count).max()
        return (measured, flaws)
    }
}
