import AME
import MPIBackend
import Testing

@testable import Runner

/// The variables that each launcher leaves in the environment, and what is detected from them.
@Suite("Detection")
struct DetectionTests {
    /// A launcher's variables, as far as they are relevant.
    struct Launch: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var variables: [String: String]
        var sockets: Set<Int32> = []

        static let ameexec = Launch(
            testDescription: "ameexec", variables: ["AME_RANK": "1", "AME_SIZE": "4"])
        static let openMPI = Launch(
            testDescription: "Open MPI's mpiexec",
            variables: [
                "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4", "PMIX_NAMESPACE": "1647312897",
                "PMIX_RANK": "3",
            ])
        static let hydra = Launch(
            testDescription: "Hydra", variables: ["PMI_FD": "6", "PMI_RANK": "2", "PMI_SIZE": "4"], sockets: [6])
        static let hydraPort = Launch(
            testDescription: "Hydra, by port", variables: ["PMI_PORT": "node1:40001", "PMI_ID": "2"])
        static let slurm = Launch(
            testDescription: "srun",
            variables: [
                "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8",
                "SLURM_NTASKS": "8",
            ])
        static let slurmPMI2 =
            slurm
            + Launch(
                testDescription: " --mpi=pmi2",
                variables: ["PMI_FD": "11", "PMI_RANK": "5", "PMI_SIZE": "8", "PMI_JOBID": "7.0"], sockets: [11])
        static let slurmPMIx =
            slurm
            + Launch(
                testDescription: " --mpi=pmix", variables: ["PMIX_NAMESPACE": "slurm.pmix.7.0", "PMIX_RANK": "5"])
        /// The variables of another launcher's daemons, which srun started on each node, as inherited by its ranks.
        static let daemons = Launch(
            testDescription: " in an allocation",
            variables: [
                "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2",
                "SLURM_NTASKS": "2",
            ])

        static func + (one: Launch, other: Launch) -> Launch {
            Launch(
                testDescription: one.testDescription + other.testDescription,
                variables: one.variables.merging(other.variables) { $1 }, sockets: one.sockets.union(other.sockets))
        }
    }

    /// The libraries of a machine.
    enum Library { case openMPI, mpich, pmix }

    private func facts(_ launch: Launch, _ libraries: Set<Library>) -> ProcessFacts {
        ProcessFacts(
            variable: { launch.variables[$0] }, isSocket: { launch.sockets.contains($0) },
            mpi: { family in
                libraries.contains(family == .openMPI ? .openMPI : .mpich) ? .here("MPI") : .missing("no MPI here")
            },
            pmix: { libraries.contains(.pmix) ? .here("PMIx") : .missing("no libpmix here") })
    }

    private func detect(
        _ launch: Launch, _ libraries: Set<Library> = [.openMPI, .pmix], wanted: Backend? = nil
    ) throws(UsageError) -> String {
        let facts = facts(launch, libraries)
        let detection = try Detection(wanted: wanted, facts: facts)
        let methods = detection.methods(facts)
        #expect(methods.count { $0.isChosen } == 1)
        return methods.first { $0.isChosen }?.name ?? "nothing"
    }

    static let defaults: [(Launch, Set<Library>, String)] = [
        (Launch(testDescription: "nothing", variables: [:]), [.openMPI, .mpich, .pmix], "none"),
        (.ameexec, [.openMPI, .pmix], "AME by variables"),
        (.ameexec + .openMPI, [.openMPI, .pmix], "AME by variables"),
        (.openMPI, [.openMPI, .pmix], "MPI: Open MPI"), (.openMPI, [.mpich, .pmix], "AME by PMIx"),
        (.hydra, [.openMPI, .pmix], "AME by PMI-1"), (.hydra, [.openMPI, .mpich], "MPI: MPICH"),
        (.hydraPort, [.openMPI, .pmix], "AME by PMI-1"),
        (.slurm, [.openMPI, .mpich, .pmix], "AME by a shared file"),
        (.slurmPMI2, [.openMPI, .pmix], "AME by PMI-1"), (.slurmPMI2, [.openMPI, .mpich], "MPI: MPICH"),
        (.slurmPMIx, [.openMPI, .pmix], "MPI: Open MPI"), (.slurmPMIx, [.mpich, .pmix], "AME by PMIx"),
        // The daemons' variables say nothing about the ranks.
        (.daemons + .openMPI, [.openMPI], "MPI: Open MPI"), (.daemons + .hydra, [], "AME by PMI-1"),
    ]

    @Test("the launcher and the libraries decide the backend", arguments: defaults)
    func byDefault(_ launch: Launch, _ libraries: Set<Library>, _ method: String) throws {
        #expect(try detect(launch, libraries) == method)
    }

    @Test(
        "a backend that is asked for is taken where it is there",
        arguments: [
            (.openMPI, .ame, "AME by PMIx"), (.hydra, .ame, "AME by PMI-1"), (.slurmPMIx, .ame, "AME by PMIx"),
            (.slurm, .mpi, "MPI: Open MPI"), (.ameexec + .openMPI, .mpi, "MPI: Open MPI"),
            (.openMPI, Backend.none, "none"),
            (.ameexec, Backend.none, "none"),
        ] as [(Launch, Backend, String)])
    func wanted(_ launch: Launch, _ backend: Backend, _ method: String) throws {
        #expect(try detect(launch, wanted: backend) == method)
    }

    @Test(
        "one process needs nobody, whoever started it",
        arguments: [
            Launch(
                testDescription: "mpiexec -n 1", variables: ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"]),
            Launch(
                testDescription: "hydra -n 1", variables: ["PMI_FD": "6", "PMI_RANK": "0", "PMI_SIZE": "1"],
                sockets: [6]),
        ])
    func lonely(_ launch: Launch) throws {
        for wanted in [nil, .mpi, .ame] as [Backend?] { #expect(try detect(launch, wanted: wanted) == "none") }
    }

    @Test(
        "processes that cannot meet are refused, with the reason and a remedy",
        arguments: [
            (.openMPI, [], nil, "no libpmix here"), (.openMPI, [.pmix], .mpi, "no MPI here"),
            (.hydra, [.openMPI], .mpi, "no MPI here"),
            (
                Launch(testDescription: "stale", variables: ["PMI_FD": "6", "PMI_RANK": "1", "PMI_SIZE": "4"]),
                [.openMPI], nil, "closed"
            ),
            (
                Launch(testDescription: "PMI without a server", variables: ["PMI_RANK": "1", "PMI_SIZE": "4"]), [], nil,
                "PMI_PORT"
            ),
        ] as [(Launch, Set<Library>, Backend?, String)])
    func refused(_ launch: Launch, _ libraries: Set<Library>, _ wanted: Backend?, _ reason: String) throws {
        let error = #expect(throws: UsageError.self) { try detect(launch, libraries, wanted: wanted) }
        let message = try #require(error?.message)
        #expect(message.contains("started 4 processes that cannot see each other"), "\(message)")
        #expect(message.contains(reason) && message.contains("--backend"), "\(message)")
    }

    @Test("a closed PMI_FD of srun leaves the shared file")
    func stalePMIUnderSlurm() throws {
        var launch = Launch.slurmPMI2
        launch.sockets = []
        #expect(try detect(launch) == "AME by a shared file")
    }

    @Test("AME without a launcher is refused")
    func ameAlone() {
        let error = #expect(throws: UsageError.self) {
            try detect(Launch(testDescription: "nothing", variables: [:]), wanted: .ame)
        }
        #expect(error?.message.contains("ameexec") == true)
    }

    @Test("MPI for processes of ameexec is refused")
    func mpiUnderAmeexec() {
        let error = #expect(throws: UsageError.self) { try detect(.ameexec, wanted: .mpi) }
        #expect(error?.message.contains("mpiexec") == true)
    }

    @Test(
        "a batch script or a shell in an allocation is one process, which says that srun was forgotten",
        arguments: [["SLURM_PROCID": "0"], [:], ["SLURM_PROCID": "0", "SLURM_STEP_ID": "4294967291"]])
    func forgottenSrun(_ more: [String: String]) throws {
        let variables = ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_LOCALID": "0"].merging(more) { $1 }
        let launch = Launch(testDescription: "sbatch", variables: variables)
        let detection = try Detection(wanted: nil, facts: facts(launch, [.openMPI]))
        guard case .alone = detection.choice else {
            Issue.record("\(detection.choice)")
            return
        }
        #expect(detection.warning?.contains("srun") == true)
        #expect(try Detection(wanted: Backend.none, facts: facts(launch, [])).warning == nil)
    }

    @Test("a batch job of one task says nothing")
    func singleTask() throws {
        let launch = Launch(testDescription: "sbatch", variables: ["SLURM_JOB_ID": "7", "SLURM_NTASKS": "1"])
        #expect(try Detection(wanted: nil, facts: facts(launch, [])).warning == nil)
    }

    @Test("what a rank starts is no rank, under whatever launcher", arguments: [Launch.openMPI, .slurm, .slurmPMIx])
    func child(_ launch: Launch) throws {
        let facts = facts(launch, [.openMPI, .pmix])
        let own = Set(DetectedLauncher.all(in: facts).compactMap(\.identity))
        let detection = try Detection(wanted: nil, facts: facts) { $0.identity.map(own.contains) ?? false }
        #expect(detection.launcher == nil && detection.warning == nil)
        // A step that the rank starts is a different one.
        var nested = launch
        nested.variables.merge(["SLURM_STEP_ID": "1", "PMIX_NAMESPACE": "slurm.pmix.7.1"]) { $1 }
        let next = try Detection(wanted: nil, facts: self.facts(nested, [.openMPI, .pmix])) {
            $0.identity.map(own.contains) ?? false
        }
        #expect(next.launcher != nil)
    }

    @Test(
        "nonsense in a launcher's variables is not taken for a rank",
        arguments: ["", "x", "-1", "99999999999999999999"])
    func nonsense(_ value: String) throws {
        var launch = Launch.openMPI
        launch.variables["OMPI_COMM_WORLD_RANK"] = value
        launch.variables["PMIX_RANK"] = value
        #expect(try detect(launch) == "none")
    }
}
