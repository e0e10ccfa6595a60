import CSQLite
public import DLP

/// The results that a journal contained when the job began; they are read when needed.
public final class StoredResults {
    private let path: SystemString
    private let select: RowReader

    /// Opens the journal at `place` to read.
    ///
    /// - Throws: `JournalError` where that is not possible.
    public init(_ place: JournalPlace) throws(JournalError) {
        path = place.path
        do throws(SQLiteError) {
            let database = try Database(place: place.full, .readOnly)
            select = try RowReader(database, nil, "WHERE id = ?")
        } catch { throw JournalError(path: path, error) }
    }

    /// Adds a result, one encoded item, to `writer`.
    ///
    /// - Parameter body: called with the rest of the row, without the result; nil if that is not needed.
    /// - Throws: `JournalError` where it cannot be read.
    public func append(
        _ stored: StoredResult, to writer: inout ByteWriter, _ body: ((JournalReader.Record) -> Void)? = nil
    ) throws(JournalError) {
        do throws(SQLiteError) {
            defer { select.statement.reset() }
            try select.statement.bind(1, stored.row)
            guard try select.statement.step(), select.hasResult else { throw SQLiteError(SQLITE_CORRUPT, nil) }
            select.withResult { writer.append(contentsOf: $0) }
            // The record is made as for a failed example, so that the result is not copied.
            body?(select.record(JournalRow(id: stored.row, index: nil, isDone: false)))
        } catch { throw JournalError(path: path, error) }
    }
}
