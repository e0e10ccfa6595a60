/// What a journal held when the job began, by the stages of its script; each stage finds its examples there once.
public final class StoredRows {
    private var rows: [String?: [ExampleKey: JournalRow]]
    /// The `id` of the next stage's first new row; all rows that were there before have lower ones.
    private var nextRow: Int64
    /// The latest stage, whose list may still grow: the next one's rows come behind it.
    private var latest: ExampleLedger?

    init(_ rows: [String?: [ExampleKey: JournalRow]]) {
        self.rows = rows
        nextRow = (rows.values.lazy.flatMap { $0.values }.map(\.id).max() ?? 0) + 1
    }

    /// The ledger of a stage; nil stands for the examples of the job itself.
    ///
    /// The stage before must have come to its end: rows are numbered one stage after another.
    public func ledger(of stage: String? = nil) -> ExampleLedger {
        if let latest { nextRow = latest.firstRow + Int64(latest.count) }
        let ledger = ExampleLedger(rows.removeValue(forKey: stage) ?? [:], of: stage, firstRow: nextRow)
        latest = ledger
        return ledger
    }
}
