import AME
import MPIBackend

/// Which backend connects this process with the other ranks, and why.
struct Detection {
    /// How this process gets its place in the job.
    enum Choice {
        /// One process, alone.
        case alone
        /// By the variables that ameexec sets.
        case ameVariables
        /// By AME: the ranks meet in a way that the launcher offers.
        case ame(Rendezvous)
        /// By MPI, with the library for the launcher's family.
        case mpi(MPIFamily)
    }

    var choice = Choice.alone
    /// The launcher that was chosen.
    var launcher: DetectedLauncher?
    /// A warning that the user should see once.
    ///
    /// The job goes on.
    var warning: String?
    /// A warning that each of several processes does the whole job.
    ///
    /// The job goes on.
    var repetition: String?

    /// Returns this process's rank as far as variables tell it; otherwise 0.
    static func rankByVariables(_ facts: ProcessFacts) -> Int {
        facts.number(AMEVariable.rank) ?? DetectedLauncher.all(in: facts).first { !InheritedLaunch.includes($0) }?.rank
            ?? 0
    }

    /// Whether a launcher started this process as a rank.
    static func isLaunched(_ facts: ProcessFacts) -> Bool {
        facts.variable(AMEVariable.rank) != nil
            || DetectedLauncher.all(in: facts).contains { !InheritedLaunch.includes($0) }
    }

    /// Decides from the user's options and the launcher's variables.
    ///
    /// - Parameters:
    ///   - isTyped: whether the backend was named on the command line, not in the environment.
    ///   - isJoinable: whether other processes may join the job later, which needs AME.
    ///   - isChild: whether a launcher's variables belong to the rank that started this process.
    /// - Throws: `UsageError` where the wanted backend is not available, or where the processes of a launcher cannot
    ///   meet and each would do the whole job.
    init(
        wanted: Backend?, isTyped: Bool = true, facts: ProcessFacts, isJoinable: Bool = false,
        isChild: (DetectedLauncher) -> Bool = { _ in false }
    ) throws(UsageError) {
        if isJoinable, let wanted, wanted != .ame {
            throw UsageError("--joinable needs the backend ame, not \(wanted.rawValue)")
        }
        if wanted == Backend.none {
            guard let launch = Self.launchOfSeveral(facts, isChild: isChild) else { return }
            let each = "each of the \(launch.size) processes that \(launch.name) started"
            guard isTyped else {
                throw UsageError(
                    "DLP_BACKEND says none, by which \(each) would do the whole job: unset it, or say --backend none "
                        + "where that is meant")
            }
            repetition = "--backend none: \(each) does the whole job"
            return
        }
        if wanted != .mpi, facts.variable(AMEVariable.rank) != nil {
            choice = .ameVariables
            return
        }
        let launcher = DetectedLauncher.all(in: facts).first { !isChild($0) }
        self.launcher = launcher
        guard let launcher else {
            warning = Self.forgottenLauncher(facts)
            if wanted == .ame, !isJoinable {
                throw UsageError(
                    "the backend ame was asked for, but no launcher started this process: start with ameexec or -np")
            }
            // With ameexec's variables set, this point is reached only where MPI was asked for.
            if let size = facts.number(AMEVariable.size), size > 1, facts.variable(AMEVariable.rank) != nil {
                throw UsageError(
                    "the backend mpi was asked for, but MPI cannot connect the \(size) processes that ameexec started: "
                        + "start them with mpiexec, or leave --backend mpi out")
            }
            return
        }
        // A single process needs no backend, and MPI would take a quarter of a second to start.
        if launcher.size == 1 { return }
        choice = try Self.choose(wanted ?? (isJoinable ? .ame : nil), launcher, facts)
    }

    private static func choose(
        _ wanted: Backend?, _ launcher: DetectedLauncher, _ facts: ProcessFacts
    ) throws(UsageError) -> Choice {
        var reasons: [String] = []
        if wanted != .ame {
            // Without a size from the launcher it cannot be checked whether the library sees all ranks.
            let family = launcher.family ?? (wanted == .mpi ? .openMPI : nil)
            if let family, launcher.size != nil {
                switch facts.mpi(family) {
                case .here: return .mpi(family)
                case .missing(let reason): reasons.append(reason)
                }
            }
        }
        let rendezvous = launcher.rendezvous(facts)
        switch rendezvous {
        case .success(let way) where wanted != .mpi: return .ame(way)
        case .failure(let obstacle) where wanted != .mpi: reasons.append(obstacle.message)
        case .success, .failure: break
        }
        let number = launcher.size.map { "\($0) processes" } ?? "processes"
        let takesAME = if case .success = rendezvous { true } else { false }
        let remedy =
            wanted == .mpi && takesAME
            ? "leave --backend mpi out, which takes AME instead" : "start them with ameexec"
        throw UsageError(
            "\(launcher.name) started \(number) that cannot see each other (\(reasons.joined(separator: "; "))), and each "
                + "would do the whole job: \(remedy), or let each work alone with --backend none")
    }

    /// Returns the launcher that started this process together with others, and how many processes it started; nil
    /// where none did.
    static func launchOfSeveral(
        _ facts: ProcessFacts, isChild: (DetectedLauncher) -> Bool
    ) -> (name: String, size: Int)? {
        var launch: (name: String, size: Int?)?
        if facts.variable(AMEVariable.rank) != nil, facts.variable(AMEVariable.key) != nil {
            // A program that a rank starts does not get the key.
            launch = ("ameexec", facts.number(AMEVariable.size))
        } else {
            launch = DetectedLauncher.all(in: facts).first { !isChild($0) }.map { ($0.name, $0.size) }
        }
        guard let launch, let size = launch.size, size > 1 else { return nil }
        return (launch.name, size)
    }

    /// Returns a warning where an allocation has several tasks and this process is none of them: the user may have
    /// forgotten srun.
    private static func forgottenLauncher(_ facts: ProcessFacts) -> String? {
        guard let job = facts.variable("SLURM_JOB_ID"), DetectedLauncher.slurmStep(facts) == nil,
            let tasks = facts.number("SLURM_NTASKS"), tasks > 1
        else { return nil }
        return "the Slurm job \(job) has \(tasks) tasks, but this process was started without srun and works alone: "
            + "start all with srun dlp-lua ..., or say --backend none"
    }
}
