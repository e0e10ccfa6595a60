import DLP

/// What a journal holds when a job begins.
struct JournalContents {
    /// The rows that prove themselves, by stage and example.
    private(set) var rows: [String?: [ExampleKey: JournalRow]] = [:]
    /// The others.
    private(set) var broken: [BrokenRow] = []
    /// What examples have met; the numbers that rows have of them begin with 1.
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

/// The traces of a journal, each once, as they are read.
final class TraceTable {
    private(set) var traces: [ExampleTrace] = []
    private var numbers: [[UInt8]: Int] = [:]

    /// The number of an encoded trace, from 1; 0 for what is none.
    func number(of encoded: UnsafeRawBufferPointer) -> Int {
        let key = Array(encoded)
        if let number = numbers[key] { return number }
        guard let trace = ExampleTrace(encoded: Bytes(copying: encoded)) else { return 0 }
        traces.append(trace)
        numbers[key] = traces.count
        return traces.count
    }
}
