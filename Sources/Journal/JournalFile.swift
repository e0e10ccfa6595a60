import CSQLite
public import DLP

/// A journal that this job alone may write.
public final class JournalFile {
    /// The journal's path.
    public let path: SystemString

    let database: Database
    private let identity: JournalIdentity
    private let policy: JournalPolicy
    private var lock: JournalLock?

    /// A message for the user about invalid rows whose examples are done again; nil where there were none.
    public private(set) var repair: String?

    /// The journal's place for other connections; it stays correct when the working directory changes.
    public var place: JournalPlace { JournalPlace(path: path, full: database.place) }

    /// Opens the journal at `path`, or creates it.
    ///
    /// - Throws: `JournalError` where it cannot be written, where another job is using it, where it is not a journal, or where it
    ///   belongs to another job and `policy` does not permit that.
    public convenience init(
        path: SystemString, identity: JournalIdentity, policy: JournalPolicy
    ) throws(JournalError) {
        // The file must exist before its file system can be determined.
        try self.init(path: path, identity: identity, policy: policy, lock: JournalLock(path: path), mode: nil)
    }

    init(
        path: SystemString, identity: JournalIdentity, policy: JournalPolicy, lock: consuming JournalLock,
        mode: CommitMode?
    ) throws(JournalError) {
        let database: Database
        do { database = try Database(path: path, .readWrite) } catch { throw JournalError(path: path, error) }
        let header = try JournalHeader.read(database, path: path)
        if let header, policy != .fresh {
            guard header.format <= JournalSchema.format else {
                throw JournalError("the journal \(path) was made by a newer dlp-lua; use that, or name another file")
            }
            guard header.isSound || policy == .keep else {
                throw JournalError(
                    "the table meta of the journal \(path) does not fit its checksum, so that nobody knows whose it is; "
                        + JournalPolicy.remedy)
            }
            if policy == .goOn, let objection = identity.objection(to: header.identity, path: path) {
                throw JournalError(objection)
            }
        }
        do throws(SQLiteError) {
            try database.execute((mode ?? CommitMode(path: path)).pragmas)
            try database.transaction { () throws(SQLiteError) in
                var checkedFrom: Int64?
                // A job that was killed may have left this table.
                try database.execute(RankTable.drop)
                if let header, policy != .fresh {
                    checkedFrom = try JournalSchema.upgrade(database) ?? header.checkedFrom
                    if header.format < JournalSchema.formatOfVersions, let before = header.versions[0] {
                        try JournalHeader.write(before.encoded, number: 0, to: database)
                    }
                } else {
                    try database.execute(JournalSchema.create)
                }
                try JournalHeader.write(identity, checkedFrom: checkedFrom ?? 0, to: database)
            }
        } catch { throw JournalError(path: path, error) }
        self.path = path
        self.identity = identity
        self.policy = policy
        self.database = database
        self.lock = .some(lock)
    }

    /// Returns the seed of the journal at `path`; nil where there is none.
    public static func seed(at path: SystemString) -> Int64? {
        // Problems are reported later, by the code that opens the journal to write.
        guard let database = try? Database(path: path, .readOnly),
            let header = try? JournalHeader.read(database, path: path)
        else { return nil }
        return header.identity.seed
    }

    /// Returns the journal's rows, in which the examples of the job's lists are looked up.
    ///
    /// - Throws: `JournalError` where it cannot be read, or where rows are not valid and the policy does not say to do their
    ///   examples again.
    public func rows() throws(JournalError) -> sending StoredRows {
        let (header, contents) = try read()
        let used = Set(contents.rows.values.lazy.flatMap { $0.values.map(\.version) })
        try forgetVersions(header, but: used)
        let versions = (header?.versions ?? [:]).filter { used.contains($0.key) }
        let stored = StoredRows(contents, versions, path: path, keeps: policy == .keep, identity)
        let broken = contents.broken
        guard !broken.isEmpty else { return stored }
        let rowsAndReasons = BrokenRow.describe(broken)
        guard policy == .keep else {
            throw JournalError(
                "the journal \(path) does not prove itself: \(rowsAndReasons); --keep does these examples again, --fresh "
                    + "starts over")
        }
        do throws(SQLiteError) {
            try database.transaction { () throws(SQLiteError) in
                let delete = try Statement(database, "DELETE FROM results WHERE id = ?")
                for row in broken {
                    try delete.bind(1, row.id)
                    try delete.run()
                }
                // Missing or damaged database pages also show as broken rows. In that case nothing can be kept.
                let check = try Statement(database, "PRAGMA quick_check(1)")
                if try check.step(), let finding = check.text(0), finding != "ok" {
                    // The first line may be a heading.
                    throw SQLiteError(SQLITE_CORRUPT, message: String(finding.split(separator: "\n").last ?? ""))
                }
            }
        } catch { throw JournalError(path: path, error) }
        repair = "the journal \(path) does not prove itself: \(rowsAndReasons); these examples are done again"
        return stored
    }

    /// Removes versions that no row refers to any more, because all of their examples were done again.
    private func forgetVersions(_ header: JournalHeader?, but used: Set<Int64>) throws(JournalError) {
        let unused = header?.versions.keys.filter { !used.contains($0) } ?? []
        guard !unused.isEmpty else { return }
        do throws(SQLiteError) {
            try database.transaction { () throws(SQLiteError) in
                let delete = try Statement(database, "DELETE FROM meta WHERE name = ?")
                for number in unused {
                    try delete.bind(1, "\(CodeVersion.rowPrefix)\(number)")
                    try delete.run()
                }
                try JournalHeader.seal(database)
            }
        } catch { throw JournalError(path: path, error) }
    }

    /// Reads the valid rows, and the others.
    func read() throws(JournalError) -> (header: JournalHeader?, contents: JournalContents) {
        let header = try JournalHeader.read(database, path: path)
        do { return (header, try JournalContents(database, header)) } catch { throw JournalError(path: path, error) }
    }

    /// Whether a user is watching it.
    var isWatched: Bool { lock?.isWatched ?? false }

    /// Turns the journal into one plain file, which can be copied and read anywhere, and releases it for other jobs.
    func close() {
        try? database.execute(RankTable.drop)
        // If it is being read right now, it stays in its present state, which is valid, too; the next process to open it
        // tidies up.
        try? database.execute("PRAGMA journal_mode = DELETE")
        lock = nil
    }
}

extension Digest {
    /// The digest as stored in a journal, with the most significant bytes first.
    var bigEndian: (UInt64, UInt64) { (high.bigEndian, low.bigEndian) }

    init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

/// The place of a journal.
public struct JournalPlace: Sendable {
    /// The path as the user gave it.
    let path: SystemString
    /// The absolute path.
    let full: ContiguousArray<CChar>
}
