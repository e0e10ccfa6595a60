import Glibc

/// A launcher that may end without what rank 0 has said last, right before it calls `MPI_Abort`.
enum LostWords {
    /// Open MPI 5's mpiexec was seen once to pass on its own notice of the call, and none of the words.
    case openMPI5
    /// MPICH's mpiexec, and its kin: on a busy machine nothing came of what a C program had printed before the call in 4 of
    /// 80 runs.
    case hydra

    /// That of the launcher with which a command begins, if it is one of them.
    init?(command: String) {
        guard command.hasPrefix("mpiexec.hydra ") else { return nil }
        self = .hydra
    }

    private func haveGone(in outcome: Outcome) -> Bool {
        guard outcome.complaints.isEmpty, outcome.status != 0 else { return false }
        return self == .hydra || outcome.error.contains("MPI_ABORT was invoked on rank 0")
    }

    /// Whether MPICH's mpiexec has been ended by SIGPIPE before anything came of its ranks: on a busy machine in 1 of 800 runs of
    /// a shell that only printed a line.
    static func isBroken(_ outcome: Outcome) -> Bool {
        outcome.status == 128 + SIGPIPE && outcome.bytes.isEmpty && outcome.error.isEmpty
    }

    /// Runs a job to an end that rank 0 explains, and once more where the launcher has lost that; then it is told.
    static func mayGo(_ launcher: LostWords?, _ run: () throws -> Outcome) throws -> Outcome {
        let outcome = try run()
        guard let launcher, launcher.haveGone(in: outcome) else { return outcome }
        print("lost words: \(launcher), status \(outcome.status); tried once more")
        return try run()
    }
}
