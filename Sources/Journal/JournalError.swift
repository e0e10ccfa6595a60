import CSQLite
import DLP
import Glibc

/// The reason why a journal cannot be used, or can no longer be used.
public struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for the user: what went wrong, where, and what to do.
    public let description: String

    init(_ description: String) { self.description = description }

    /// The system refused to open `path` with `code`.
    init(path: SystemString, errno code: Int32) {
        description = "cannot open the journal \(path): \(String(cString: strerror(code)))"
    }

    /// Explains SQLite's error to a user of the journal at `path`.
    init(path: SystemString, _ error: SQLiteError) {
        description =
            switch error.code {
            case SQLITE_NOTADB: "\(path) is no journal of dlp-lua: name another file"
            case SQLITE_CORRUPT:
                "the journal \(path) is damaged (\(error.message)); put a copy in its place, or move it away and begin a "
                    + "new one"
            case SQLITE_BUSY, SQLITE_LOCKED:
                "another program keeps the journal \(path) locked; end it, and start again with the same --journal"
            case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM:
                "cannot use the journal \(path) (\(error.message)): it and its directory must be writable, for SQLite keeps "
                    + "a second file beside it"
            case SQLITE_FULL, SQLITE_IOERR:
                "cannot write the journal \(path) (\(error.message)): what it holds is kept, so make room and start again "
                    + "with the same --journal"
            case SQLITE_TOOBIG: "a result is larger than the journal \(path) can hold (1 GB)"
            default: "cannot use the journal \(path): \(error.message)"
            }
    }
}
