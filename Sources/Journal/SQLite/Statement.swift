import CSQLite
import DLP

/// A prepared statement; parameters count from 1, columns from 0, as in SQLite.
final class Statement {
    /// Keeps the connection open.
    private let database: Database
    private let handle: OpaquePointer

    init(_ database: Database, _ sql: String) throws(SQLiteError) {
        var handle: OpaquePointer?
        try database.check(sqlite3_prepare_v2(database.handle, sql, -1, &handle, nil))
        guard let handle else { throw SQLiteError(SQLITE_MISUSE, nil) }
        self.database = database
        self.handle = handle
    }

    deinit { sqlite3_finalize(handle) }

    func bind(_ parameter: Int32, _ value: Int64?) throws(SQLiteError) {
        guard let value else { return try bindNull(parameter) }
        try database.check(sqlite3_bind_int64(handle, parameter, value))
    }

    func bind(_ parameter: Int32, _ value: Double?) throws(SQLiteError) {
        guard let value else { return try bindNull(parameter) }
        try database.check(sqlite3_bind_double(handle, parameter, value))
    }

    func bind(_ parameter: Int32, _ text: String?) throws(SQLiteError) {
        guard var text else { return try bindNull(parameter) }
        let code = text.withUTF8 { bindText(parameter, UnsafeRawBufferPointer($0)) }
        try database.check(code)
    }

    /// Binds bytes, at least one, without a copy.
    ///
    /// They must stay valid whenever the statement is run, until something else is bound.
    func bind(_ parameter: Int32, borrowed blob: UnsafeRawBufferPointer) throws(SQLiteError) {
        try database.check(sqlite3_bind_blob64(handle, parameter, blob.baseAddress, UInt64(blob.count), nil))
    }

    func bindNull(_ parameter: Int32) throws(SQLiteError) {
        try database.check(sqlite3_bind_null(handle, parameter))
    }

    /// Binds text that is UTF-8, and returns SQLite's code.
    func bindText(_ parameter: Int32, _ utf8: UnsafeRawBufferPointer) -> Int32 {
        // A null pointer would mean NULL, not the empty text.
        guard let base = utf8.baseAddress else { return dlp_sqlite_bind_text(handle, parameter, "", 0) }
        return dlp_sqlite_bind_text(
            handle, parameter, base.assumingMemoryBound(to: CChar.self), UInt64(utf8.count))
    }

    /// Binds UTF-8 text without a copy, like `bind(_:borrowed:)`, and returns SQLite's code.
    func bindText(_ parameter: Int32, borrowed utf8: UnsafeRawBufferPointer) -> Int32 {
        guard let base = utf8.baseAddress, !utf8.isEmpty else { return bindText(parameter, utf8) }
        return sqlite3_bind_text64(
            handle, parameter, base.assumingMemoryBound(to: CChar.self), UInt64(utf8.count), nil, UInt8(SQLITE_UTF8))
    }

    /// Goes to the next row; returns whether there is one.
    func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw SQLiteError(code, database.handle)
        }
    }

    /// Runs the statement to its end, and makes it ready to be run again.
    func run() throws(SQLiteError) {
        defer { reset() }
        while try step() {}
    }

    /// Makes the statement ready to be run again; bound values stay.
    func reset() { sqlite3_reset(handle) }

    /// The type of the value in a column, which may differ from the column's declared type.
    enum Kind {
        case null
        case integer
        case real
        case text
        case blob
    }

    func kind(_ column: Int32) -> Kind {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        default: .blob
        }
    }

    func integer(_ column: Int32) -> Int64? { kind(column) == .null ? nil : sqlite3_column_int64(handle, column) }

    func double(_ column: Int32) -> Double? { kind(column) == .null ? nil : sqlite3_column_double(handle, column) }

    /// The text of a column, which may contain NUL characters.
    func text(_ column: Int32) -> String? {
        sqlite3_column_text(handle, column).map { text in
            let count = Int(sqlite3_column_bytes(handle, column))
            return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
        }
    }

    /// Calls `body` with the bytes of a blob or text, which are valid only until it returns.
    func withBytes<Result, Failure: Error>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SQLite demands this order: the first call may convert the value, and the second one counts the result.
        let base = sqlite3_column_blob(handle, column)
        return try body(UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
