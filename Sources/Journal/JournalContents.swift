import DLP

/// The contents of a journal when a job begins.
struct JournalContents {
    /// The valid rows, by stage and example.
    private(set) var rows: [String?: [ExampleKey: JournalRow]] = [:]
    /// The rows that are not valid.
    private(set) var broken: [BrokenRow] = []
    /// The traces of examples; rows refer to them by numbers from 1.
    let traces: [ExampleTrace]

    init(_ database: Database, _ header: JournalHeader?) throws(SQLiteError) {
        let all = try RowReader(database, header)
        while try all.statement.step() {
            switch all.row() {
            case .success(let (stage, key, row)): rows[stage, default: [:]][key] = row
            case .failure(let flaw): broken.append(BrokenRow(id: all.id, reason: flaw.reason))
            }
        }
        traces = all.traces.traces
    }
}

/// The traces of a journal, each stored once, in the order in which they are read.
final class TraceTable {
    private(set) var traces: [ExampleTrace] = []
    private var numbers: [[UInt8]: Int] = [:]

    /// The number of an encoded trace, from 1; 0 for something that is no trace.
    func number(of encoded: UnsafeRawBufferPointer) -> Int {
        let key = Array(encoded)
        if let number = numbers[key] { return number }
        guard let trace = ExampleTrace(encoded: Bytes(copying: encoded)) else { return 0 }
        traces.append(trace)
        numbers[key] = traces.count
        return traces.count
    }
}
