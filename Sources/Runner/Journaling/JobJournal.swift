import DLP
import Journal
import LuaHost

/// The root's journal of a job: what was done before need not be done again, what is done now is noted.
struct JobJournal {
    let ledger: ExampleLedger
    let writer: JournalWriter

    /// Stored results are passed on as soon as they take so many bytes, or are so many.
    private static let largestRun = (bytes: 1 << 20, results: 512)

    /// Opens the journal, and begins to write.
    ///
    /// - Parameter end: ends the job where the journal cannot be written any more.
    /// - Throws: `UsageError` where there can be no journal.
    init(
        _ settings: JournalSettings, _ script: Script, seed: Int64, end: @escaping @Sendable (JobEnd) -> Void
    ) throws(UsageError) {
        do {
            let identity = JournalIdentity(
                script: script.name, text: script.source, arguments: script.arguments, seed: seed)
            let file = try JournalFile(path: settings.path, identity: identity, policy: settings.policy)
            ledger = try file.ledger()
            if let repair = file.repair { Complaint.write(repair) }
            writer = try JournalWriter(file, ledger) { failure in end(.fault(Self.fault(failure))) }
        } catch { throw UsageError("\(error)") }
    }

    /// What a journal that cannot be used any more means for the job.
    static func fault(_ error: any Error) -> Fault {
        Fault(phase: .communication, message: "\(error)", rank: 0, host: HostName.current, status: 2)
    }

    /// A run of examples of the list that are all done, or all to be done.
    struct Run {
        var first: Int
        var count: Int
        /// Where their results are, if they are done.
        var stored: [StoredResult]

        var isDone: Bool { !stored.isEmpty }
    }

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
        let runs = runs.filter { $0.isDone }
        guard !runs.isEmpty else { return }
        // Not kept open: as long as there is a reader the journal cannot be closed.
        let stored = try reading { () throws(JournalError) in try StoredResults(writer.place) }
        for run in runs {
            var results = ByteWriter()
            var first = run.first
            for (number, result) in run.stored.enumerated() {
                try reading { () throws(JournalError) in try stored.append(result, to: &results) }
                let end = run.first + number + 1
                let isFull = results.count >= Self.largestRun.bytes || end - first == Self.largestRun.results
                guard isFull || number + 1 == run.count else { continue }
                try body(ResultRun(first: first, count: end - first, results: results.take(), rank: 0))
                first = end
            }
        }
    }

    private func reading<Result>(_ body: () throws(JournalError) -> Result) throws(JobEnd) -> Result {
        do { return try body() } catch { throw .fault(Self.fault(error)) }
    }
}
