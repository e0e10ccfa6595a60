public import DLP
import Glibc

/// What a journal holds, for somebody who only looks: also while a job writes it.
public final class JournalReader {
    /// What has become of one example.
    public struct Record: Sendable {
        /// The example, from 0; nil where it is not in the latest list.
        public var index: Int?
        /// Its encoded result; nil where it has failed.
        public var result: Bytes?
        /// The result as JSON, where it has one.
        public var json: String?
        /// How long it took.
        public var seconds: Double?
        /// The processor time that it took, in seconds.
        public var cpu: Double?
        /// The most memory that its rank, or a program that it ran, held meanwhile, in bytes.
        public var peak: Int64?
        /// When it, or the first of those that were reported with it, was begun, as the row has it.
        public var started: String?
        /// When the root heard of it, in seconds since 1970.
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
        /// The example as JSON, where it has one.
        public var input: String?
        /// The stage whose example it is; nil: one of the job itself.
        public var stage: String?
    }

    private let path: SystemString
    private let database: Database
    /// The lengths of the lists of examples whose end a job has seen, by stage.
    public let lengths: [String?: Int]
    private let header: JournalHeader

    /// What it belongs to.
    public var identity: JournalIdentity { header.identity }

    /// Opens the journal at `path`.
    ///
    /// - Throws: `JournalError` where it cannot be read, or is none.
    public init(path: SystemString) throws(JournalError) {
        // The system says better than SQLite why a file cannot be opened.
        guard access(path.cString, R_OK) == 0 else { throw JournalError(path: path, errno: errno) }
        do { database = try Database(path: path, .readOnly) } catch { throw JournalError(path: path, error) }
        self.path = path
        guard let header = try JournalHeader.read(database, path: path) else {
            throw JournalError("\(path) is no journal of dlp-lua: it is empty")
        }
        self.header = header
        lengths = header.lengths
    }

    /// Calls `body` with what each row says, in the order of the list, the newest first where several have the same place;
    /// after these come those that have none.
    ///
    /// - Returns: what is wrong with what the journal says, for the user; nil where all of it proves itself.
    /// - Throws: `JournalError`, and what `body` throws.
    public func forEach(_ body: (Record) throws -> Void) throws -> String? {
        var broken: [BrokenRow] = []
        do {
            let row = try RowReader(database, header, "WHERE id = ?")
            // No row stays open while `body` runs: that might keep the job that writes the journal waiting.
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

    /// What is wrong with the journal, in which these rows do not prove themselves, for the user; nil where nothing is.
    private func describe(_ broken: [BrokenRow]) -> String? {
        return flaw(with: broken, left: "left out: ")
    }

    /// What is wrong with the journal, as a sentence; nil where all of it proves itself.
    func flaw(with broken: [BrokenRow], left: String = "") -> String? {
        var flaws = header.isSound ? [] : ["the table meta does not fit its checksum"]
        if !broken.isEmpty { flaws.append("\(left)\(BrokenRow.describe(broken))") }
        return flaws.isEmpty ? nil : "the journal \(path) does not prove itself: \(flaws.joined(separator: "; "))"
    }

    /// All rows.
    func contents() throws(JournalError) -> JournalContents {
        do { return try JournalContents(database, header) } catch { throw JournalError(path: path, error) }
    }

    /// Calls `body`, which must be quick, with each row that proves itself, its stage and what its example has cost, in the
    /// order in which they were written.
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

    /// Whether a row says of its example that it has failed.
    func hasFailures() throws(JournalError) -> Bool {
        do throws(SQLiteError) {
            return try Statement(database, "SELECT 1 FROM results WHERE state = 'failed' LIMIT 1").step()
        } catch { throw JournalError(path: path, error) }
    }

    /// Calls `body` with each row that proves itself, as it is stored: its key, its stage and the seconds that it has.
    ///
    /// - Returns: the others.
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

    /// The stages that have rows, in the order in which they have begun.
    public func stages() throws(JournalError) -> [String?] {
        do throws(SQLiteError) {
            guard try !JournalSchema.missingColumns(in: database).contains("stage") else { return [nil] }
            let all = try Statement(database, "SELECT stage FROM results GROUP BY stage ORDER BY min(id)")
            var stages: [String?] = []
            while try all.step() { stages.append(all.text(0)) }
            return stages
        } catch { throw JournalError(path: path, error) }
    }

    /// What rows were made with, by the number that they have of it.
    var versions: [Int64: CodeVersion] { header.versions }

    private func ids() throws(SQLiteError) -> [Int64] {
        // Stages in the order in which they have begun.
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
