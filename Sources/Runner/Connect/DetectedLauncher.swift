import AME
import MPIBackend

/// A launcher whose variables were found in this process's environment.
struct DetectedLauncher {
    /// The way in which its processes meet where there is no MPI.
    enum Way: String, CaseIterable {
        case pmi1 = "PMI-1"
        case pmix = "PMIx"
        case sharedFile = "a shared file"
    }

    /// Its name, as users know it.
    var name: String
    /// The way to meet that it offers, whether it can be used here or not.
    var way: Way
    /// This process's rank; nil where only the launcher itself can tell it on request.
    var rank: Int?
    /// The number of processes that it started; nil where only the launcher itself can tell it on request.
    var size: Int?
    /// A text that identifies this start of this rank, where there is one.
    ///
    /// Programs that a rank starts inherit the launcher's variables but are not ranks; the identity tells them apart.
    var identity: String?
    /// The MPI libraries whose programs it can start.
    var family: MPIFamily?
    /// Whether it ends the other processes when one is killed.
    var endsOthers = true
    /// This process's place on its host.
    var place: HostPlace?
    /// How its processes meet without MPI.
    var meeting: Meeting

    /// How processes meet, as far as the launcher's variables tell.
    enum Meeting {
        /// In a way that can be used here.
        case open(Rendezvous)
        /// By PMIx where a PMIx library is found, otherwise in another way.
        case pmix(otherwise: Rendezvous?)
        /// They cannot meet, for this reason.
        case closed(String)
    }

    /// Returns the way to meet, or the reason why there is none.
    ///
    /// Opens the PMIx library where the launcher speaks PMIx. An MPI library may bring a PMIx library of its own,
    /// which would conflict with a second one. So callers first look for the MPI library and only then call this.
    func rendezvous(_ facts: ProcessFacts) -> Result<Rendezvous, UsageError> {
        switch meeting {
        case .open(let rendezvous): return .success(rendezvous)
        case .closed(let reason): return .failure(UsageError(reason))
        case .pmix(let other):
            guard case .missing(let reason) = facts.pmix() else { return .success(.pmix) }
            return other.map { .success($0) } ?? .failure(UsageError(reason))
        }
    }
}

extension Rendezvous {
    /// The way in which its processes meet.
    var way: DetectedLauncher.Way {
        switch self {
        case .pmi1, .pmi1Port: .pmi1
        case .pmix: .pmix
        case .sharedFile: .sharedFile
        }
    }
}

extension DetectedLauncher {
    /// Returns every launcher that can be detected, in the order of precedence.
    ///
    /// srun comes last. Inside an allocation, Open MPI and Hydra start their daemons with srun, and their ranks then
    /// inherit the daemons' `SLURM_PROCID` and `SLURM_NTASKS`.
    static func all(in facts: ProcessFacts) -> [DetectedLauncher] {
        [openMPI(facts), hydra(facts), pmix(facts), srun(facts)].compactMap { $0 }
    }

    private static func openMPI(_ facts: ProcessFacts) -> DetectedLauncher? {
        guard let rank = facts.number("OMPI_COMM_WORLD_RANK"), let size = facts.number("OMPI_COMM_WORLD_SIZE") else {
            return nil
        }
        let space = facts.variable("PMIX_NAMESPACE")
        return DetectedLauncher(
            name: "Open MPI's mpiexec", way: .pmix, rank: rank, size: size,
            identity: space.map { "pmix \($0) \(rank)" }, family: .openMPI,
            place: HostPlace(facts, rank: "OMPI_COMM_WORLD_LOCAL_RANK", size: "OMPI_COMM_WORLD_LOCAL_SIZE"),
            meeting: space == nil ? .closed("PMIX_NAMESPACE is not set") : .pmix(otherwise: nil))
    }

    /// Hydra, which is MPICH's mpiexec, and similar launchers: all that speak PMI-1, except srun.
    private static func hydra(_ facts: ProcessFacts) -> DetectedLauncher? {
        let descriptor = facts.number("PMI_FD")
        let port = facts.variable("PMI_PORT")
        let (rank, size) = (facts.number("PMI_RANK"), facts.number("PMI_SIZE"))
        guard descriptor != nil || port != nil || size != nil else { return nil }
        guard slurmStep(facts) == nil || facts.variable("PMI_JOBID") != slurmStep(facts) else { return nil }
        var sighting = DetectedLauncher(
            name: "a PMI launcher (mpiexec.hydra)", way: .pmi1, rank: rank, size: size, family: .mpich,
            place: HostPlace(facts, rank: "MPI_LOCALRANKID", size: "MPI_LOCALNRANKS"),
            meeting: .closed("neither PMI_FD nor PMI_PORT with PMI_ID says where the launcher listens"))
        if let open = openDescriptor(facts) {
            if let rank, let size { sighting.meeting = .open(.pmi1(descriptor: open, rank: rank, size: size)) }
        } else if let port, let id = facts.variable("PMI_ID"), let colon = port.lastIndex(of: ":"),
            let number = UInt16(port[port.index(after: colon)...])
        {
            sighting.meeting = .open(.pmi1Port(host: String(port[..<colon]), port: number, id: id))
            sighting.rank = rank ?? Int(id)
        } else if descriptor != nil {
            sighting.meeting = .closed(
                "a program between the launcher and this one has closed the descriptor of PMI_FD")
        }
        return sighting
    }

    /// A launcher that speaks only PMIx.
    private static func pmix(_ facts: ProcessFacts) -> DetectedLauncher? {
        guard let space = facts.variable("PMIX_NAMESPACE"), let rank = facts.number("PMIX_RANK"),
            facts.number("OMPI_COMM_WORLD_SIZE") == nil, slurmStep(facts).map({ space != "slurm.pmix.\($0)" }) ?? true
        else { return nil }
        return DetectedLauncher(
            name: "a PMIx launcher", way: .pmix, rank: rank, identity: "pmix \(space) \(rank)", family: .openMPI,
            meeting: .pmix(otherwise: nil))
    }

    /// srun, whatever its option `--mpi` says.
    ///
    /// Only a task of a step counts. A batch script also has a task's variables.
    private static func srun(_ facts: ProcessFacts) -> DetectedLauncher? {
        guard let step = slurmStep(facts), let rank = facts.number("SLURM_PROCID"),
            let size = facts.number("SLURM_STEP_NUM_TASKS") ?? facts.number("SLURM_NTASKS")
        else { return nil }
        let cluster = facts.variable("SLURM_CLUSTER_NAME").map { "\($0)." } ?? ""
        // The shared file is the only way that needs neither a library nor an inherited descriptor.
        let file = Rendezvous.sharedFile(
            rank: rank, size: size, job: "\(cluster)\(step)", isOneHost: facts.number("SLURM_STEP_NUM_NODES") == 1)
        var sighting = DetectedLauncher(
            name: "srun", way: .sharedFile, rank: rank, size: size, identity: "slurm \(step) \(rank)",
            endsOthers: false, place: HostPlace.inSlurm(facts), meeting: .open(file))
        if facts.variable("PMI_JOBID") == step, let open = openDescriptor(facts) {
            sighting.name = "srun --mpi=pmi2"
            sighting.family = .mpich
            sighting.way = .pmi1
            sighting.meeting = .open(.pmi1(descriptor: open, rank: rank, size: size))
        } else if facts.variable("PMIX_NAMESPACE") == "slurm.pmix.\(step)" {
            sighting.name = "srun --mpi=pmix"
            sighting.family = .openMPI
            sighting.way = .pmix
            sighting.meeting = .pmix(otherwise: file)
        }
        return sighting
    }

    /// Returns `JOB.STEP` of the Slurm step of which this process is a task; nil for batch scripts and interactive
    /// shells.
    static func slurmStep(_ facts: ProcessFacts) -> String? {
        // The highest numbers stand for no real step: for a batch script or the shell of salloc.
        guard let job = facts.variable("SLURM_JOB_ID"), let step = facts.number("SLURM_STEP_ID"), step < 0xFFFF_FFF0
        else { return nil }
        return "\(job).\(step)"
    }

    /// Returns the descriptor on which the launcher speaks PMI-1, where it is still open.
    private static func openDescriptor(_ facts: ProcessFacts) -> Int32? {
        guard let descriptor = facts.number("PMI_FD").flatMap({ Int32(exactly: $0) }), facts.isSocket(descriptor) else {
            return nil
        }
        return descriptor
    }
}
