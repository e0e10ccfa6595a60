import Glibc

/// A launcher that may lose the last words of rank 0, which come right before it calls `MPI_Abort`.
enum LostWords {
    /// Open MPI 5's mpiexec was once seen to print its own notice of the call and none of rank 0's words.
    case openMPI5
    /// MPICH's mpiexec and similar launchers: on a busy machine, what a C program had printed before the call was
    /// lost in 4 of 80 runs.
    case hydra

    /// The launcher with which a command begins, if it is one of these.
    init?(command: String) {
        guard command.hasPrefix("mpiexec.hydra ") else { return nil }
        self = .hydra
    }

    private func haveGone(in outcome: Outcome) -> Bool {
        guard outcome.complaints.isEmpty, outcome.status != 0 else { return false }
        return self == .hydra || outcome.error.contains("MPI_ABORT was invoked on rank 0")
    }

    /// Whether MPICH's mpiexec was ended by SIGPIPE before any output of its ranks came.
    ///
    /// On a busy machine this happened in 1 of 800 runs of a shell that only printed a line.
    static func isBroken(_ outcome: Outcome) -> Bool {
        outcome.status == 128 + SIGPIPE && outcome.bytes.isEmpty && outcome.error.isEmpty
    }

    /// Runs a job to an end that rank 0 explains, and runs it once more, with a note, where the launcher has lost the
    /// explanation.
    static func mayGo(_ launcher: LostWords?, _ run: () throws -> Outcome) throws -> Outcome {
        let outcome = try run()
        guard let launcher, launcher.haveGone(in: outcome) else { return outcome }
        print("lost words: \(launcher), status \(outcome.status); tried once more")
        return try run()
    }
}
