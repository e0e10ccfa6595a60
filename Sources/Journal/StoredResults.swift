import CSQLite
public import DLP

/// The results that a journal held when the job began, read as they are needed.
public final class StoredResults {
    private let path: SystemString
    private let select: Statement

    /// Opens the journal at `path` to read.
    ///
    /// - Throws: `JournalError` where that is not possible.
    public init(path: SystemString) throws(JournalError) {
        self.path = path
        do {
            select = try Statement(Database(path: path, .readOnly), "SELECT result FROM results WHERE id = ?")
        } catch { throw JournalError(path: path, error) }
    }

    /// Adds a result, one encoded item, to `writer`.
    ///
    /// - Throws: `JournalError` where it cannot be read.
    public func append(_ stored: StoredResult, to writer: inout ByteWriter) throws(JournalError) {
        do throws(SQLiteError) {
            defer { select.reset() }
            try select.bind(1, stored.row)
            guard try select.step() else { throw SQLiteError(SQLITE_CORRUPT, nil) }
            select.withBytes(0) { writer.append(contentsOf: $0) }
        } catch { throw JournalError(path: path, error) }
    }
}
