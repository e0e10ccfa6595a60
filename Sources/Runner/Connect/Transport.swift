import AME
import DLP
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
