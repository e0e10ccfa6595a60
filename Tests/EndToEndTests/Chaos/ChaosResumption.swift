import Glibc
import TestSupport
import Testing

/// Checks the journal of a chaos job, and makes an unfinished job go on from it.
struct ChaosResumption {
    /// The first parts of the names of the files that examples leave, for each start of the job.
    static let files = ["first", "second", "kept", "fresh"]

    private let plan: ChaosPlan
    private let reference: Outcome
    private let scratch: Scratch
    /// The damage to the journal, if any.
    private(set) var damage: String?
    /// What is wrong.
    private(set) var complaints: [String] = []

    /// - Parameter verdict: the verdict on the first start of the job.
    init(_ plan: ChaosPlan, _ verdict: ChaosVerdict, in scratch: Scratch) throws {
        (self.plan, self.scratch, reference) = (plan, scratch, verdict.reference)
        // The job was killed before there was a journal.
        guard scratch.names.contains("run.db") else {
            expect(!verdict.isDone, "there is no journal")
            return
        }
        let done = try look(verdict)
        if plan.damage != nil {
            try goOnFromDamaged(done)
        } else if !verdict.isDone {
            let again = try goOn("second")
            expect(again.isDisjoint(with: done), "examples \(again.intersection(done).sorted()) are done again")
        }
    }

    private mutating func expect(_ isRight: Bool, _ complaint: String) {
        if !isRight { complaints.append(complaint) }
    }

    /// Returns the examples that are done according to the journal.
    private mutating func look(_ verdict: ChaosVerdict) throws -> Set<Int> {
        let shown = try run("dlp-lua --results run.db", in: scratch)
        let done = shown.lines.filter { $0.contains("\"state\":\"done\"") }.compactMap(index(in:))
        expect(shown.status == 0 || !verdict.isDone, "the journal cannot be read: \(shown.error)")
        expect(Set(done).count == done.count, "the journal has an example twice")
        if verdict.isDone {
            // The journal may hold examples beyond the last one that was wanted.
            let wanted = done.count { $0 <= verdict.results.count }
            let right = verdict.results.count - verdict.messages.failedCount
            expect(wanted == right, "the journal has \(wanted) examples")
        }
        return Set(done)
    }

    /// Returns the index in a line of `--results`.
    private func index(in line: String) -> Int? { Int(line.dropFirst("{\"index\":".count).prefix { $0.isNumber }) }

    /// Starts the job again; it should finish.
    ///
    /// - Returns: the examples that it does.
    @discardableResult
    private mutating func goOn(_ files: String, _ policy: String? = nil, remark: String? = nil) throws -> Set<Int> {
        judge(try start(files, policy), files, remark: remark)
        return begun(files)
    }

    private func start(_ files: String, _ policy: String? = nil) throws -> Outcome {
        var quiet = plan
        quiet.faults = []
        quiet.policy = policy
        return try ChaosJob(quiet, in: scratch, files: files).run()
    }

    private mutating func judge(_ outcome: Outcome, _ files: String, remark: String? = nil) {
        var quiet = plan
        quiet.faults = []
        let verdict = ChaosVerdict(quiet, outcome, reference: reference, injected: [], remark: remark)
        complaints += verdict.complaints.map { "\(files): \($0)" }
        expect(verdict.isDone, "\(files): it ends with status \(outcome.status): \(outcome.error)")
    }

    /// Returns the examples that a start of the job has begun.
    private func begun(_ files: String) -> Set<Int> {
        Set(scratch.names.filter { $0.hasPrefix("\(files).") }.compactMap { Int($0.split(separator: ".")[1]) })
    }

    /// A damaged journal must be refused with a message, or lead to the right results; also with `--keep`.
    private mutating func goOnFromDamaged(_ done: Set<Int>) throws {
        guard let struck = try plan.damage?.strike(scratch) else { return }
        damage = struck.text
        let second = try start("second")
        guard second.status == 2 else {
            // The damage is not always read: it may lie in an unused page or after the end of the log.
            expect(struck.row == nil, "row \(struck.row ?? 0) is believed")
            return judge(second, "second")
        }
        expectRefusal(second, struck.row)
        expect(begun("second").isEmpty, "examples are done all the same")
        let kept = try start("kept", "--keep")
        if let row = struck.row {
            judge(kept, "kept", remark: "row \(row) (")
            let again = begun("kept").intersection(done)
            expect(again.count <= 1, "examples \(again.sorted()) are done again")
        } else if kept.status != 2 {
            let isTold = kept.error.contains("the journal run.db does not prove itself: ")
            judge(kept, "kept", remark: isTold ? "the journal run.db does not prove itself: " : nil)
        } else {
            expectRefusal(kept, nil)
            let fresh = try start("fresh", "--fresh")
            if fresh.status == 2 { expectRefusal(fresh, nil) } else { judge(fresh, "fresh") }
        }
    }

    private mutating func expectRefusal(_ outcome: Outcome, _ row: Int?) {
        let name = row.map { "row \($0) (" } ?? ""
        expect(
            outcome.isOneMessage("dlp-lua", with: "run.db", name) && outcome.output.isEmpty,
            "this is no refusal: \(outcome.error)")
    }
}
