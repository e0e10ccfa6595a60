import DLP
import Glibc

/// The key-value store of a launcher that speaks PMI-1: Hydra (MPICH, Intel MPI), and Slurm's plugin pmi2.
///
/// A process that has said `init` must say `finalize` before it ends, or Hydra kills the job. So the whole session
/// takes place at the beginning.
final class PMI1Client: MeetingPlace {
    /// The key under which rank 0's contact is stored.
    private static let contactKey = "dlp-root"
    /// The key under which launchers say which ranks run where.
    private static let mappingKey = "PMI_process_mapping"
    /// Slurm loses a longer line, and reports success.
    private static let longestRequest = 1000

    let rank: Int
    let size: Int
    let isOneHost: Bool

    private let connection: PMI1Connection
    private let limit: TimeLimit
    private let store: String
    private let longestValue: Int

    /// Begins a session over an inherited socket, which programs that this process starts do not inherit.
    ///
    /// - Throws: `CommunicationError` where the server does not answer as it should.
    convenience init(
        descriptor: Int32, rank: Int, size: Int, within limit: TimeLimit
    ) throws(CommunicationError) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        let connection = PMI1Connection(Socket(adopting: descriptor), within: limit)
        try self.init(connection, rank: rank, size: size, within: limit)
    }

    /// Begins a session over TCP; the server knows rank and size by `id`.
    ///
    /// - Throws: `CommunicationError` where the server cannot be reached, or does not answer as it should.
    convenience init(host: String, port: UInt16, id: String, within limit: TimeLimit) throws(CommunicationError) {
        let connection = PMI1Connection(try Self.connect(host: host, port: port, within: limit), within: limit)
        try connection.ask("initack pmiid=\(id)", for: "initack")
        var place: [String: Int] = [:]
        // Size, rank and the level of debugging, each in a line of its own.
        for _ in 0..<3 {
            let line = try connection.receive("set", after: "initack")
            for key in ["size", "rank"] { place[key] = line.number(key) ?? place[key] }
        }
        try self.init(connection, rank: place["rank"] ?? -1, size: place["size"] ?? -1, within: limit)
    }

    private init(
        _ connection: PMI1Connection, rank: Int, size: Int, within limit: TimeLimit
    ) throws(CommunicationError) {
        try checkPlace(rank: rank, size: size)
        self.rank = rank
        self.size = size
        self.connection = connection
        self.limit = limit
        try connection.ask("init pmi_version=1 pmi_subversion=1", for: "response_to_init")
        longestValue = try connection.ask("get_maxes", for: "maxes").number("vallen_max") ?? 0
        let store = try connection.ask("get_my_kvsname", for: "my_kvsname")["kvsname"] ?? ""
        self.store = store
        let mapping = "get kvsname=\(store) key=\(Self.mappingKey)"
        isOneHost = Self.isOneHost(mapping: try connection.ask(mapping, for: "get_result", mayRefuse: true)["value"])
    }

    /// Why `descriptor` leads to no server; nil where it may.
    static func obstacle(_ descriptor: Int32) -> String? {
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { return nil }
        return
            "PMI_FD names descriptor \(descriptor), which is not a socket: a program between the launcher and this one "
            + "closed it; start this one directly, or have that program keep its descriptors open"
    }

    func exchange(_ contact: RootContact?) throws(CommunicationError) -> RootContact {
        if let contact { try put(contact.text) }
        try connection.ask(
            "barrier_in", for: "barrier_out", silence: missingRanks(of: size, within: limit))
        let text = try connection.ask("get kvsname=\(store) key=\(Self.contactKey)", for: "get_result")["value"] ?? ""
        try connection.ask("finalize", for: "finalize_ack")
        connection.close()
        return try RootContact(left: text)
    }

    private func put(_ text: String) throws(CommunicationError) {
        let request = "put kvsname=\(store) key=\(Self.contactKey) value=\(text)"
        guard text.utf8.count <= longestValue, request.utf8.count < Self.longestRequest else {
            throw CommunicationError(
                "the launcher's PMI server takes values of \(longestValue) bytes, too few for the "
                    + "\(text.utf8.count) that say how rank 0 is reached: name one address by "
                    + "\(AMEVariable.reachableHost), or use another launcher")
        }
        try connection.ask(request, for: "put_result")
    }

    private static func connect(
        host: String, port: UInt16, within limit: TimeLimit
    ) throws(CommunicationError) -> Socket {
        var reason = "it has no address"
        for address in try InternetAddress.resolve(host: host, port: port) {
            switch address.connect(until: limit.deadline) {
            case .connected(let socket): return socket
            case .failed(let why): reason = why
            }
        }
        throw CommunicationError(
            "cannot reach the launcher's PMI server at \(host):\(port): \(reason); see whether the launcher still runs")
    }

    /// Whether the launcher's map of ranks, `(vector,(first node, nodes, ranks per node)...)`, knows a single node.
    private static func isOneHost(mapping: String?) -> Bool {
        guard let mapping, mapping.hasPrefix("(vector,(0,1,") else { return false }
        return mapping.count(where: { $0 == "(" }) == 2
    }
}
