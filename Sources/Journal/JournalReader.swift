public import DLP
import Glibc

/// What a journal holds, for somebody who only looks: also while a job writes it.
public final class JournalReader {
    /// What has become of one example.
    public struct Record: Sendable {
        /// The example, from 0.
        public var index: Int
        /// Its encoded result; nil where it has failed.
        public var result: Bytes?
        /// The result as JSON, where it has one.
        public var json: String?
        /// How long it took.
        public var seconds: Double?
        /// The rank that did it.
        public var rank: Int?
        /// That rank's host.
        public var host: String?
        /// How often it was tried.
        public var attempts: Int?
        /// Why it failed.
        public var error: String?
    }

    private let path: SystemString
    private let database: Database
    /// The length of the list of examples, where a job has seen its end.
    public let length: Int?

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
        length = header.length
    }

    /// Calls `body` with each example that is done or has failed, in the order of the list.
    ///
    /// - Throws: `JournalError`, and what `body` throws.
    public func forEach(_ body: (Record) throws -> Void) throws {
        do {
            let row = try Statement(
                database,
                """
                SELECT example, state = 'done', result, json, seconds, rank, host, attempts, error FROM results
                WHERE id = ? AND example IS NOT NULL
                """)
            // No row stays open while `body` runs: that might keep the job that writes the journal waiting.
            var next = 0
            for id in try ids() {
                // In a list that is being read anew an older example may still have the place of a newer one.
                guard let record = try record(id, row), record.index >= next else { continue }
                next = record.index + 1
                try body(record)
            }
        } catch let error as SQLiteError { throw JournalError(path: path, error) }
    }

    private func ids() throws(SQLiteError) -> [Int64] {
        let all = try Statement(database, "SELECT id FROM results WHERE example IS NOT NULL ORDER BY example, id DESC")
        var ids: [Int64] = []
        while try all.step() { if let id = all.integer(0) { ids.append(id) } }
        return ids
    }

    private func record(_ id: Int64, _ row: Statement) throws(SQLiteError) -> Record? {
        defer { row.reset() }
        try row.bind(1, id)
        guard try row.step(), let example = row.integer(0) else { return nil }
        return Record(
            index: Int(example) - 1, result: row.integer(1) == 1 ? row.withBytes(2) { Bytes(copying: $0) } : nil,
            json: row.text(3), seconds: row.double(4), rank: row.integer(5).map { Int($0) }, host: row.text(6),
            attempts: row.integer(7).map { Int($0) }, error: row.text(8))
    }
}
