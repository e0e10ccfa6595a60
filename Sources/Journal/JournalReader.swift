public import DLP
import Glibc

/// Reads a journal without changing it, also while a job writes it.
public final class JournalReader {
    /// The outcome of one example.
    public struct Record: Sendable {
        /// The example, from 0; nil where it is not in the latest list.
        public var index: Int?
        /// Its encoded result; nil where it has failed.
        public var result: Bytes?
        /// The result as JSON, if it can be written as such.
        public var json: String?
        /// How long it took.
        public var seconds: Double?
        /// The processor time that it took, in seconds.
        public var cpu: Double?
        /// The peak memory of its rank, or of a program that the rank ran, in that time, in bytes.
        public var peak: Int64?
        /// When the example began, as the row has it; or the first of the examples that were reported together with it.
        public var started: String?
        /// When the root learned of it, in seconds since 1970.
        public var finished: Double?
        /// The rank that did it.
        public var rank: Int?
        /// That rank's host.
        public var host: String?
        /// How often it was tried.
        public var attempts: Int?
        /// Why it failed.
        public var error: String?
        /// Lua's traceback, where it has failed.
        public var traceback: String?
        /// The example as JSON, if it can be written as such.
        public var input: String?
        /// The stage of the example; nil: the job itself.
        public var stage: String?
    }

    private let path: SystemString
    private let database: Database
    /// The lengths of the lists of examples that a job has read to the end, by stage.
    public let lengths: [String?: Int]
    private let header: JournalHeader

    /// The job to which it belongs.
    public var identity: JournalIdentity { header.identity }

    /// Opens the journal at `path`.
    ///
    /// - Throws: `JournalError` where it cannot be read, or is not a journal.
    public init(path: SystemString) throws(JournalError) {
        // The system gives a better reason than SQLite why a file cannot be opened.
        guard access(path.cString, R_OK) == 0 else { throw JournalError(path: path, errno: errno) }
        do { database = try Database(path: path, .readOnly) } catch { throw JournalError(path: path, error) }
        self.path = path
        guard let header = try JournalHeader.read(database, path: path) else {
            throw JournalError("\(path) is no journal of dlp-lua: it is empty")
        }
        self.header = header
        lengths = header.lengths
    }

    /// Calls `body` with the contents of each row, in the order of the list; if several rows have the same place, the
    /// newest comes first.
    ///
    /// Rows without a place come last.
    ///
    /// - Returns: a message for the user about what is wrong with the journal; nil where everything is valid.
    /// - Throws: `JournalError`, and errors of `body`.
    public func forEach(_ body: (Record) throws -> Void) throws -> String? {
        var broken: [BrokenRow] = []
        do {
            let row = try RowReader(database, header, "WHERE id = ?")
            // No row stays open while `body` runs, as it might block the job that writes the journal.
            for id in try ids() {
                switch try record(id, row) {
                case .success(let record?): try body(record)
                case .success(nil): continue
                case .failure(let flaw): broken.append(BrokenRow(id: id, reason: flaw.reason))
                }
            }
        } catch let error as SQLiteError { throw JournalError(path: path, error) }
        return describe(broken)
    }

    /// A message for the user about what is wrong with the journal, in which these rows are not valid; nil where nothing is.
    private func describe(_ broken: [BrokenRow]) -> String? {
        return flaw(with: broken, left: "left out: ")
    }

    /// A sentence that says what is wrong with the journal; nil where everything is valid.
    func flaw(with broken: [BrokenRow], left: String = "") -> String? {
        var flaws = header.isSound ? [] : ["the table meta does not fit its checksum"]
        if !broken.isEmpty { flaws.append("\(left)\(BrokenRow.describe(broken))") }
        return flaws.isEmpty ? nil : "the journal \(path) does not prove itself: \(flaws.joined(separator: "; "))"
    }

    /// All rows.
    func contents() throws(JournalError) -> JournalContents {
        do { return try JournalContents(database, header) } catch { throw JournalError(path: path, error) }
    }

    /// Calls `body`, which must be quick, with each valid row, its stage and the cost of its example, in the order in which
    /// the rows were written.
    ///
    /// - Returns: what is wrong with the journal, as `forEach`.
    func forEachMeasure(
        _ body: (JournalRow, String?, RowReader.Measure) -> Void
    ) throws(JournalError) -> String? {
        var broken: [BrokenRow] = []
        do throws(SQLiteError) {
            let rows = try RowReader(database, header)
            while try rows.statement.step() {
                switch rows.row() {
                case .success(let found): body(found.row, found.stage, rows.measure)
                case .failure(let flaw): broken.append(BrokenRow(id: rows.id, reason: flaw.reason))
                }
            }
        } catch { throw JournalError(path: path, error) }
        return describe(broken)
    }

    /// Whether any row says that its example has failed.
    func hasFailures() throws(JournalError) -> Bool {
        do throws(SQLiteError) {
            return try Statement(database, "SELECT 1 FROM results WHERE state = 'failed' LIMIT 1").step()
        } catch { throw JournalError(path: path, error) }
    }

    /// Calls `body` with each valid row in the order of storage: its key, its stage and its seconds.
    ///
    /// - Returns: the rows that are not valid.
    @discardableResult
    func forEachRow(
        _ body: (ExampleKey, JournalRow, String?, Double?) -> Void
    ) throws(JournalError) -> [BrokenRow] {
        var broken: [BrokenRow] = []
        do throws(SQLiteError) {
            let rows = try RowReader(database, header)
            while try rows.statement.step() {
                switch rows.row() {
                case .success(let found): body(found.key, found.row, found.stage, rows.record(found.row).seconds)
                case .failure(let flaw): broken.append(BrokenRow(id: rows.id, reason: flaw.reason))
                }
            }
            return broken
        } catch { throw JournalError(path: path, error) }
    }

    /// The stages that have rows, in the order in which they began.
    public func stages() throws(JournalError) -> [String?] {
        do throws(SQLiteError) {
            guard try !JournalSchema.missingColumns(in: database).contains("stage") else { return [nil] }
            let all = try Statement(database, "SELECT stage FROM results GROUP BY stage ORDER BY min(id)")
            var stages: [String?] = []
            while try all.step() { stages.append(all.text(0)) }
            return stages
        } catch { throw JournalError(path: path, error) }
    }

    /// The code versions of rows, by number.
    var versions: [Int64: CodeVersion] { header.versions }

    private func ids() throws(SQLiteError) -> [Int64] {
        // The stages in the order in which they began.
        let hasStages = try !JournalSchema.missingColumns(in: database).contains("stage")
        let stages =
            hasStages ? "(SELECT stage AS name, min(id) AS begun FROM results GROUP BY stage)" : "(SELECT 0 AS begun)"
        let condition = hasStages ? "ON name IS stage" : ""
        let all = try Statement(
            database,
            "SELECT id FROM results JOIN \(stages) \(condition) ORDER BY begun, example IS NULL, example, id DESC")
        var ids: [Int64] = []
        while try all.step() { if let id = all.integer(0) { ids.append(id) } }
        return ids
    }

    private func record(_ id: Int64, _ row: RowReader) throws(SQLiteError) -> Result<Record?, RowReader.Flaw> {
        defer { row.statement.reset() }
        try row.statement.bind(1, id)
        guard try row.statement.step() else { return .success(nil) }
        return row.row().map { row.record($0.row) }
    }
}
