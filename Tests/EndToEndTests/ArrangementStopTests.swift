import Glibc
import TestSupport
import Testing

/// Jobs that end early under real launchers, and then go on where they stopped.
@Suite(.hangLimit)
struct ArrangementStopTests {
    /// Starts a job of three ranks, and waits until some of its examples are in the journal.
    private func start(
        _ arrangement: Arrangement, in scratch: Scratch, adding variables: [String: String] = [:]
    ) throws -> Launched {
        let launched = try arrangement.start(3, "--journal run.db job.lua", in: scratch, adding: variables)
        try LongJob.wait(launched, for: 3, in: scratch)
        try LongJob.wait(launched, forKept: 10, in: scratch)
        return launched
    }

    private func goOn(_ arrangement: Arrangement, in scratch: Scratch) throws {
        try LongJob.goOn(in: scratch) { try arrangement.run(3, $0, in: scratch) }
    }

    @Test(
        "where MPI ends a job because a rank has died, the same call does only what was not done",
        arguments: Arrangement.allCases.filter { $0.backend == "mpi" })
    func killed(_ arrangement: Arrangement) throws {
        let scratch = try LongJob.scratch()
        // MPICH does not notice that a rank is gone, and srun does not end the other ranks unless it is told to.
        let variables = arrangement == .slurmPMI2OverMPI ? ["SLURM_KILL_BAD_EXIT": "1"] : [:]
        let launched = try start(arrangement, in: scratch, adding: variables)
        try launched.signal(SIGKILL, rank: 1)
        #expect(try launched.finish().status != 0)
        #expect(try LongJob.kept(in: scratch).count >= 10)
        try goOn(arrangement, in: scratch)
    }

    @Test("--stop-after ends a job in good order under every launcher", arguments: Arrangement.allCases)
    func stopAfter(_ arrangement: Arrangement) throws {
        let scratch = try LongJob.scratch()
        let outcome = try arrangement.run(3, "--stop-after 2 --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 5)
        let done = LongJob.counts(in: scratch)
        #expect(outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains("stopped after \(done.count) "), "\(outcome.error)")
        #expect(LongJob.counts(of: "began", in: scratch) == done)
        try goOn(arrangement, in: scratch)
    }

    @Test("after SIGTERM at the launcher the same call does only what was not done", arguments: Arrangement.allCases)
    func terminate(_ arrangement: Arrangement) throws {
        let scratch = try LongJob.scratch()
        let launched = try start(arrangement, in: scratch)
        launched.signal(SIGTERM)
        let outcome = try launched.finish()
        // Open MPI's mpiexec waits only a second, and srun not at all.
        if arrangement.isHydra {
            #expect(outcome.error.contains("dlp-lua: interrupted after "), "\(outcome.error)")
        } else {
            // Hydra sometimes ends with 0 after a signal, although its ranks end with another status.
            #expect(outcome.status != 0)
        }
        try goOn(arrangement, in: scratch)
    }

    @Test(
        "a step that Slurm cancels, as when its time is over, finishes what runs",
        arguments: Arrangement.allCases.filter(\.isSlurm))
    func cancel(_ arrangement: Arrangement) throws {
        let scratch = try LongJob.scratch()
        let name = "stop-\(UInt64.random(in: 0 ... .max))"
        let launched = try start(arrangement, in: scratch, adding: ["SLURM_JOB_NAME": name])
        let order = try run("scancel -n \(name)", environment: arrangement.environment())
        #expect(order.status == 0, "\(order.error)")
        let outcome = try launched.finish()
        #expect(outcome.status != 0)
        let done = LongJob.counts(in: scratch)
        #expect(outcome.error.contains("dlp-lua: interrupted after \(done.count) "), "\(outcome.error)")
        #expect(LongJob.counts(of: "began", in: scratch) == done)
        try goOn(arrangement, in: scratch)
    }
}
