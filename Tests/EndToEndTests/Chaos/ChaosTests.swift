import Glibc
import Testing

/// Small jobs of all kinds whose processes are killed, stopped and cut off at random.
///
/// `DLP_CHAOS_JOBS` says how many, `DLP_CHAOS_SEED` which, and `DLP_CHAOS_JOB` that only this one is wanted; into the file
/// `DLP_CHAOS_LOG` goes a line for each. `scripts/chaos` sets them.
@Suite(.timeLimit(.minutes(60)))
struct ChaosTests {
    private static let seed = UInt64(number("DLP_CHAOS_SEED") ?? 1)
    private static let jobs = number("DLP_CHAOS_JOB").map { $0..<$0 + 1 } ?? 0..<(number("DLP_CHAOS_JOBS") ?? 60)

    private static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }

    @Test(
        "whatever befalls its processes, a job loses nothing, does nothing twice and says what happened",
        arguments: jobs)
    func job(_ number: Int) throws {
        let began = ChaosJob.milliseconds
        let plan = ChaosPlan(seed: Self.seed, job: number)
        let scratch = try Scratch(job: ChaosScript.text(of: plan))
        let reference = try reference(of: plan)
        let job = try ChaosJob(plan, in: scratch, files: "first")
        let outcome = try job.run()
        let verdict = ChaosVerdict(plan, outcome, reference: reference, injected: job.injected)
        var complaints = verdict.complaints
        if plan.keepsJournal { complaints += try resume(plan, verdict, in: scratch) }
        complaints += strayFiles(in: scratch)
        if !complaints.isEmpty {
            Issue.record(
                """
                seed \(Self.seed), job \(number): \(complaints.joined(separator: "; "))
                \(plan)
                struck: \(job.injected.map { "\($0.fault) (\($0.begun) begun)" })
                status \(outcome.status), \(outcome.lines.count) lines, standard error:
                \(outcome.error)
                """)
        }
        let names = job.injected.map { $0.fault.name.split(separator: " ").joined(separator: "-") }
        note(
            [
                "job=\(number)", "ok=\(complaints.isEmpty ? 1 : 0)", "status=\(outcome.status)",
                "examples=\(plan.examples)", "lost=\(verdict.lost)", "losses=\(verdict.messages.losses.count)",
                "crashed=\(verdict.isDone ? verdict.results.crashed.count : 0)",
                "milliseconds=\(ChaosJob.milliseconds - began)", "faults=\(names.joined(separator: ","))",
            ].joined(separator: " ") + "\n")
    }

    /// What one process prints that nothing befalls.
    private func reference(of plan: ChaosPlan) throws -> Outcome {
        var alone = plan
        alone.hasJournal = false
        alone.rootWorks = true
        let words = ["dlp-lua"] + alone.options + ["job.lua"]
        return try Launched(words, in: Scratch(job: ChaosScript.text(of: plan))).finish()
    }

    /// Checks the journal, and that the job goes on from it where it has not been done.
    private func resume(_ plan: ChaosPlan, _ verdict: ChaosVerdict, in scratch: Scratch) throws -> [String] {
        // Killed before there was one.
        guard scratch.names.contains("run.db") else { return verdict.isDone ? ["there is no journal"] : [] }
        let shown = try run("dlp-lua --results run.db", in: scratch)
        let done = shown.lines.filter { $0.contains("\"state\":\"done\"") }.compactMap(index(in:))
        var complaints: [String] = []
        if shown.status != 0 && verdict.isDone { complaints.append("the journal cannot be read: \(shown.error)") }
        if Set(done).count != done.count { complaints.append("the journal has an example twice") }
        if verdict.isDone {
            let failed = verdict.messages.failedCount
            if done.count != plan.examples - failed { complaints.append("the journal has \(done.count) examples") }
            return complaints
        }
        var quiet = plan
        quiet.faults = []
        let second = try ChaosJob(quiet, in: scratch, files: "second")
        let outcome = try second.run()
        let verdict = ChaosVerdict(quiet, outcome, reference: verdict.reference, injected: [])
        complaints += verdict.complaints.map { "going on: \($0)" }
        if !verdict.isDone { complaints.append("going on ends with status \(outcome.status): \(outcome.error)") }
        let again = scratch.names.filter { $0.hasPrefix("second.") }.compactMap { Int($0.split(separator: ".")[1]) }
        let twice = Set(again).intersection(done)
        if !twice.isEmpty { complaints.append("examples \(twice.sorted()) are done again") }
        return complaints
    }

    /// The index in a line of `--results`.
    private func index(in line: String) -> Int? { Int(line.dropFirst("{\"index\":".count).prefix { $0.isNumber }) }

    /// Files that nobody should have left.
    private func strayFiles(in scratch: Scratch) -> [String] {
        let own = ["job.lua", "rank.sh", "root", "root.new", "run.db"]
        return scratch.names.filter { name in
            !own.contains(name) && !name.hasPrefix("first.") && !name.hasPrefix("second.")
        }.map { "\($0) is left" }
    }

    /// Adds a line to the log, where one is wanted.
    private func note(_ line: String) {
        guard let path = getenv("DLP_CHAOS_LOG") else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        _ = write(file, line, line.utf8.count)
        close(file)
    }
}
