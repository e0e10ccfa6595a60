public import DLP
import Glibc

/// What a launcher tells a rank about its place in an AME job.
public struct AMEEnvironment: Sendable {
    /// This process's rank, from 0.
    public var rank: Int
    /// The number of ranks.
    public var size: Int
    /// Where rank 0 listens, in the order in which a worker tries the endpoints.
    public var endpoints: [Endpoint]
    /// The job's key.
    public var key: JobKey
    /// Rank 0 only: sockets that listen already; without them it listens at each of `endpoints`.
    ///
    /// They belong to the `AMERoot` that is made from this.
    public var listeners: [Int32]
    /// Rank 0 only: the socket that carries `ControlMessage`s to and from the launcher.
    public var control: Int32?
    /// The width of the launcher's terminal, where its standard error is one.
    public var columns: Int?

    /// A rank's place, given rather than read.
    public init(
        rank: Int, size: Int, endpoints: [Endpoint], key: JobKey, listeners: [Int32] = [], control: Int32? = nil,
        columns: Int? = nil
    ) {
        self.rank = rank
        self.size = size
        self.endpoints = endpoints
        self.key = key
        self.listeners = listeners
        self.control = control
        self.columns = columns
    }

    /// Which messages between ranks are encrypted.
    ///
    /// The user decides this, not the launcher, and must say the same on all ranks.
    public var encryption = Encryption.betweenHosts

    /// Rank 0 only: what its user should know of the meeting; nil where there is nothing.
    public internal(set) var warning: String?

    /// Where ranks met by a file: rank 0 removes it when all are there, a worker reads it again when it leads nowhere.
    var contactFile: RootContactFile?

    /// Reads the variables of `AMEVariable`; nil where `AME_RANK` is not set, so that no AME launcher started us.
    ///
    /// Descriptors that rank 0 inherited are marked close-on-exec.
    ///
    /// - Parameter value: looks a variable up, by default in the environment of this process.
    /// - Throws: `CommunicationError` where a variable is missing or makes no sense.
    public init?(reading value: @escaping (String) -> String? = Self.environmentVariable) throws(CommunicationError) {
        guard value(AMEVariable.rank) != nil else { return nil }
        let variables = VariableReader(value: value)
        size = try variables.integer(AMEVariable.size, in: 1...Int(Int32.max))
        rank = try variables.integer(AMEVariable.rank, in: 0...(size - 1))
        if let name = value(AMEVariable.socket) {
            endpoints = [.local(name: name)]
        } else if value(AMEVariable.addresses) != nil {
            let (port, addresses) = try variables.addresses(AMEVariable.addresses)
            endpoints = Reach.order(addresses, seenFrom: NetworkInterface.all()).map { .tcp(host: $0, port: port) }
            if endpoints.isEmpty { throw RootContact.unreachable(rank: rank) }
        } else {
            let host = Self.withoutBrackets(try variables.text(AMEVariable.host))
            let port = try variables.integer(AMEVariable.port, in: 1...65535)
            endpoints = [.tcp(host: host, port: UInt16(port))]
        }
        guard let key = JobKey(base64: try variables.text(AMEVariable.key)) else {
            throw CommunicationError(
                "\(AMEVariable.key) is not base64 of \(JobKey.length) bytes: start the ranks with ameexec, "
                    + "or give all of them the output of 'head -c \(JobKey.length) /dev/urandom | base64 -w0'")
        }
        self.key = key
        listeners = rank == 0 ? try variables.sockets(AMEVariable.listener) : []
        control = rank == 0 ? try variables.sockets(AMEVariable.control).first : nil
        columns = value(AMEVariable.columns).flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// Where rank 0 listens, as people write it.
    public var address: String { endpoints.map(\.description).joined(separator: ", ") }

    /// The value of a variable in the environment of this process.
    public static func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// A host as it is looked up: [::1] is how URLs write an address that has colons of its own.
    static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// Removes a variable from the environment of this process, with its value.
    ///
    /// The system keeps showing the memory that a process began with (/proc/PID/environ), even for variables that are
    /// unset.
    public static func removeSecret(_ name: String) {
        if let value = getenv(name) { memset(value, 0, strlen(value)) }
        unsetenv(name)
    }

    /// Removes every `AMEVariable` from the environment of this process.
    public static func removeFromEnvironment() {
        removeSecret(AMEVariable.key)
        for name in AMEVariable.all { unsetenv(name) }
    }
}
