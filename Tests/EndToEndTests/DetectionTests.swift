import TestSupport
import Testing

/// Misleading signs of launchers, and missing libraries.
@Suite(.hangLimit)
struct DetectionTests {
    /// Runs a command in the environment of an arrangement.
    private func run(_ arrangement: Arrangement, _ command: String, _ words: String..., in scratch: Scratch) throws
        -> Outcome
    {
        let all = command.split(separator: " ").map { String($0) } + words
        return try Launched(all, in: scratch, environment: arrangement.environment()).finish()
    }

    @Test("a descriptor that was closed on the way is no rendezvous, and nobody works alone")
    func stale() throws {
        for replacement in ["exec {PMI_FD}>&-", "eval \"exec $PMI_FD</dev/null\""] {
            let outcome = try run(
                .hydra, "mpiexec.hydra -n 3 bash -c", "\(replacement); exec dlp-lua --info", in: Scratch())
            #expect(outcome.hellos.isEmpty)
            #expect(outcome.complaints.count == 1 && outcome.error.contains("PMI_FD"), "\(outcome.error)")
            #expect(outcome.status == 2)
        }
    }

    @Test("MPI that was asked for and is not the launcher's is refused with a remedy, not done N times")
    func otherMPI() throws {
        let other = "\(Testbed.mpi("openmpi"))/lib/libmpi.so.40"
        let outcome = try run(
            .hydra, "mpiexec.hydra -n 3 env DLP_MPI_LIBRARY=\(other) dlp-lua --backend mpi --info", in: Scratch())
        #expect(outcome.hellos.isEmpty)
        #expect(outcome.complaints.count == 1 && outcome.error.contains("--backend"), "\(outcome.error)")
        #expect(outcome.status == 2)
    }

    @Test("each process may work alone where that is asked for", arguments: Arrangement.oneOfEach)
    func alone(_ arrangement: Arrangement) throws {
        let outcome = try arrangement.run(3, "--backend none --info")
        #expect(outcome.hellos == Array(repeating: "Hello from rank 0 of 1!", count: 3))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("AME that was asked for where nobody launched is refused")
    func nobody() throws {
        let outcome = try EndToEndTests.run("dlp-lua --backend ame --info")
        #expect(outcome.isOneMessage("dlp-lua", with: "ameexec"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("ameexec's variables win over those of the launcher that started ameexec", arguments: Arrangement.oneOfEach)
    func nested(_ arrangement: Arrangement) throws {
        let command = "\(arrangement.launcher(1)) ameexec -np 3 dlp-lua --info"
        let outcome = try run(arrangement, command, in: Scratch())
        #expect(outcome.output.contains("Using AME by variables for"), "\(outcome.output)")
        #expect(outcome.hellos == hellos(of: 3))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    /// Runs its arguments in an environment where the given libraries cannot be found.
    private static let hide = """
        set -e
        directory=$(dirname "$(ldconfig -p | awk '$1 == "libc.so.6" && /x86-64|AArch64/ { print $NF; exit }')")
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/changes /mnt/work
        mount -t overlay overlay -o lowerdir=$directory,upperdir=/mnt/changes,workdir=/mnt/work $directory
        for library in $1; do rm -f $directory/$library*; done
        shift
        exec "$@"
        """

    /// Runs a command with libraries hidden from dlp-lua alone, not from its launcher.
    private func withoutLibraries(_ libraries: String, _ arrangement: Arrangement, _ launcher: String) throws -> Outcome
    {
        let scratch = try Scratch()
        try scratch.write("hide", Self.hide)
        let words = ["unshare", "--mount", "bash", "hide", libraries, "dlp-lua", "--info"]
        return try Launched(
            launcher.split(separator: " ").map { String($0) } + words, in: scratch,
            environment: arrangement.environment()
        ).finish()
    }

    @Test("without libmpi everything but MPI works", arguments: [Arrangement.openMPI, .slurmPMIx])
    func withoutMPI(_ arrangement: Arrangement) throws {
        let outcome = try withoutLibraries("libmpi.so", arrangement, arrangement.launcher(3))
        #expect(outcome.output.contains("Using AME by PMIx for"), "\(outcome.output)")
        #expect(outcome.hellos == hellos(of: 3))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test(
        "without libmpi and libpmix everything but these works",
        arguments: [("", 1), ("ameexec -np 3", 3)] as [(String, Int)])
    func withoutEither(_ launcher: String, _ size: Int) throws {
        let outcome = try withoutLibraries("libmpi.so libpmix.so", .openMPI, launcher)
        #expect(outcome.hellos == hellos(of: size))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("without libmpi and libpmix PMI-1 and Slurm alone work", arguments: [Arrangement.hydra, .slurm, .slurmPMI2])
    func withoutEither(_ arrangement: Arrangement) throws {
        let outcome = try withoutLibraries("libmpi.so libpmix.so", arrangement, arrangement.launcher(3))
        #expect(outcome.output.contains("Using \(arrangement.method) for"), "\(outcome.output)")
        #expect(outcome.hellos == hellos(of: 3))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("where neither library is there ranks of Open MPI's mpiexec are refused with a remedy, once")
    func nothingLeft() throws {
        let outcome = try withoutLibraries("libmpi.so libpmix.so", .openMPI, Arrangement.openMPI.launcher(3))
        #expect(outcome.hellos.isEmpty)
        #expect(outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains("libmpi") && outcome.error.contains("libpmix"), "\(outcome.error)")
        #expect(outcome.error.contains("ameexec") && outcome.status == 2, "\(outcome.error)")
    }
}
