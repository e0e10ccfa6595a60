extension AMEEnvironment {
    /// Where rank 0 listens.
    public enum Endpoint: Sendable, Equatable, CustomStringConvertible {
        /// The abstract Unix-domain socket of this name.
        case local(name: String)
        /// A TCP port of a host, as a name or a numeric address.
        case tcp(host: String, port: UInt16)

        /// The endpoint as people write it.
        public var description: String {
            switch self {
            case .local(let name): "the local socket \(name)"
            case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            }
        }
    }
}
