import TestSupport
import Testing

/// Allocations and steps of Slurm in the forms that users choose.
@Suite(.hangLimit)
struct SlurmTests {
    /// Runs a command with access to Slurm's clients.
    private func run(_ command: String, _ words: String..., in scratch: Scratch, environment: [String: String] = [:])
        throws -> Outcome
    {
        let all = command.split(separator: " ").map { String($0) } + words
        let variables = try Testbed.slurmEnvironment().merging(environment) { $1 }
        return try Launched(all, in: scratch, environment: variables).finish()
    }

    @Test(
        "in an allocation mpiexec's variables win over those of the srun that mpiexec uses",
        arguments: [
            ("mpiexec.openmpi -n 4", [:], "MPI: Open MPI"),
            ("mpiexec.openmpi -n 4", ["DLP_BACKEND": "ame"], "AME by PMIx"),
            ("mpiexec.hydra -n 4", [:], "MPI: MPICH"),
            ("mpiexec.hydra -n 4", ["DLP_BACKEND": "ame"], "AME by PMI-1"),
        ] as [(String, [String: String], String)])
    func mpiexec(_ launcher: String, _ environment: [String: String], _ method: String) throws {
        let outcome = try run(
            "salloc -Q -t 2 -N 2 -n 4 \(launcher) dlp-lua --info", in: Scratch(), environment: environment)
        #expect(outcome.output.contains("Using \(method) for"), "\(outcome.output)")
        #expect(outcome.hellos == hellos(of: 4))
        #expect(outcome.status == 0, "\(outcome.error)")
    }

    // Without the ring, ranks sometimes leave MPI_Init while others are still in it.
    @Test("the testbed's pmix lets ranks meet by its ring")
    func ring() throws {
        let outcome = try run("scontrol show config", in: Scratch())
        let setting = outcome.lines.first { $0.hasPrefix("PMIxCollFence ") }
        #expect(setting?.hasSuffix("= ring") == true, "\(setting ?? outcome.error)")
    }

    @Test("ranks are found where a host file puts them", arguments: ["none", "pmi2", "pmix"])
    func hostFile(_ type: String) throws {
        let scratch = try Scratch()
        try scratch.write("hostfile", "n3\nn1\nn2\n")
        let arbitrary = try run(
            "srun -Q --mpi=\(type) -t 2 -N 3 -n 3 -m arbitrary dlp-lua --info", in: scratch,
            environment: ["SLURM_HOSTFILE": "hostfile"])
        #expect(arbitrary.hellos == hellos(of: 3), "\(arbitrary.error)")
        #expect(arbitrary.error == "" && arbitrary.status == 0)
    }

    @Test(
        "Intel MPI is taken under srun, by a PMI library that it is given or by its own",
        arguments: ["", "I_MPI_PMI_LIBRARY=/usr/lib/x86_64-linux-gnu/libpmi2.so.0"])
    func intel(_ variable: String) throws {
        let library = "LD_LIBRARY_PATH=\(Testbed.mpi("intel"))/lib"
        let outcome = try run(
            "srun -Q --mpi=pmi2 -t 2 -n 2 env \(library) \(variable) dlp-lua -e", "print(dlp.backend, dlp.SIZE)",
            in: Scratch())
        #expect(outcome.lines == ["mpi\t2", "mpi\t2"])
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    // Not with pmix: its daemons take the step's nodes for the first ones of the allocation, and send some of their
    // messages there. Then the ranks of any program wait for ever, in one start of thirty on a busy machine.
    @Test("ranks are found on the later nodes of an allocation", arguments: ["none", "pmi2"])
    func laterNodes(_ type: String) throws {
        let outcome = try run("salloc -Q -t 2 -N 4 srun --mpi=\(type) -r 2 -N 2 -n 2 dlp-lua --info", in: Scratch())
        #expect(outcome.hellos == hellos(of: 2), "\(outcome.error)")
        #expect(outcome.error == "" && outcome.status == 0)
    }

    // Only the types with which any program works in a heterogeneous step. With pmi2, MPICH's ranks do not meet
    // across the parts of a step. With pmix, srun sometimes does not notice that all ranks have ended, even those of
    // a plain MPI program.
    @Test("the parts of a heterogeneous step are one job")
    func heterogeneousStep() throws {
        let outcome = try run(
            "salloc -Q -t 2 -N 2 --ntasks-per-node=2 srun --mpi=none -N 1 -n 1 dlp-lua --info : -N 1 -n 2 dlp-lua --info",
            in: Scratch())
        #expect(outcome.hellos == hellos(of: 3), "\(outcome.error)")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("the parts of a heterogeneous job are one job", arguments: ["none", "pmi2"])
    func heterogeneousJob(_ type: String) throws {
        let outcome = try run(
            "salloc -Q -t 2 -N 1 -n 1 : -N 1 -n 2 srun --mpi=\(type) --het-group=0,1 dlp-lua --info", in: Scratch())
        #expect(outcome.hellos == hellos(of: 3), "\(outcome.error)")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    /// Reports which rank did what, and takes long enough for two steps to overlap.
    private static let slow = """
        function examples() return 6 end
        function work(n) os.execute("sleep 0.1") return arg[1] .. n end
        function summarize(results) print(dlp.SIZE, table.concat(results, " ")) end
        """

    @Test("two steps at once in one allocation do not meet", arguments: ["none", "pmi2", "pmix"])
    func steps(_ type: String) throws {
        let srun = "srun -Q --mpi=\(type) --overlap -N 1 -n 2 dlp-lua --chunk 1 job.lua"
        let outcome = try run(
            "salloc -Q -t 2 -N 1 -n 4 sh -c", "\(srun) a & first=$!; \(srun) b && wait $first",
            in: Scratch(job: Self.slow))
        #expect(outcome.lines.sorted() == ["2\ta1 a2 a3 a4 a5 a6", "2\tb1 b2 b3 b4 b5 b6"], "\(outcome.error)")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("two jobs at once on one node do not meet", arguments: ["none", "pmi2", "pmix"])
    func jobs(_ type: String) throws {
        let scratch = try Scratch(job: Self.slow)
        let jobs = try ["a", "b"].map { word in
            try Launched(
                [
                    "srun", "-Q", "--mpi=\(type)", "-t", "2", "-w", "n1", "-n", "2", "dlp-lua", "--chunk", "1",
                    "job.lua",
                    word,
                ],
                in: scratch, environment: Testbed.slurmEnvironment())
        }
        let outcomes = try jobs.map { try $0.finish() }
        #expect(outcomes.map(\.output) == ["2\ta1 a2 a3 a4 a5 a6\n", "2\tb1 b2 b3 b4 b5 b6\n"])
        #expect(outcomes.allSatisfy { $0.error == "" && $0.status == 0 }, "\(outcomes.map(\.error))")
    }

    @Test("a shell of salloc without srun works alone, and says that srun was forgotten")
    func shell() throws {
        let outcome = try run("salloc -Q -t 2 -n 4 dlp-lua --info", in: Scratch())
        #expect(outcome.hellos == hellos(of: 1))
        #expect(outcome.isOneMessage("dlp-lua", with: "4 tasks", "srun"), "\(outcome.error)")
        #expect(outcome.status == 0)
    }
}
