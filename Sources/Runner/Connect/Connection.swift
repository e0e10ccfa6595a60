import AME
import DLP
import Glibc
import MPIBackend

/// This process's place in the job, before it is connected with the other ranks.
struct Connection {
    /// The transport that connects it with the other ranks.
    let transport: Transport
    let rank: Int
    let size: Int
    let detection: Detection
    /// This rank's place on its host, where the launcher says it.
    let place: HostPlace?
    /// On the root: where other processes may join the job, if that is allowed.
    let door: JoinDoor?
    /// The ways to connect this process and which one was chosen, for `--info`: as found before connecting, which
    /// hides some of them.
    let methods: [Detection.Method]

    /// Finds this process's place in the job.
    ///
    /// To do so, the ranks that a foreign launcher started meet each other.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the other ranks, in nanoseconds.
    ///   - encryption: Which messages between ranks are encrypted on sockets.
    ///   - joinable: On the root: whether other processes may join later.
    ///   - isExplained: Whether `methods` is needed. Finding them takes time, because every library must be looked for.
    /// - Throws: `CommunicationError` where the other ranks do not come, or where the launcher's information is
    ///   contradictory.
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
            // A program that the script starts is not a rank of this job and must not see the job's key.
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

    /// Returns the MPI library for a family of launchers: the one that `DLP_MPI_LIBRARY` names, or else the one
    /// beside or inside this program.
    static func library(for family: MPIFamily) throws(CommunicationError) -> MPILibrary {
        let library = try MPILibrary.open(family: family, named: getenv("DLP_MPI_LIBRARY").map { String(cString: $0) })
        guard library.family == family || library.family == .other else {
            throw CommunicationError("\(library.file) is for \(library.family.name), but the launcher is not")
        }
        return library
    }
}
