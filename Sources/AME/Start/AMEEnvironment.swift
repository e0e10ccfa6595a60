public import DLP
import Glibc

/// What a launcher tells a rank about its place in an AME job.
public struct AMEEnvironment: Sendable {
    /// Where rank 0 listens.
    public enum Endpoint: Sendable, Equatable {
        /// The abstract Unix-domain socket of this name.
        case local(name: String)
        /// A TCP port of a host, as a name or a numeric address.
        case tcp(host: String, port: UInt16)
    }

    /// This process's rank, from 0.
    public var rank: Int
    /// The number of ranks.
    public var size: Int
    /// Where rank 0 listens.
    public var endpoint: Endpoint
    /// The job's key.
    public var key: JobKey
    /// Rank 0 only: a socket that listens at `endpoint` already.
    public var listener: Int32?
    /// Rank 0 only: the socket that carries `ControlMessage`s to and from the launcher.
    public var control: Int32?
    /// The width of the launcher's terminal, where its standard error is one.
    public var columns: Int?

    /// A rank's place, given rather than read.
    public init(
        rank: Int, size: Int, endpoint: Endpoint, key: JobKey, listener: Int32? = nil, control: Int32? = nil,
        columns: Int? = nil
    ) {
        self.rank = rank
        self.size = size
        self.endpoint = endpoint
        self.key = key
        self.listener = listener
        self.control = control
        self.columns = columns
    }

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
            endpoint = .local(name: name)
        } else {
            // [::1] is how URLs write an address that has colons of its own.
            var host = try variables.text(AMEVariable.host)
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            let port = try variables.integer(AMEVariable.port, in: 1...65535)
            endpoint = .tcp(host: host, port: UInt16(port))
        }
        guard let key = JobKey(base64: try variables.text(AMEVariable.key)) else {
            throw CommunicationError(
                "\(AMEVariable.key) is not base64 of \(JobKey.length) bytes: start the ranks with ameexec, "
                    + "or give all of them the output of 'head -c \(JobKey.length) /dev/urandom | base64 -w0'")
        }
        self.key = key
        if rank == 0 {
            listener = try variables.socket(AMEVariable.listener)
            control = try variables.socket(AMEVariable.control)
        }
        columns = value(AMEVariable.columns).flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }

    /// The value of a variable in the environment of this process.
    public static func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Removes every `AMEVariable` from the environment of this process.
    public static func removeFromEnvironment() {
        for name in AMEVariable.all { unsetenv(name) }
    }
}
