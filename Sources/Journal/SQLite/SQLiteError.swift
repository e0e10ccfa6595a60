import CSQLite

/// An error of SQLite.
struct SQLiteError: Error, Sendable {
    /// The primary result code, `SQLITE_FULL` for example.
    var code: Int32
    /// SQLite's own message.
    var message: String

    init(_ code: Int32, _ database: OpaquePointer?) {
        self.code = code & 0xFF
        // The code's general text is used if there is no connection, which could give a better one.
        message = String(cString: database.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
    }

    init(_ code: Int32, message: String) { (self.code, self.message) = (code, message) }
}
