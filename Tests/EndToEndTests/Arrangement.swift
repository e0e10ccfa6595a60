import Glibc
import TestSupport
import Testing

/// A foreign launcher, and the transport that connects the ranks that it starts.
enum Arrangement: String, CaseIterable, CustomTestStringConvertible {
    case openMPI, openMPIOverAME, openMPI5, openMPI5OverAME
    case hydra, hydraByPort, hydraOverMPI
    case slurm, slurmPMI2, slurmPMI2OverMPI, slurmPMIx, slurmPMIxOverAME

    var testDescription: String { rawValue }

    /// One arrangement that connects by MPI, and one for each way in which AME's ranks find each other.
    static let oneOfEach: [Arrangement] = [.openMPI, .openMPIOverAME, .hydra, .hydraByPort, .slurm]

    /// The transport that connects the ranks.
    var backend: String {
        switch self {
        case .openMPI, .openMPI5, .hydraOverMPI, .slurmPMI2OverMPI, .slurmPMIx: "mpi"
        case .openMPIOverAME, .openMPI5OverAME, .hydra, .hydraByPort, .slurm, .slurmPMI2, .slurmPMIxOverAME: "ame"
        }
    }

    /// How `--info` names the way in which the ranks find each other.
    var method: String {
        switch self {
        case .openMPI, .openMPI5, .slurmPMIx: "MPI: Open MPI"
        case .hydraOverMPI, .slurmPMI2OverMPI: "MPI: MPICH"
        case .openMPIOverAME, .openMPI5OverAME, .slurmPMIxOverAME: "AME by PMIx"
        case .hydra, .hydraByPort, .slurmPMI2: "AME by PMI-1"
        case .slurm: "AME by a shared file"
        }
    }

    var isSlurm: Bool { rawValue.hasPrefix("slurm") }
    var isHydra: Bool { rawValue.hasPrefix("hydra") }
    var isOpenMPI5: Bool { rawValue.hasPrefix("openMPI5") }

    /// Whether output of another rank may appear in the middle of a line, although each rank writes whole lines.
    ///
    /// Open MPI's mpiexec gives each rank a pseudo-terminal, which passes on the text before a tabulator or a line
    /// end separately.
    var tearsLines: Bool { rawValue.hasPrefix("openMPI") }

    /// Whether the root learns that its standard input has ended.
    ///
    /// Under Open MPI 5's mpiexec not even `cat` does.
    var endsInput: Bool { !isOpenMPI5 }

    /// Returns the launcher's part of a command line that starts this number of ranks.
    func launcher(_ ranks: Int) -> String {
        switch self {
        case .openMPI, .openMPIOverAME: "mpiexec.openmpi -n \(ranks)"
        case .openMPI5, .openMPI5OverAME: "\(Testbed.openMPI5) --oversubscribe -n \(ranks)"
        case .hydra, .hydraOverMPI: "mpiexec.hydra -n \(ranks)"
        case .hydraByPort: "mpiexec.hydra -pmi-port -n \(ranks)"
        case .slurm: srun("none", ranks)
        case .slurmPMI2, .slurmPMI2OverMPI: srun("pmi2", ranks)
        case .slurmPMIx, .slurmPMIxOverAME: srun("pmix", ranks)
        }
    }

    /// Uses two nodes where there is a rank for each; the time limit, in minutes, is for an srun that a test kills.
    ///
    /// It is quiet because a job sometimes waits for its predecessor to leave, and srun reports that.
    private func srun(_ type: String, _ ranks: Int) -> String {
        "srun -Q --mpi=\(type) -t 2 -N \(min(ranks, 2)) -n \(ranks)"
    }

    /// The launcher's status where dlp-lua ends a job early with `status`.
    ///
    /// Slurm kills the ranks of MPICH programs that call MPI_Abort, whatever status they ask for.
    func status(_ status: Int32) -> Int32 { self == .slurmPMI2OverMPI ? 128 + SIGKILL : status }

    /// Returns the variables that the launcher and its ranks need.
    func environment() throws -> [String: String] {
        var environment = isSlurm ? try Testbed.slurmEnvironment() : Testbed.environment
        switch self {
        case .openMPIOverAME, .openMPI5OverAME, .hydra, .hydraByPort, .slurmPMI2, .slurmPMIxOverAME:
            environment["DLP_BACKEND"] = "ame"
        // By a plugin; under Hydra without one.
        case .slurmPMI2OverMPI: environment["DLP_MPI_LIBRARY"] = try Testbed.mpichPlugin()
        default: break
        }
        return environment
    }

    /// Runs dlp-lua on this number of ranks to its end; blanks separate the words after it.
    func run(_ ranks: Int, _ words: String, in scratch: Scratch? = nil, input: String = "") throws -> Outcome {
        try start(ranks, words, in: scratch ?? Scratch(), input: input).finish()
    }

    /// Runs dlp-lua on this number of ranks to an end that rank 0 explains; over MPI it calls `MPI_Abort` right after
    /// its message.
    func runToComplaint(_ ranks: Int, _ words: String, in scratch: Scratch? = nil) throws -> Outcome {
        let launcher: LostWords? =
            switch self {
            case .openMPI5: .openMPI5
            case .hydraOverMPI: .hydra
            default: nil
            }
        return try LostWords.mayGo(launcher) { try run(ranks, words, in: scratch) }
    }

    /// Starts dlp-lua on this number of ranks.
    func start(
        _ ranks: Int, _ words: String, in scratch: Scratch, input: String = "", adding variables: [String: String] = [:]
    ) throws -> Launched {
        let command = "\(launcher(ranks)) dlp-lua \(words)"
        return try Launched(
            command.split(separator: " ").map { String($0) }, in: scratch, input: input,
            environment: environment().merging(variables) { $1 })
    }
}
