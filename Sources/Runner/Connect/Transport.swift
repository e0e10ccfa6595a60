import AME
import DLP
import Glibc
import MPIBackend

/// What connects the ranks of a job, and how it is opened.
enum Transport {
    case none
    case ame(AMEEnvironment)
    case mpi(MPILibrary)

    /// `ame`, `mpi` or `none`.
    var name: String {
        switch self {
        case .none: "none"
        case .ame: "ame"
        case .mpi: "mpi"
        }
    }

    /// The place that an AME launcher or a rendezvous gave.
    var environment: AMEEnvironment? {
        if case .ame(let environment) = self { environment } else { nil }
    }

    /// What it encrypts; nil where it cannot.
    var encryption: AMEEnvironment.Encryption? {
        switch self {
        // Nothing leaves this process.
        case .none: .everywhere
        case .ame(let environment): environment.size == 1 ? .everywhere : environment.encryption
        case .mpi: nil
        }
    }

    /// Whether a rank learns by it that another one has died.
    ///
    /// MPI waits for ever for such a rank, when it connects and later.
    var noticesLosses: Bool {
        switch self {
        case .none, .ame: true
        case .mpi: false
        }
    }

    /// One rank's end of a transport.
    struct Opened {
        var client: any RankClient
        /// Calls a closure when the root is gone, where the transport can watch for that.
        var watchHangup: ((@escaping @Sendable () -> Void) -> Void)?
    }

    /// Connects a rank with the others.
    ///
    /// - Parameters:
    ///   - observer: Called on the root.
    ///   - door: Where others may join, on the root.
    ///   - timeout: How long to wait for the others, in nanoseconds.
    /// - Throws: `CommunicationError` where the ranks do not find each other.
    func open(
        rank: Int, size: Int, observer: any JobObserver, door: JoinDoor?, within timeout: UInt64
    ) throws(CommunicationError) -> Opened {
        switch self {
        case .none: return Opened(client: try RootClient(observer: observer) { LoneCommunicator() })
        case .ame(let environment) where rank == 0:
            let root = try RootClient(observer: observer) { () throws(CommunicationError) in
                try AMERoot(environment: environment, door: door, connectTimeout: timeout)
            }
            return Opened(client: root)
        case .ame(let environment):
            let worker = try AMEWorker(environment: environment, connectTimeout: timeout)
            return Opened(client: WorkerClient(worker)) { try? worker.watchHangup($0) }
        case .mpi(let library) where rank == 0:
            let root = try RootClient(observer: observer) { () throws(CommunicationError) in
                try MPICommunicator(library: library, expectedRank: rank, expectedSize: size)
            }
            return Opened(client: root)
        case .mpi(let library):
            let worker = try MPICommunicator(library: library, expectedRank: rank, expectedSize: size)
            return Opened(client: WorkerClient(worker))
        }
    }
}

extension Transport {
    /// Finds what connects this process with the other ranks, and its place among them.
    ///
    /// To do so, the ranks that a foreign launcher started meet each other.
    ///
    /// - Parameters:
    ///   - timeout: How long to wait for the other ranks, in nanoseconds.
    ///   - encryption: Which messages between ranks are encrypted on sockets.
    ///   - isJoinable: Whether other processes may join, which takes AME.
    /// - Throws: `CommunicationError` where the other ranks do not come, or where the launcher's information is
    ///   contradictory.
    static func find(
        by detection: Detection, within timeout: UInt64, encryption: AMEEnvironment.Encryption, isJoinable: Bool
    ) throws(CommunicationError) -> (transport: Transport, rank: Int, size: Int) {
        switch detection.choice {
        case .alone where isJoinable:
            var environment = AMEEnvironment(rank: 0, size: 1, endpoints: [], key: JobKey())
            environment.encryption = encryption
            return (.ame(environment), 0, 1)
        case .alone: return (.none, 0, 1)
        case .ameVariables:
            guard var environment = try AMEEnvironment() else { preconditionFailure("AME_RANK was there before") }
            // A program that the script starts is not a rank of this job and must not see the job's key.
            AMEEnvironment.removeFromEnvironment()
            environment.encryption = encryption
            return (.ame(environment), environment.rank, environment.size)
        case .ame(let rendezvous):
            let claimed = detection.launcher.flatMap { launcher in
                launcher.rank.flatMap { rank in launcher.size.map { (rank: rank, size: $0) } }
            }
            var environment = try rendezvous.meet(claimed: claimed, connectTimeout: timeout)
            if let warning = environment.warning { Diagnostics.write(warning) }
            environment.encryption = encryption
            return (.ame(environment), environment.rank, environment.size)
        case .mpi(let family):
            let library = try Self.library(for: family)
            guard let rank = detection.launcher?.rank, let size = detection.launcher?.size else {
                throw CommunicationError(
                    "the launcher does not say by its variables which rank this is; say --backend ame")
            }
            return (.mpi(library), rank, size)
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
