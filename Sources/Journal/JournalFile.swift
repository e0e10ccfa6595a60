public import DLP

/// A journal that this job, and no other, may write.
public final class JournalFile {
    /// Where it lies.
    public let path: SystemString

    let database: Database
    private var lock: JournalLock?

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
            if policy == .goOn, let objection = identity.objection(to: header.identity, path: path) {
                throw JournalError(objection)
            }
        }
        do throws(SQLiteError) {
            try database.execute((mode ?? CommitMode(path: path)).pragmas)
            try database.transaction { () throws(SQLiteError) in
                if header == nil || policy == .fresh { try database.execute(JournalSchema.create) }
                try JournalHeader.write(identity, to: database)
            }
        } catch { throw JournalError(path: path, error) }
        self.path = path
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

    /// What the journal has of examples, to find those of the job's list in.
    public func ledger() throws(JournalError) -> ExampleLedger {
        do { return ExampleLedger(try rows()) } catch { throw JournalError(path: path, error) }
    }

    func rows() throws(SQLiteError) -> [ExampleKey: JournalRow] {
        var rows: [ExampleKey: JournalRow] = [:]
        let all = try Statement(database, "SELECT id, example, digest, occurrence, state = 'done' FROM results")
        while try all.step() {
            guard let id = all.integer(0), let digest = all.withBytes(2, { Digest(bytes: $0) }),
                let occurrence = all.integer(3)
            else { continue }
            let index = all.integer(1).map { Int($0) - 1 }
            rows[ExampleKey(digest: digest, occurrence: Int(occurrence))] = JournalRow(
                id: id, index: index, isDone: all.integer(4) == 1)
        }
        return rows
    }

    /// Makes one plain file of the journal, which can be copied and read anywhere, and lets other jobs have it.
    func close() {
        // Where somebody reads it just now it stays as it is, which is sound too: the next one to open it tidies up.
        try? database.execute("PRAGMA journal_mode = DELETE")
        lock = nil
    }
}

extension Digest {
    /// The digest as it stands in a journal, whose bytes come most significant first.
    var bigEndian: (UInt64, UInt64) { (high.bigEndian, low.bigEndian) }

    fileprivate init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}
