import AME
import DLP
import Glibc
import MPIBackend

/// This process's place in the job, before it is connected with the other ranks.
struct Connection {
    /// What connects it with them.
    let transport: Transport
    let rank: Int
    let size: Int
    let detection: Detection
    /// This rank's place on its host, where somebody says.
    let place: HostPlace?
    /// On the root: where others may join, if they may.
    let door: JoinDoor?
    /// What could connect this process and what did, for people: as it was before the connection hid any of it.
    let methods: [Detection.Method]

    /// Finds this process's place, for which ranks that a foreign launcher started meet.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the others, in nanoseconds.
    ///   - encryption: What is encrypted of what ranks say to each other over sockets.
    ///   - joinable: Whether others may join later, on the root.
    ///   - isExplained: Whether `methods` is wanted: to look for every library takes time.
    /// - Throws: `CommunicationError` where they do not come, or what the launcher says makes no sense.
    init(
        _ detection: Detection, within timeout: UInt64, encryption: AMEEnvironment.Encryption, joinable: Joinable?,
        isExplained: Bool
    ) throws(CommunicationError) {
        self.detection = detection
        place = HostPlace.here(detection, .own)
        door = try joinable?.open()
        methods = isExplained ? detection.methods(.own) : []
        switch detection.choice {
        case .alone where door != nil:
            var environment = AMEEnvironment(rank: 0, size: 1, endpoints: [], key: JobKey())
            environment.encryption = encryption
            (transport, rank, size) = (.ame(environment), 0, 1)
        case .alone: (transport, rank, size) = (.none, 0, 1)
        case .ameVariables:
            guard var environment = try AMEEnvironment() else { preconditionFailure("AME_RANK was there before") }
            // A program that the script starts is no rank of this job, and the key is none of its business.
            AMEEnvironment.removeFromEnvironment()
            environment.encryption = encryption
            (transport, rank, size) = (.ame(environment), environment.rank, environment.size)
        case .ame(let rendezvous):
            let claimed = detection.launcher.flatMap { launcher in
                launcher.rank.flatMap { rank in launcher.size.map { (rank: rank, size: $0) } }
            }
            var environment = try rendezvous.meet(claimed: claimed, connectTimeout: timeout)
            if let warning = environment.warning { Diagnostics.write(warning) }
            environment.encryption = encryption
            (transport, rank, size) = (.ame(environment), environment.rank, environment.size)
        case .mpi(let family):
            let library = try Self.library(for: family)
            guard let rank = detection.launcher?.rank, let size = detection.launcher?.size else {
                throw CommunicationError(
                    "the launcher does not say by its variables which rank this is; say --backend ame")
            }
            (transport, self.rank, self.size) = (.mpi(library), rank, size)
        }
    }

    /// The MPI library for the launchers of a family: the one that `DLP_MPI_LIBRARY` names, or what lies beside this
    /// program or is inside it.
    static func library(for family: MPIFamily) throws(CommunicationError) -> MPILibrary {
        let library = try MPILibrary.open(family: family, named: getenv("DLP_MPI_LIBRARY").map { String(cString: $0) })
        guard library.family == family || library.family == .other else {
            throw CommunicationError("\(library.file) is for \(library.family.name), but the launcher is not")
        }
        return library
    }
}
