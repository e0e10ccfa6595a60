import Glibc
import TestSupport
import Testing

/// How jobs end early under real launchers.
@Suite(.hangLimit)
struct ArrangementEndTests {
    /// Every rank leaves a file that says that it is busy, and then stays busy for ever.
    private static let busy = """
        function examples() return 100 end
        function work()
          io.open("busy." .. dlp.RANK, "w"):close()
          while true do end
        end
        function summarize() print("never") end
        """

    /// Starts a job of three ranks and waits until all are busy.
    private func start(_ arrangement: Arrangement, adding variables: [String: String] = [:]) throws -> Launched {
        let scratch = try Scratch(job: Self.busy)
        let launched = try arrangement.start(3, "job.lua", in: scratch, adding: variables)
        try launched.reaches("all ranks are busy") { scratch.names.count { $0.hasPrefix("busy.") } == 3 }
        return launched
    }

    @Test("a script that fails is one message and status 1", arguments: Arrangement.allCases)
    func failure(_ arrangement: Arrangement) throws {
        let scratch = try Scratch(
            job: "function examples() return 50 end\nfunction work(n) if n == 17 then error('boom') end end")
        let outcome = try arrangement.runToComplaint(3, "job.lua", in: scratch)
        #expect(outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains("example 17 failed on rank ") && outcome.error.contains("job.lua:2: boom"))
        #expect(outcome.tracebackCount == 1)
        #expect(outcome.status == arrangement.status(1))
    }

    @Test("a script that does not load is one message and status 1", arguments: Arrangement.allCases)
    func syntax(_ arrangement: Arrangement) throws {
        let outcome = try arrangement.runToComplaint(3, "job.lua", in: Scratch(job: "function work( end"))
        #expect(outcome.complaints.count == 1 && outcome.error.contains("job.lua:1:"), "\(outcome.error)")
        #expect(outcome.status == arrangement.status(1))
    }

    @Test(
        "a mistake in the call is one message and status 2", arguments: Arrangement.allCases,
        ["--mode fast job.lua", "missing.lua"])
    func usage(_ arrangement: Arrangement, _ words: String) throws {
        let outcome = try arrangement.runToComplaint(3, words)
        #expect(outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.status == (words == "missing.lua" ? arrangement.status(2) : 2) && outcome.output == "")
    }

    @Test("os.exit ends the job with its status on whichever rank", arguments: Arrangement.allCases, [0, 2])
    func exit(_ arrangement: Arrangement, _ rank: Int) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 500 end
                function work() os.execute("sleep 0.01") if dlp.RANK == \(rank) then os.exit(7) end end
                """)
        let outcome = try arrangement.runToComplaint(3, "job.lua", in: scratch)
        let says = "dlp-lua: work called os.exit(7) on rank \(rank), at example "
        #expect(outcome.complaints.count == 1 && outcome.complaints[0].hasPrefix(says), "\(outcome.error)")
        #expect(outcome.status == arrangement.status(7))
    }

    @Test("Ctrl-C at the launcher ends all", arguments: Arrangement.allCases)
    func interrupt(_ arrangement: Arrangement) throws {
        let launched = try start(arrangement)
        launched.signal(SIGINT)
        if arrangement.isSlurm {
            // srun ends its tasks at the second Ctrl-C within a second.
            try launched.reaches("srun ends") {
                usleep(300_000)
                launched.signal(SIGINT)
                return launched.hasEnded
            }
        }
        let outcome = try launched.finish()
        // Hydra sometimes ends with 0 after a Ctrl-C, although its ranks end with 130.
        if !arrangement.isHydra { #expect(outcome.status != 0) }
        #expect(!outcome.output.contains("never"))
    }

    /// Kills a rank of a busy job, which ends the job.
    private func kill(_ rank: Int, _ arrangement: Arrangement) throws {
        // MPICH does not notice that a rank is gone, and srun does not end the other ranks unless it is told to.
        let variables = arrangement == .slurmPMI2OverMPI ? ["SLURM_KILL_BAD_EXIT": "1"] : [:]
        let launched = try start(arrangement, adding: variables)
        try launched.signal(SIGKILL, rank: rank)
        let outcome = try launched.finish()
        #expect(outcome.status != 0)
        #expect(!outcome.output.contains("never"))
        // Hydra reports it on standard output.
        #expect(outcome.output + outcome.error != "", "somebody says why")
    }

    @Test("a root that is killed ends the job", arguments: Arrangement.allCases)
    func rootKilled(_ arrangement: Arrangement) throws { try kill(0, arrangement) }

    @Test(
        "a worker that is killed ends the job where MPI or the launcher ends it",
        arguments: Arrangement.allCases.filter { $0.atLoss == .ends })
    func workerKilled(_ arrangement: Arrangement) throws { try kill(1, arrangement) }

    /// Runs a job whose rank 1 is killed in its first example.
    private func loseWorker(_ arrangement: Arrangement) throws -> Outcome {
        let scratch = try Scratch(job: StuckJob.script)
        let launched = try arrangement.start(3, "job.lua 1", in: scratch)
        try StuckJob.wait(launched, in: scratch)
        try launched.signal(SIGKILL, rank: 1)
        return try launched.finish()
    }

    @Test(
        "the others do what a killed worker did not where the launcher lets them",
        arguments: Arrangement.allCases.filter { $0.atLoss == .goesOn })
    func workerLost(_ arrangement: Arrangement) throws {
        let outcome = try loseWorker(arrangement)
        #expect(outcome.output == StuckJob.output)
        #expect(outcome.complaints.count == 1 && outcome.error.contains("rank 1"), "\(outcome.error)")
        #expect(outcome.status == 128 + SIGKILL, "srun has the worst status of all")
    }

    @Test(
        "a job whose killed worker the launcher may overlook ends, by the launcher or done",
        arguments: Arrangement.allCases.filter { $0.atLoss == .either })
    func workerOverlooked(_ arrangement: Arrangement) throws {
        let outcome = try loseWorker(arrangement)
        // Hydra's own messages begin with an empty line.
        #expect(outcome.output.hasPrefix("\n") || outcome.output.hasPrefix(StuckJob.output), "\(outcome.output)")
        #expect(outcome.output.contains("BAD TERMINATION"))
        #expect(outcome.status == SIGKILL, "Hydra gives the wait status as it is")
    }
}

extension Arrangement {
    /// What happens to a job when one of its workers has died.
    fileprivate enum AtLoss { case ends, goesOn, either }

    /// With AME the job goes on where the launcher allows it, which srun does.
    ///
    /// Hydra is woken when the kernel closes the output of a dead process. It ends the job, unless it looks for dead
    /// processes before the process can be waited for: then it sleeps on.
    fileprivate var atLoss: AtLoss {
        if backend == "mpi" { return .ends }
        return isSlurm ? .goesOn : isHydra ? .either : .ends
    }
}
