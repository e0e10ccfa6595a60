import Glibc

/// A launcher that started several processes which cannot see each other.
///
/// Each would take itself for the only rank and do the whole job.
enum ForeignLauncher {
    /// The variables that say how many processes there are and which one this is.
    ///
    /// Slurm's own come last: its variables are inherited by what other launchers start inside an allocation.
    private static let known = [
        (name: "Open MPI's mpiexec", size: "OMPI_COMM_WORLD_SIZE", rank: "OMPI_COMM_WORLD_RANK"),
        (name: "a PMI launcher such as MPICH's mpiexec", size: "PMI_SIZE", rank: "PMI_RANK"),
        (name: "srun", size: "SLURM_STEP_NUM_TASKS", rank: "SLURM_PROCID"),
    ]

    /// Why this process must not go on alone, or nil where it may.
    static func objection() -> String? {
        for launcher in known {
            guard let size = number(launcher.size), size > 1 else { continue }
            return "\(launcher.name) started \(size) processes that cannot see each other, and each would do the whole "
                + "job: start them with ameexec, or let each work alone with --backend none"
        }
        return nil
    }

    /// This process's rank as its launcher has it, 0 where it has none.
    static var rank: Int { number("AME_RANK") ?? known.lazy.compactMap { number($0.rank) }.first ?? 0 }

    private static func number(_ variable: String) -> Int? { getenv(variable).flatMap { Int(String(cString: $0)) } }
}
