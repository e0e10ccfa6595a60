import Glibc
import TestSupport
import Testing

/// Small jobs of all kinds whose processes are killed, stopped and disconnected at random.
///
/// `DLP_CHAOS_JOBS` is the number of jobs, `DLP_CHAOS_SEED` their seed, `DLP_CHAOS_JOB` the number of the only job to
/// run. With `DLP_CHAOS_RARE` there are rare faults too. A line for each job is added to the file `DLP_CHAOS_LOG`.
/// `scripts/chaos` sets these variables.
@Suite(.hangLimit(unless: getenv("DLP_CHAOS_JOBS") != nil))
struct ChaosTests {
    private static let seed = UInt64(number("DLP_CHAOS_SEED") ?? 1)
    private static let jobs = number("DLP_CHAOS_JOB").map { $0..<$0 + 1 } ?? 0..<(number("DLP_CHAOS_JOBS") ?? 60)

    private static let hasRareFaults = getenv("DLP_CHAOS_RARE") != nil

    private static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }

    @Test(
        "whatever befalls its processes, a job loses nothing, does nothing twice and says what happened",
        arguments: jobs)
    func job(_ number: Int) throws {
        let began = ChaosJob.milliseconds
        let plan = ChaosPlan(seed: Self.seed, job: number, hasRareFaults: Self.hasRareFaults)
        let scratch = try Scratch(job: ChaosScript.text(of: plan))
        let reference = try reference(of: plan)
        let job = try ChaosJob(plan, in: scratch, files: "first")
        let outcome: Outcome
        do { outcome = try job.run() } catch {
            Issue.record("seed \(Self.seed), job \(number) does not end\n\(plan)\nstruck: \(job.injected)")
            let names = job.injected.map(\.fault.name).joined(separator: ",")
            return note("job=\(number) ok=0 hung=1 examples=\(plan.examples) faults=\(names)\n")
        }
        let verdict = ChaosVerdict(plan, outcome, reference: reference, injected: job.injected)
        var complaints = verdict.complaints
        var resumption: ChaosResumption?
        if plan.keepsJournal {
            resumption = try ChaosResumption(plan, verdict, in: scratch)
            complaints += resumption?.complaints ?? []
        }
        complaints += strayFiles(in: scratch)
        if !complaints.isEmpty {
            Issue.record(
                """
                seed \(Self.seed), job \(number): \(complaints.joined(separator: "; "))
                \(plan)
                struck: \(job.injected)
                the journal: \(resumption?.damage ?? "as it was")
                status \(outcome.status), \(outcome.lines.count) lines, standard error:
                \(outcome.error)
                """)
        }
        var names = job.injected.map(\.fault.name)
        if let damage = plan.damage, resumption?.damage != nil { names.append(damage.name) }
        note(
            [
                "job=\(number)", "sink=\(plan.sink)", "ok=\(complaints.isEmpty ? 1 : 0)", "status=\(outcome.status)",
                "examples=\(plan.examples)", "lost=\(verdict.lost)", "losses=\(verdict.messages.losses.count)",
                "crashed=\(verdict.isDone ? verdict.results.crashed.count : 0)",
                "milliseconds=\(ChaosJob.milliseconds - began)", "faults=\(names.joined(separator: ","))",
            ].joined(separator: " ") + "\n")
    }

    /// Runs the plan's job as one process without faults.
    private func reference(of plan: ChaosPlan) throws -> Outcome {
        var alone = plan
        alone.hasJournal = false
        alone.rootWorks = true
        let words = ["dlp-lua"] + alone.options + ["job.lua"]
        return try Launched(words, in: Scratch(job: ChaosScript.text(of: plan))).finish()
    }

    /// Returns files that no process should have left.
    private func strayFiles(in scratch: Scratch) -> [String] {
        let own = ["job.lua", "rank.sh", "root", "root.new", "run.db", "failing-calls.so", "failed"]
        return scratch.names.filter { name in
            !own.contains(name) && !ChaosResumption.files.contains { name.hasPrefix("\($0).") }
        }.map { "\($0) is left" }
    }

    /// Adds a line to the log, if there is one.
    private func note(_ line: String) {
        guard let path = getenv("DLP_CHAOS_LOG") else { return }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        _ = write(file, line, line.utf8.count)
        close(file)
    }
}
