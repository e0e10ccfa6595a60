import CSQLite
public import DLP

/// A journal that this job, and no other, may write.
public final class JournalFile {
    /// Where it lies.
    public let path: SystemString

    let database: Database
    private let identity: JournalIdentity
    private let policy: JournalPolicy
    private var lock: JournalLock?

    /// What the user should know of rows that do not prove themselves and are done again; nil where there were none.
    public private(set) var repair: String?

    /// Where it lies, for other connections, also when the present directory has become another one.
    public var place: JournalPlace { JournalPlace(path: path, full: database.place) }

    /// Opens the journal at `path`, or creates it.
    ///
    /// - Throws: `JournalError` where it cannot be written, where another job has it, where it is something else than a
    ///   journal, or somebody else's and `policy` does not say that this does not matter.
    public convenience init(
        path: SystemString, identity: JournalIdentity, policy: JournalPolicy
    ) throws(JournalError) {
        // The file has to be there before anybody can tell what file system it is on.
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
                // A job that was killed may have left it.
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

    /// The seed that a journal at `path` belongs to; nil where there is none.
    public static func seed(at path: SystemString) -> Int64? {
        // Whoever opens it to write says what is wrong with it.
        guard let database = try? Database(path: path, .readOnly),
            let header = try? JournalHeader.read(database, path: path)
        else { return nil }
        return header.identity.seed
    }

    /// What the journal has of examples, to find those of the job's lists in.
    ///
    /// - Throws: `JournalError` where it cannot be read, or where rows do not prove themselves and the policy is not to do
    ///   their examples again.
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
                // Rows are broken, too, where pages are missing or are not what they were, and there nothing can be kept.
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

    /// What no row is made with any more, because all of them were done again, is not kept.
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

    /// The rows that prove themselves, and the others.
    func read() throws(JournalError) -> (header: JournalHeader?, contents: JournalContents) {
        let header = try JournalHeader.read(database, path: path)
        do { return (header, try JournalContents(database, header)) } catch { throw JournalError(path: path, error) }
    }

    /// Whether somebody watches it.
    var isWatched: Bool { lock?.isWatched ?? false }

    /// Makes one plain file of the journal, which can be copied and read anywhere, and lets other jobs have it.
    func close() {
        try? database.execute(RankTable.drop)
        // Where somebody reads it just now it stays as it is, which is sound too: the next one to open it tidies up.
        try? database.execute("PRAGMA journal_mode = DELETE")
        lock = nil
    }
}

extension Digest {
    /// The digest as it stands in a journal, whose bytes come most significant first.
    var bigEndian: (UInt64, UInt64) { (high.bigEndian, low.bigEndian) }

    init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

/// Where a journal lies.
public struct JournalPlace: Sendable {
    /// As its user named it.
    let path: SystemString
    /// From the root directory on.
    let full: ContiguousArray<CChar>
}
