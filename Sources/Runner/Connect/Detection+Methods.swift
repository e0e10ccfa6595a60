import AME
import MPIBackend

extension Detection {
    /// One way to connect, as `--info` shows it.
    struct Method {
        var name: String
        var availability: Availability
        var isChosen: Bool
    }

    /// Returns every way to connect in the order of precedence, for `--info`: which one was chosen, which others were
    /// possible, and why the rest were not.
    func methods(_ facts: ProcessFacts) -> [Method] {
        let seen = DetectedLauncher.all(in: facts)
        let isLaunchedByAME = facts.variable(AMEVariable.rank) != nil
        let variables: Availability =
            isLaunchedByAME ? .here("set by ameexec") : .missing("\(AMEVariable.rank) is not set")
        let families: [(MPIFamily, String)] = [(.openMPI, "MPI: Open MPI"), (.mpich, "MPI: MPICH")]
        return [Method(name: "AME by variables", availability: variables, isChosen: isChosen(.ameVariables))]
            + families.map { family, name in
                Method(name: name, availability: facts.mpi(family), isChosen: isChosen(.mpi(family)))
            }
            + DetectedLauncher.Way.allCases.map { way in
                Method(
                    name: "AME by \(way.rawValue)", availability: Self.availability(of: way, seen, facts),
                    isChosen: isChosen(way))
            }
            + [Method(name: "none", availability: .here("one process alone"), isChosen: isChosen(.alone))]
    }

    private static func availability(
        of way: DetectedLauncher.Way, _ seen: [DetectedLauncher], _ facts: ProcessFacts
    ) -> Availability {
        var reason: String?
        for launcher in seen {
            switch launcher.rendezvous(facts) {
            case .success(let open) where open.way == way: return .here("offered by \(launcher.name)")
            case .failure(let obstacle) where launcher.way == way:
                reason = reason ?? "\(launcher.name): \(obstacle.message)"
            case .success, .failure: break
            }
        }
        if let reason { return .missing(reason) }
        switch way {
        case .pmi1: return .missing("neither PMI_FD nor PMI_PORT is set")
        case .sharedFile: return .missing("SLURM_STEP_ID is not set")
        case .pmix:
            let absence = "PMIX_NAMESPACE is not set"
            guard case .missing(let reason) = facts.pmix() else { return .missing(absence) }
            return .missing("\(absence); \(reason)")
        }
    }

    private func isChosen(_ way: DetectedLauncher.Way) -> Bool {
        if case .ame(let rendezvous) = choice { rendezvous.way == way } else { false }
    }

    private func isChosen(_ other: Choice) -> Bool {
        switch (choice, other) {
        case (.alone, .alone), (.ameVariables, .ameVariables): true
        case (.mpi(let mine), .mpi(let family)): mine == family
        default: false
        }
    }
}
