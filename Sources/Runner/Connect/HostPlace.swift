import AME
import Launcher

/// A rank's place among the ranks of its job on its host, as the launcher says.
struct HostPlace: Equatable {
    /// Counted from 0.
    var rank: Int
    /// The number of the job's ranks on this host.
    var size: Int

    init(rank: Int, size: Int) { (self.rank, self.size) = (rank, size) }

    /// Reads the place from two variables; nil where they are not set or are contradictory.
    init?(_ facts: ProcessFacts, rank: String, size: String) {
        guard let rank = facts.number(rank), let size = facts.number(size), rank < size else { return nil }
        self.init(rank: rank, size: size)
    }

    /// Returns the place of this process, from what connects it or from the chosen launcher.
    ///
    /// - Returns: nil where it is not known, as for ranks that were started by hand on several hosts.
    static func here(_ detection: Detection, _ facts: ProcessFacts) -> HostPlace? {
        switch detection.choice {
        case .alone: HostPlace(rank: 0, size: 1)
        case .ameVariables: launchedByAME(facts)
        default: detection.launcher?.place
        }
    }

    /// Returns the place that our launcher gave.
    ///
    /// Where there are several hosts it sets local variables. Otherwise all ranks of our launcher, and of that of
    /// dlp_mpi, run on one host.
    static func launchedByAME(_ facts: ProcessFacts) -> HostPlace? {
        if facts.variable(AMEVariable.localSize) != nil {
            return HostPlace(facts, rank: AMEVariable.localRank, size: AMEVariable.localSize)
        }
        let isHere =
            facts.variable(AMEVariable.socket) != nil
            || ["127.0.0.1", "::1", "localhost"].contains(facts.variable(AMEVariable.host))
        return isHere ? HostPlace(facts, rank: AMEVariable.rank, size: AMEVariable.size) : nil
    }

    /// The place of a task of a Slurm step.
    static func inSlurm(_ facts: ProcessFacts) -> HostPlace? {
        guard let rank = facts.number("SLURM_LOCALID"), let node = facts.number("SLURM_NODEID"),
            let sizes = facts.variable("SLURM_STEP_TASKS_PER_NODE").flatMap({ SlurmNotation.tasks(perNode: $0) }),
            sizes.indices.contains(node),
            rank < sizes[node]
        else { return nil }
        return HostPlace(rank: rank, size: sizes[node])
    }
}
