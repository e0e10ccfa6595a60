import CSQLite
import DLP
import Glibc

/// A connection to an SQLite database; one thread at a time uses it and its statements.
final class Database {
    /// What the connection may do.
    enum Access {
        case readOnly
        case readWrite
    }

    let handle: OpaquePointer

    /// Whether SQLite has been configured in this process.
    ///
    /// This fails if a Lua module has used SQLite before.
    private static let isConfigured = dlp_sqlite_configure() == SQLITE_OK

    /// How long to wait, in milliseconds, for others that have locked the file; readers lock it for moments only.
    private static let patience: Int32 = 5_000

    /// Opens the database at `path`; creates it if it may be written and does not exist.
    convenience init(path: SystemString, _ access: Access) throws(SQLiteError) {
        // SQLite gives some names a special meaning, as `:memory:`. A leading directory prevents that.
        let place = path.bytes.first == UInt8(ascii: "/") ? path : "./" + path
        try self.init(place: ContiguousArray(place.cString), access)
    }

    /// Opens the database at `place`, a path that begins with a directory.
    init(place: ContiguousArray<CChar>, _ access: Access) throws(SQLiteError) {
        _ = Self.isConfigured
        // A reader may also have to clean up after a writer that was killed. SQLite itself handles files that are read-only.
        let flags = SQLITE_OPEN_READWRITE | (access == .readWrite ? SQLITE_OPEN_CREATE : 0)
        var handle: OpaquePointer?
        let code = place.withUnsafeBufferPointer {
            sqlite3_open_v2($0.baseAddress, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        }
        guard code == SQLITE_OK, let handle else {
            defer { sqlite3_close_v2(handle) }
            throw SQLiteError(code, handle)
        }
        self.handle = handle
        sqlite3_busy_timeout(handle, Self.patience)
        if access == .readOnly { try execute("PRAGMA query_only = ON") }
    }

    deinit { sqlite3_close_v2(handle) }

    /// The absolute path, which stays correct when the working directory changes.
    var place: ContiguousArray<CChar> {
        guard let name = sqlite3_db_filename(handle, "main") else { return [0] }
        return ContiguousArray(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
    }

    /// Runs statements that return no rows.
    func execute(_ sql: String) throws(SQLiteError) { try check(sqlite3_exec(handle, sql, nil, nil, nil)) }

    /// Calls `body` within a transaction; if it throws, the transaction is undone.
    func transaction(_ body: () throws(SQLiteError) -> Void) throws(SQLiteError) {
        // The write lock is taken at once: a later request for it could not wait for other processes.
        try execute("BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            try body()
            try execute("COMMIT")
        } catch {
            // After some errors SQLite has already done the rollback.
            try? execute("ROLLBACK")
            throw error
        }
    }

    func check(_ code: Int32) throws(SQLiteError) { if code != SQLITE_OK { throw SQLiteError(code, handle) } }
}
