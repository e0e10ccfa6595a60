/// What the examples of one list have cost, as a journal has it.
public struct MeasuredExamples: Sendable {
    /// How long they took, in the order of the list.
    public var seconds: [Double] = []
    /// The most memory, in bytes, that was held meanwhile, as far as that is known.
    public var peaks: [Int64] = []
    /// The most ranks that have worked on one host; nil where that is not known.
    public var ranksPerHost: Int?
}

extension JournalReader {
    /// What the examples of `stage`, or of the job itself, have cost that are in the latest list.
    ///
    /// - Returns: that, and what is wrong with the journal, for the user; nil where all of it proves itself.
    /// - Throws: `JournalError` where it cannot be read.
    public func measuredExamples(of stage: String?) throws(JournalError) -> (MeasuredExamples, flaws: String?) {
        var rows: [(index: Int, id: Int64, seconds: Double?, peak: Int64?)] = []
        var ranks: [String: Set<Int>] = [:]
        let flaws = try forEachMeasure { row, found, measure in
            guard found == stage, let index = row.index else { return }
            rows.append((index, row.id, measure.seconds, measure.peak))
            if let rank = measure.rank, let host = measure.host { ranks[host, default: []].insert(rank) }
        }
        // In a list that is being read anew an older example may still have the place of a newer one.
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
