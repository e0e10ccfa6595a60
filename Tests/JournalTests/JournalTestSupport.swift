import DLP
import Glibc
import TestSupport
import Testing

@testable import Journal

/// A directory with a journal; it is removed with its contents.
final class JournalScratch: Sendable {
    private let scratch: TemporaryDirectory
    var directory: String { scratch.path }
    var path: String { scratch.file("run.db") }
    /// The names of the files here.
    var names: [String] { scratch.names }

    init() throws { scratch = try TemporaryDirectory() }

    /// Writes `bytes` in place of the journal.
    func write(_ bytes: [UInt8]) throws { try scratch.write("run.db", bytes: bytes) }

    /// The bytes of the journal.
    func read() throws -> [UInt8] { try #require(scratch.bytes("run.db")) }

    /// Opens the journal as a job does.
    func open(
        _ policy: JournalPolicy = .goOn, script: SystemString = "job.lua", text: String = "work = print",
        seed: Int64 = 0,
        mode: CommitMode? = nil
    ) throws(JournalError) -> JournalFile {
        try JournalFile(
            path: SystemString(path),
            identity: JournalIdentity(script: script, text: Bytes(Array(text.utf8)), arguments: [], seed: seed),
            policy: policy, lock: JournalLock(path: SystemString(path)), mode: mode)
    }

    /// Notes in the journal the outcome of the examples `list`: each is done, or failed where `fails` says so.
    func run(
        _ list: [String], _ policy: JournalPolicy = .goOn, mode: CommitMode? = nil,
        fails: (Int) -> Bool = { _ in false }
    ) throws {
        let file = try open(policy, mode: mode)
        let ledger = try file.rows().ledger()
        let stored = list.map { example in add(example, to: ledger).stored }
        ledger.complete()
        let writer = try JournalWriter(file, ledger) { Issue.record("\($0)") }
        for index in list.indices where stored[index] == nil {
            if fails(index) {
                writer.note(.failed(fault(index)), in: ledger)
            } else {
                writer.note(
                    .done(
                        try results(index, [.text("done \(list[index])")]), host: "here",
                        ExampleCost(nanoseconds: 1_000_000, peak: 4096), attempts: 1), in: ledger)
            }
        }
        try writer.close()
    }

    /// Notes that the examples `list` are done, as an older dlp-lua did that recorded neither start times nor peaks.
    func runWithoutCosts(_ list: [String]) throws {
        try run(list)
        let database = try Database(path: path, .readWrite)
        try database.execute("UPDATE results SET started = NULL, peak = NULL")
        let rows = try RowReader(database, nil)
        var checksums: [(id: Int64, checksum: Int64)] = []
        while try rows.statement.step() { checksums.append((rows.id, rows.checksum(of: rows.statement.integer(1)))) }
        let set = try Statement(database, "UPDATE results SET checksum = ?1 WHERE id = ?2")
        for row in checksums {
            try set.bind(1, row.checksum)
            try set.bind(2, row.id)
            try set.run()
        }
    }

    /// What the journal holds.
    func records() throws -> [JournalReader.Record] {
        var records: [JournalReader.Record] = []
        _ = try JournalReader(path: path).forEach { records.append($0) }
        return records
    }

    /// Converts the journal to an older format.
    ///
    /// Those had no checksums, and the oldest one had an index.
    func makeOlder(_ format: Int) throws {
        let older = try Database(path: path, .readWrite)
        for column in JournalSchema.added { try older.execute("ALTER TABLE results DROP COLUMN \(column.name)") }
        try older.execute(
            "DELETE FROM meta WHERE name IN ('checked_from', 'checksum'); UPDATE meta SET value = \(format) "
                + "WHERE name = 'format'")
        if format == 1 { try older.execute("CREATE UNIQUE INDEX keys ON results (digest, occurrence)") }
    }

    /// Returns the values of an SQL query, as text.
    func query(_ sql: String) throws -> [String] {
        let rows = try Statement(Database(path: path, .readOnly), sql)
        var values: [String] = []
        while try rows.step() { values.append(rows.text(0) ?? "NULL") }
        return values
    }
}

/// Adds the string `example` to the list of a job.
@discardableResult
func add(_ example: String, to ledger: ExampleLedger) -> (index: Int, stored: StoredResult?) {
    guard let encoded = try? Value.text(example).encoded() else { return ledger.add(digest(example)) }
    return encoded.withUnsafeBytes { ledger.add(digest(example), $0) }
}

/// The digest of the string `example`.
func digest(_ example: String) -> Digest {
    do {
        return try Value.text(example).encoded().withUnsafeBytes { try Digest(of: $0) }
    } catch {
        Issue.record(error)
        return Digest(high: 0, low: 0)
    }
}

/// The results of consecutive examples.
func results(_ first: Int, _ results: [Value], stride: Int = 1, rank: Int = 0) throws -> ResultRun {
    var writer = ByteWriter()
    for result in results { writer.append(try result.encoded()) }
    return ResultRun(first: first, count: results.count, stride: stride, results: writer.finish(), rank: rank)
}

/// An example that has failed.
func fault(_ index: Int, message: String = "job.lua:1: no") -> Fault {
    Fault(phase: .work, message: message, traceback: "stack traceback:", example: index + 1, rank: 3, host: "there")
}

/// Returns the sentence for the user of the error that `body` throws.
func message(of body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
}

/// Waits until `condition` holds; fails the test after a minute, which is far longer than anything here takes.
func eventually(_ what: Comment, _ condition: () throws -> Bool) throws {
    for _ in 0..<12_000 {
        if try condition() { return }
        usleep(5_000)
    }
    try #require(try condition(), what)
}

// Names of files are plain text in these tests.

extension JournalReader {
    convenience init(path: String) throws(JournalError) { try self.init(path: SystemString(path)) }
}

extension JournalFile {
    static func seed(at path: String) -> Int64? { seed(at: SystemString(path)) }

    convenience init(path: String, identity: JournalIdentity, policy: JournalPolicy) throws(JournalError) {
        try self.init(path: SystemString(path), identity: identity, policy: policy)
    }
}

extension Database {
    convenience init(path: String, _ access: Access) throws(SQLiteError) {
        try self.init(path: SystemString(path), access)
    }
}
