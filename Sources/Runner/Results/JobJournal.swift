import DLP
import Journal
import LuaHost

/// The root's journal.
///
/// Each stage of the script takes from it what was done before, and notes in it what is done now.
final class JobJournal {
    let writer: JournalWriter
    private let rows: StoredRows
    private let identity: JournalIdentity

    /// Opens the journal, and begins to write.
    ///
    /// - Parameter end: ends the job where the journal can no longer be written.
    /// - Throws: `UsageError` where the journal cannot be used.
    init(
        _ settings: JournalSettings, _ script: Script, seed: Int64, end: @escaping @Sendable (JobEnd) -> Void
    ) throws(UsageError) {
        do {
            identity = JournalIdentity(script, seed: seed)
            let file = try JournalFile(path: settings.path, identity: identity, policy: settings.policy)
            rows = try file.rows()
            if let repair = file.repair { Diagnostics.write(repair) }
            writer = try JournalWriter(file) { failure in end(.fault(Self.fault(failure))) }
        } catch { throw UsageError("\(error)") }
    }

    /// Returns the part of the stage `name`; nil: that of the job's own examples.
    ///
    /// - Parameter reach: the reach of the function that does the examples; nil for a command.
    /// - Throws: `UsageError` where earlier examples were done with other code and it is not known whether that
    ///   matters.
    func stage(_ name: String? = nil, _ reach: Reach?) throws(UsageError) -> StageJournal {
        let ledger: ExampleLedger
        do { ledger = try rows.ledger(of: name, code: reach.map { CodeVersion(identity, $0) }) } catch {
            throw UsageError("\(error)")
        }
        if let edit = ledger.edit {
            Diagnostics.write(edit.described(of: name))
        }
        writer.add(ledger)
        return StageJournal(ledger: ledger, writer: writer)
    }

    /// Returns the fault for a journal that can no longer be used.
    static func fault(_ error: any Error) -> Fault {
        Fault(phase: .communication, message: "\(error)", rank: 0, host: HostName.current, status: 2)
    }
}

/// A stage's part of the root's journal.
struct StageJournal {
    let ledger: ExampleLedger
    let writer: JournalWriter
    /// Where the costs of examples that are done are noted, if they are wanted.
    var notes: ExampleNotes?

    /// A run of neighbouring examples that are all done, or all still to be done.
    struct Run {
        var first: Int
        var count: Int
        /// Where their results are stored; empty where they are not done.
        var stored: [StoredResult]

        var isDone: Bool { !stored.isEmpty }
    }

    /// Notes what becomes of examples.
    func note(_ entry: JournalEntry) { writer.note(entry, in: ledger) }

    /// Adds the next examples of the list, each as one encoded value.
    ///
    /// - Returns: the examples run by run, each run done or not.
    func add(_ examples: [Bytes]) throws(CodecError) -> [Run] {
        var runs: [Run] = []
        for example in examples {
            let (index, result) = try example.withUnsafeBytes { (item) throws(CodecError) in
                ledger.add(try Digest(of: item), item)
            }
            if runs.last?.isDone != (result != nil) { runs.append(Run(first: index, count: 0, stored: [])) }
            runs[runs.count - 1].count += 1
            if let result { runs[runs.count - 1].stored.append(result) }
        }
        return runs
    }

    /// Calls `body` with the results of those runs that are done, in parts of limited size.
    ///
    /// - Throws: `JobEnd`, and what `body` throws.
    func readResults(of runs: [Run], _ body: (ResultRun) throws -> Void) throws {
        var results = StoredRuns(runs, of: self)
        while let run = try results.next() { try body(run) }
    }

    fileprivate func reading<Result>(_ body: () throws(JournalError) -> Result) throws(JobEnd) -> Result {
        do { return try body() } catch { throw .fault(JobJournal.fault(error)) }
    }
}

/// The results of examples that are done, read from a journal in parts of limited size.
struct StoredRuns {
    private let stage: StageJournal
    private var runs: [StageJournal.Run]
    private var place = 0
    /// The number of results.
    let count: Int
    /// The reader; nil after the last part, because the journal cannot be closed as long as there is a reader.
    private var stored: StoredResults?

    /// The largest part that is read at once.
    private static let largest = (bytes: 1 << 20, results: 512)

    init(_ runs: [StageJournal.Run], of stage: StageJournal) {
        self.stage = stage
        self.runs = runs.filter { $0.isDone }.reversed()
        count = self.runs.reduce(0) { $0 + $1.stored.count }
    }

    /// Returns the next part; nil after the last.
    mutating func next() throws -> ResultRun? {
        guard let run = runs.last else {
            stored = nil
            return nil
        }
        let stored =
            try self.stored ?? stage.reading { () throws(JournalError) in try StoredResults(stage.writer.place) }
        self.stored = stored
        var results = ByteWriter()
        let first = place
        while place < run.stored.count, place - first < Self.largest.results, results.count < Self.largest.bytes {
            let index = run.first + place
            let note: ((JournalReader.Record) -> Void)? = stage.notes.map { notes in
                { notes.note($0.facts, of: index) }
            }
            try stage.reading { () throws(JournalError) in try stored.append(run.stored[place], to: &results, note) }
            place += 1
        }
        let part = ResultRun(first: run.first + first, count: place - first, results: results.take(), rank: 0)
        if place == run.stored.count {
            runs.removeLast()
            place = 0
        }
        return part
    }
}
