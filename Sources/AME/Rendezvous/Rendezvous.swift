public import DLP

/// A way for ranks that some launcher started to find each other.
///
/// `meet` gives each rank its `AMEEnvironment`; from then on everything is as under `ameexec`.
public enum Rendezvous: Sendable, Equatable {
    /// A PMI-1 server behind an inherited socket (`PMI_FD`): Hydra, and Slurm's `--mpi=pmi2`.
    ///
    /// Rank and size are `PMI_RANK` and `PMI_SIZE`, since the protocol does not tell them.
    case pmi1(descriptor: Int32, rank: Int, size: Int)
    /// A PMI-1 server behind a TCP port (`PMI_PORT`), to which a rank names its `PMI_ID`: Hydra with `-pmi-port`.
    case pmi1Port(host: String, port: UInt16, id: String)
    /// A PMIx server (`PMIX_NAMESPACE`): Open MPI's mpiexec, and Slurm's `--mpi=pmix`.
    case pmix
    /// A file in a directory that all hosts see, where the launcher offers nothing: Slurm's `--mpi=none`.
    ///
    /// The directory is `DLP_RENDEZVOUS_DIR`, or `.dlp-lua` in the home directory. `job` must differ between jobs that
    /// run at the same time: in Slurm cluster, job and step. `isOneHost` says that the launcher started all ranks on one
    /// host.
    case sharedFile(rank: Int, size: Int, job: String, isOneHost: Bool)

    /// Why this way cannot be used, as far as can be seen without trying it; nil where it may work.
    ///
    /// Takes about a millisecond where it opens libpmix, and less otherwise.
    public var obstacle: String? {
        switch self {
        case .pmi1(let descriptor, _, _): PMI1Client.obstacle(descriptor)
        case .pmi1Port: nil
        case .pmix: PMIxClient.obstacle()
        case .sharedFile: FileMeeting.obstacle()
        }
    }

    /// Exchanges what the ranks must know about each other.
    ///
    /// Rank 0 listens from then on; the descriptors in `AMEEnvironment.listeners` belong to the `AMERoot` that is made
    /// from it. The launcher's service has been left when this returns, and cannot be used again by this process.
    ///
    /// - Parameters:
    ///   - claimed: The rank and size that the launcher's variables name, to be compared.
    ///   - address: By which address other hosts reach rank 0.
    ///   - connectTimeout: How long to wait for the other ranks, in nanoseconds.
    /// - Throws: `CommunicationError` where that fails, or ranks are missing after that time.
    public func meet(
        claimed: (rank: Int, size: Int)? = nil, address: RootAddress = RootAddress(), connectTimeout: UInt64
    ) throws(CommunicationError) -> AMEEnvironment {
        if let obstacle { throw CommunicationError(obstacle) }
        var place = try open(within: TimeLimit(connectTimeout))
        if let claimed, claimed != (place.rank, place.size) {
            throw CommunicationError(
                "the launcher's variables say rank \(claimed.rank) of \(claimed.size), the launcher itself rank "
                    + "\(place.rank) of \(place.size): start the program by one launcher only")
        }
        return try Self.meet(at: &place, address: address)
    }

    /// Like the other `meet`, for ranks that can already communicate: `share` gives rank 0's text to all ranks; the
    /// other ranks pass nil.
    ///
    /// - Throws: `CommunicationError`, on every rank, where rank 0 cannot listen; what `share` throws; or
    ///   `CommunicationError` where `share` returns something else than rank 0's text.
    public static func meet(
        rank: Int, size: Int, address: RootAddress = RootAddress(),
        share: @escaping (String?) throws(CommunicationError) -> String
    ) throws(CommunicationError) -> AMEEnvironment {
        var place: any MeetingPlace = ExchangeMeeting(rank: rank, size: size, share: share)
        return try meet(at: &place, address: address)
    }

    /// Removes the file by which ranks meet, where this process has left one and it is still there.
    ///
    /// For a process that a signal ends.
    public static func removeFile() { EndingCleaner.removeNow() }

    /// Exchanges what the ranks must know, at a place where they meet.
    static func meet(
        at place: inout any MeetingPlace, address: RootAddress
    ) throws(CommunicationError) -> AMEEnvironment {
        var listening: RootListening?
        var failure: CommunicationError?
        if place.rank == 0 {
            do { listening = try RootListening.open(address, isOneHost: place.isOneHost) } catch { failure = error }
        }
        // The other ranks wait for rank 0's contact, even if it only says why rank 0 has failed.
        let contact = try place.exchange(listening?.contact ?? failure.map { RootContact(failure: $0.description) })
        if let failure { throw failure }
        if let reason = contact.failure { throw CommunicationError("rank 0 cannot be reached: \(reason)") }
        let endpoints = contact.endpoints()
        guard !endpoints.isEmpty else { throw RootContact.unreachable(rank: place.rank) }
        var environment = AMEEnvironment(rank: place.rank, size: place.size, endpoints: endpoints, key: contact.key)
        environment.contactFile = place.contactFile
        if let unnamed = listening?.unnamed, unnamed > 0 {
            environment.warning =
                "rank 0 has \(contact.addresses.count + unnamed) addresses, too many to tell the other ranks of the last "
                + "\(unnamed): name the right one by \(AMEVariable.reachableHost) or \(AMEVariable.reachableInterface)"
        }
        // A job of one rank does not listen.
        if let listening, place.size > 1 { environment.listeners = listening.listeners.map { $0.release() } }
        return environment
    }

    private func open(within limit: TimeLimit) throws(CommunicationError) -> any MeetingPlace {
        switch self {
        case .pmi1(let descriptor, let rank, let size):
            try PMI1Client(descriptor: descriptor, rank: rank, size: size, within: limit)
        case .pmi1Port(let host, let port, let id):
            try PMI1Client(host: host, port: port, id: id, within: limit)
        case .pmix:
            try PMIxClient(within: limit)
        case .sharedFile(let rank, let size, let job, let isOneHost):
            try FileMeeting(
                rank: rank, size: size, isOneHost: isOneHost,
                // There is a directory: otherwise `obstacle`, which has been checked, would not be nil.
                file: RootContactFile(job: job, in: RootContactFile.directory() ?? ""), within: limit)
        }
    }
}
