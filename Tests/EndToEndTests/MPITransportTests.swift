import Glibc
import TestSupport
import Testing

/// The launcher of an MPI, and its library.
enum MPI: String, CaseIterable {
    case openMPI
    case mpich

    /// Returns the words that start ranks on this machine, more than it has cores.
    func words(ranks: Int) -> [String] {
        switch self {
        case .openMPI: ["mpiexec", "--allow-run-as-root", "--oversubscribe", "-n", "\(ranks)"]
        case .mpich: ["mpiexec.mpich", "-n", "\(ranks)"]
        }
    }

    /// Tells the probe which library to use.
    var environment: [String: String] { ["PROBE_FAMILY": rawValue.lowercased()] }
}

@Suite("MPI transport", .serialized)
struct MPITransportTests {
    /// Runs a scenario of mpi-probe.
    static func probe(
        _ mpi: MPI, ranks: Int = 3, _ scenario: String, environment: [String: String] = [:]
    ) throws -> Outcome {
        let outcome = try launch(mpi, ranks: ranks, scenario, environment: environment).finish()
        guard mpi == .mpich, LostWords.isBroken(outcome) else { return outcome }
        print("broken mpiexec.mpich: \(scenario); tried once more")
        return try launch(mpi, ranks: ranks, scenario, environment: environment).finish()
    }

    static func launch(
        _ mpi: MPI, ranks: Int = 3, _ scenario: String, environment: [String: String] = [:]
    ) throws -> Launched {
        let scratch = try Scratch()
        let probe = ["\(Program.directory)/mpi-probe"] + scenario.split(separator: " ").map { String($0) }
        return try Launched(
            mpi.words(ranks: ranks) + probe, in: scratch,
            environment: mpi.environment.merging(environment) { $1 })
    }

    /// Bodies in the pieces of a real job, or in many small pieces.
    static let pieces: [[String: String]] = [[:], ["PROBE_PIECES": "small"]]

    @Test("messages of all sizes arrive whole and in order, both ways at once", arguments: MPI.allCases, pieces)
    func exchange(mpi: MPI, pieces: [String: String]) throws {
        let outcome = try Self.probe(mpi, "exchange 1 40", environment: pieces)
        #expect(outcome.lines.sorted() == (0..<3).map { "rank \($0) exchanged 40" })
        #expect(outcome.status == 0)
    }

    @Test("large bodies of all ranks at once do not mix", arguments: MPI.allCases, pieces)
    func flood(mpi: MPI, pieces: [String: String]) throws {
        let outcome = try Self.probe(mpi, ranks: 4, "flood 2000000 6", environment: pieces)
        #expect(outcome.lines == ["rank 0 received 18"] && outcome.status == 0, "\(outcome)")
    }

    @Test("what goes to all ranks keeps its place among what goes to one", arguments: MPI.allCases, pieces)
    func broadcast(mpi: MPI, pieces: [String: String]) throws {
        let outcome = try Self.probe(mpi, ranks: 4, "broadcast 3000000", environment: pieces)
        #expect(outcome.lines.sorted() == (0..<4).map { "rank \($0) has all" })
        #expect(outcome.status == 0)
    }

    @Test("a rank that has finished holds nobody up", arguments: MPI.allCases)
    func leaveEarly(mpi: MPI) throws {
        let outcome = try Self.probe(mpi, ranks: 4, "leave-early 100000")
        #expect(outcome.lines == ["rank 0 went on"] && outcome.status == 0)
    }

    @Test("another thread ends a wait, once for each time that it asks", arguments: MPI.allCases)
    func wake(mpi: MPI) throws {
        let outcome = try Self.probe(mpi, ranks: 2, "wake 50")
        #expect(outcome.lines.sorted() == ["rank 0 woke", "rank 1 woke"] && outcome.status == 0)
    }

    @Test("a rank that waits leaves the core alone", arguments: MPI.allCases)
    func idle(mpi: MPI) throws {
        let outcome = try Self.probe(mpi, ranks: 2, "idle 2000")
        let used = outcome.lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(used.count == 2 && used.allSatisfy { $0 < 50 }, "thousandths of a core: \(used)")
    }

    @Test("the root's status is the job's, and a rank that is busy does not hold it up", arguments: MPI.allCases)
    func rootFails(mpi: MPI) throws {
        let outcome = try Self.probe(mpi, "root-fails 7")
        #expect(outcome.status == 7 && outcome.lines.contains("rank 0 fails"))
    }

    @Test("a worker ends a job whose root does not", arguments: MPI.allCases)
    func workerFails(mpi: MPI) throws { #expect(try Self.probe(mpi, "worker-fails 5").status == 5) }

    @Test("when a rank is killed the job ends", arguments: MPI.allCases, [0, 1])
    func killed(mpi: MPI, rank: Int) throws {
        let launched = try Self.launch(mpi, "idle 600000")
        try launched.reaches("all ranks wait") { launched.errorText.split(separator: "\n").count == 3 }
        try launched.signal(SIGKILL, rank: rank)
        let outcome = try launched.finish()
        #expect(outcome.status != 0 && !outcome.output.contains("used"))
    }

    @Test("ranks that another MPI's launcher started do not take themselves for whole jobs")
    func foreignLauncher() throws {
        // For Open MPI, each process is alone.
        let words = MPI.mpich.words(ranks: 2) + ["\(Program.directory)/mpi-probe", "hello"]
        let outcome = try Launched(words, in: Scratch(), environment: ["PROBE_SIZE": "2"]).finish()
        #expect(outcome.status == 3)
        // The launcher may end one process after the other has reported.
        #expect(!outcome.lines.isEmpty)
        for line in outcome.lines {
            #expect(line.contains("2 processes, but Open MPI") && line.contains("DLP_MPI_LIBRARY"))
        }
    }

    @Test("where one rank is not where the launcher says, all end", arguments: MPI.allCases)
    func disagreement(mpi: MPI) throws {
        let probe = "\(Program.directory)/mpi-probe"
        let script = "[ ${OMPI_COMM_WORLD_RANK:-$PMI_RANK} = 1 ] && export PROBE_RANK=2; exec \(probe) hello"
        let outcome = try Launched(
            mpi.words(ranks: 3) + ["sh", "-c", script], in: Scratch(), environment: mpi.environment
        ).finish()
        #expect(outcome.status == 3)
        #expect(outcome.lines.contains { $0.contains("rank 2, but") && $0.contains("that it is rank 1") })
        #expect(!outcome.lines.contains { $0.hasPrefix("rank ") })
    }

    @Test("a plugin of another version is refused")
    func foreignPlugin() throws {
        let scratch = try Scratch()
        try scratch.write("old.c", "static unsigned table[9] = {99, 1}; void *dlp_mpi_plugin(void) { return table; }")
        #expect(try run("cc -shared -fPIC old.c -o old.so", in: scratch).status == 0)
        let outcome = try run(
            "\(Program.directory)/mpi-probe hello", in: scratch, environment: ["DLP_MPI_LIBRARY": "old.so"])
        #expect(outcome.status == 3)
        #expect(outcome.output == "./old.so is an MPI plugin of another dlp-lua, of version 99, not 2\n")
    }

    @Test(
        "the script that builds plugins says what is wrong",
        arguments: [
            ("", "usage: "), ("no-such-mpicc", "there is no no-such-mpicc"), ("true", "cannot compile"),
            ("false", "cannot compile"),
        ])
    func buildScript(arguments: String, message: String) throws {
        let scratch = try Scratch()
        let outcome = try run(
            "\(Program.scripts)/build-mpi-plugin \(arguments) \(arguments.isEmpty ? "" : scratch.path)")
        #expect(outcome.status != 0 && outcome.error.contains(message) && scratch.names == [])
    }
}
