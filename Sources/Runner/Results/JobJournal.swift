import DLP
import Journal
import LuaHost

/// The root's journal, from which each stage of the script takes what was done before, and in which it notes what is done now.
final class JobJournal {
    let writer: JournalWriter
    private let rows: StoredRows
    private let identity: JournalIdentity

    /// Opens the journal, and begins to write.
    ///
    /// - Parameter end: ends the job where the journal cannot be written any more.
    /// - Throws: `UsageError` where there can be no journal.
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

    /// The part of the stage `name`; nil: of the examples of the job itself.
    ///
    /// - Parameter reach: what the function reaches that does them; nil for a command.
    /// - Throws: `UsageError` where what is done was done with something else, and nobody knows whether that matters.
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

    /// What a journal that cannot be used any more means for the job.
    static func fault(_ error: any Error) -> Fault {
        Fault(phase: .communication, message: "\(error)", rank: 0, host: HostName.current, status: 2)
    }
}

/// A stage's part of the root's journal.
struct StageJournal {
    let ledger: ExampleLedger
    let writer: JournalWriter
    /// Where it is noted what the examples that are done have cost, where somebody wants to know.
    var notes: ExampleNotes?

    /// A run of examples of the list that are all done, or all to be done.
    struct Run {
        var first: Int
        var count: Int
        /// Where their results are, if they are done.
        var stored: [StoredResult]

        var isDone: Bool { !stored.isEmpty }
    }

    /// Notes what becomes of examples.
    func note(_ entry: JournalEntry) { writer.note(entry, in: ledger) }

    /// Adds the next examples of the list, one encoded value each.
    ///
    /// - Returns: which of them are done, run by run.
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

    /// Calls `body` with the results of those of the runs that are done, in parts that are not too large.
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

/// The results of examples that are done, as they are read from a journal in parts that are not too large.
struct StoredRuns {
    private let stage: StageJournal
    private var runs: [StageJournal.Run]
    private var place = 0
    /// How many results they are.
    let count: Int
    /// Not kept open: as long as there is a reader the journal cannot be closed.
    private var stored: StoredResults?

    /// So much is read at a time.
    private static let largest = (bytes: 1 << 20, results: 512)

    init(_ runs: [StageJournal.Run], of stage: StageJournal) {
        self.stage = stage
        self.runs = runs.filter { $0.isDone }.reversed()
        count = self.runs.reduce(0) { $0 + $1.stored.count }
    }

    /// The next part; nil after the last.
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
