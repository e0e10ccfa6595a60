import CSQLite
import DLP
import Glibc

/// A row that is not as a job wrote it.
struct BrokenRow: Sendable, Hashable {
    /// The row's `id`.
    var id: Int64
    /// What is wrong with it, as a clause.
    var reason: String

    /// Lists the rows and the reasons, for the user.
    static func describe(_ rows: [BrokenRow]) -> String {
        let listed = rows.prefix(5).map { "row \($0.id) (\($0.reason))" }.joined(separator: ", ")
        return rows.count > 5 ? "\(listed) and \(rows.count - 5) more" : listed
    }
}

/// Reads rows, and accepts only valid ones: with values of the right types, with exactly one value as the result, and with
/// the right checksum.
struct RowReader {
    /// The columns by their place in `JournalSchema.columns`.
    private enum Column {
        static let id: Int32 = 0
        static let example: Int32 = 1
        static let digest: Int32 = 2
        static let occurrence: Int32 = 3
        static let state: Int32 = 4
        static let result: Int32 = 5
        static let json: Int32 = 6
        static let seconds: Int32 = 7
        static let cpu: Int32 = 8
        static let rank: Int32 = 9
        static let host: Int32 = 10
        static let attempts: Int32 = 11
        static let error: Int32 = 12
        static let traceback: Int32 = 13
        static let finished: Int32 = 14
        static let input: Int32 = 15
        static let checksum: Int32 = 16
        static let stage: Int32 = 17
        static let started: Int32 = 18
        static let peak: Int32 = 19
        static let version: Int32 = 20
        static let trace: Int32 = 21
    }

    let statement: Statement
    /// The traces that rows contain.
    let traces = TraceTable()
    /// From this `id` on rows must have a checksum; earlier rows were made by a dlp-lua that wrote none.
    private let checkedFrom: Int64

    /// - Parameter condition: an SQL clause that selects and orders the rows.
    init(_ database: Database, _ header: JournalHeader?, _ condition: String = "") throws(SQLiteError) {
        let missing = try JournalSchema.missingColumns(in: database)
        let columns = JournalSchema.columns.map { missing.contains($0) ? "NULL" : $0 }.joined(separator: ", ")
        statement = try Statement(database, "SELECT \(columns) FROM results \(condition)")
        checkedFrom = missing.contains("checksum") ? .max : header?.checkedFrom ?? 0
    }

    /// Checks the statement's current row.
    ///
    /// - Returns: its stage, its key and the row; or what is wrong with it.
    func row() -> Result<(stage: String?, key: ExampleKey, row: JournalRow), Flaw> {
        do throws(Flaw) {
            let id = try number(Column.id, "id", 0...JournalRow.largestNumber)
            let example =
                statement.kind(Column.example) == .null
                ? nil : try number(Column.example, "example", 1...JournalRow.largestNumber)
            let digest =
                statement.kind(Column.digest) == .blob
                ? statement.withBytes(Column.digest) { Digest(bytes: $0) } : nil
            guard let digest else { throw Flaw("its digest is none") }
            let occurrence = try number(Column.occurrence, "occurrence", 1...JournalRow.largestNumber)
            let isDone = try state()
            try checkOthers()
            try checkChecksum(id, example)
            return .success(
                (
                    statement.text(Column.stage),
                    ExampleKey(digest: digest, occurrence: Int(occurrence)),
                    JournalRow(
                        id: id, index: example.map { Int($0) - 1 }, isDone: isDone,
                        version: statement.integer(Column.version) ?? 0, trace: trace)
                ))
        } catch { return .failure(error) }
    }

    private var trace: Int {
        guard statement.kind(Column.trace) == .blob else { return 0 }
        return statement.withBytes(Column.trace) { traces.number(of: $0) }
    }

    /// The cost of an example, as the statement's current row has it.
    struct Measure {
        var seconds: Double?
        var peak: Int64?
        var rank: Int?
        var host: String?
    }

    /// The cost of the row that `row` has accepted.
    var measure: Measure {
        Measure(
            seconds: statement.double(Column.seconds), peak: statement.integer(Column.peak),
            rank: statement.integer(Column.rank).map { Int($0) }, host: statement.text(Column.host))
    }

    /// The row's `id`, also if something is wrong with the row.
    var id: Int64 { statement.integer(Column.id) ?? 0 }

    /// The record of a row that `row` has accepted.
    func record(_ row: JournalRow) -> JournalReader.Record {
        JournalReader.Record(
            index: row.index, result: row.isDone ? statement.withBytes(Column.result) { Bytes(copying: $0) } : nil,
            json: statement.text(Column.json), seconds: statement.double(Column.seconds),
            cpu: statement.double(Column.cpu), peak: statement.integer(Column.peak),
            started: statement.text(Column.started),
            finished: statement.text(Column.finished).flatMap { Self.seconds($0) },
            rank: statement.integer(Column.rank).map { Int($0) }, host: statement.text(Column.host),
            attempts: statement.integer(Column.attempts).map { Int($0) },
            error: statement.text(Column.error), traceback: statement.text(Column.traceback),
            input: statement.text(Column.input),
            stage: statement.text(Column.stage))
    }

    /// Converts a time of the table, as 2026-11-30T16:31:24.123Z, to seconds since 1970; nil for anything else.
    private static func seconds(_ text: String) -> Double? {
        let numbers = text.split { !("0"..."9" ~= $0) }.compactMap { Int32($0) }
        guard numbers.count == 7, numbers.allSatisfy({ 0...9999 ~= $0 }) else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
        return Double(timegm(&parts)) + Double(numbers[6]) / 1000
    }

    /// Whether the row still has one value as its result, as it had when `row` accepted it.
    var hasResult: Bool {
        statement.kind(Column.result) == .blob && statement.withBytes(Column.result, Self.isOneValue)
    }

    /// Calls `body` with the result of a row that `row` has accepted.
    func withResult(_ body: (UnsafeRawBufferPointer) -> Void) { statement.withBytes(Column.result, body) }

    private func number(_ column: Int32, _ name: String, _ range: ClosedRange<Int64>) throws(Flaw) -> Int64 {
        guard statement.kind(column) == .integer, let number = statement.integer(column), range ~= number else {
            throw Flaw("its \(name) is none")
        }
        return number
    }

    /// Whether the example is done.
    ///
    /// If so, there must be exactly one value, otherwise none.
    private func state() throws(Flaw) -> Bool {
        switch statement.kind(Column.state) == .text ? statement.text(Column.state) : nil {
        case "done":
            guard hasResult else { throw Flaw("its result is not one value") }
            return true
        case "failed":
            guard statement.kind(Column.result) == .null else { throw Flaw("it has failed and has a result") }
            return false
        default: throw Flaw("it is neither done nor failed")
        }
    }

    private static func isOneValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var reader = CBORReader(bytes)
        return (try? reader.skip()) != nil && reader.remaining == 0
    }

    /// Checks that all other columns have the right type or are empty.
    private func checkOthers() throws(Flaw) {
        let texts = [
            Column.json, Column.host, Column.error, Column.traceback, Column.finished, Column.input, Column.stage,
            Column.started,
        ]
        for column in texts where ![.text, .null].contains(statement.kind(column)) {
            throw Flaw("its \(JournalSchema.columns[Int(column)]) is no text")
        }
        guard [.blob, .null].contains(statement.kind(Column.trace)) else { throw Flaw("its trace is none") }
        for column in [Column.rank, Column.attempts] where statement.kind(column) != .null {
            _ = try number(column, JournalSchema.columns[Int(column)], 0...Int64(Int32.max))
        }
        for column in [Column.peak, Column.version] where statement.kind(column) != .null {
            _ = try number(column, JournalSchema.columns[Int(column)], 0...Int64.max)
        }
        for column in [Column.seconds, Column.cpu] where statement.kind(column) != .null {
            guard statement.kind(column) == .real, let time = statement.double(column), time.isFinite, time >= 0 else {
                throw Flaw("its \(JournalSchema.columns[Int(column)]) is no time")
            }
        }
    }

    private func checkChecksum(_ id: Int64, _ example: Int64?) throws(Flaw) {
        if statement.kind(Column.checksum) == .null, id < checkedFrom { return }
        guard statement.kind(Column.checksum) == .integer, statement.integer(Column.checksum) == checksum(of: example)
        else {
            throw Flaw("its checksum does not fit")
        }
    }

    /// The checksum of the row, if its example has this number.
    func checksum(of example: Int64?) -> Int64 {
        var checksum = RowChecksum()
        for column in Self.commonColumns { checksum.add(column, of: statement) }
        if statement.kind(Column.version) != .null { checksum.add(Column.version, of: statement) }
        if statement.kind(Column.stage) != .null { checksum.add(Column.stage, of: statement) }
        if statement.kind(Column.started) != .null || statement.kind(Column.peak) != .null {
            checksum.addNull()
            for column in [Column.started, Column.peak] { checksum.add(column, of: statement) }
        }
        for column in Self.ownColumns { checksum.add(column, of: statement) }
        if statement.kind(Column.trace) != .null { checksum.add(Column.trace, of: statement) }
        return checksum.value(example: example)
    }

    /// The columns in the order of the checksum: first those that the rows of a run have in common, then those that differ
    /// from row to row.
    static let commonColumns = places([
        "state", "seconds", "cpu", "rank", "host", "attempts", "error", "traceback", "finished",
    ])
    static let ownColumns = places(["id", "digest", "occurrence", "result", "json", "input"])

    private static func places(_ names: [String]) -> [Int32] {
        names.compactMap { name in JournalSchema.columns.firstIndex(of: name).map { Int32($0) } }
    }

    /// The reason why a row is not accepted, as a clause.
    struct Flaw: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }
}
