extension AMEEnvironment {
    /// Which connections between ranks are encrypted.
    public enum Encryption: Sendable {
        /// None.
        case off
        /// Those that leave a host.
        case betweenHosts
        /// All.
        case everywhere

        /// Whether it asks for encryption over this socket.
        func isWanted(over socket: Socket) -> Bool {
            switch self {
            case .off: false
            case .betweenHosts: !socket.isOnThisHost
            case .everywhere: true
            }
        }

        /// Whether it allows encryption over this socket, should the other end want it.
        ///
        /// An exchange of keys takes a tenth of a millisecond, which the ranks of one host need not pay.
        func isPossible(over socket: Socket) -> Bool {
            switch self {
            case .off: false
            case .betweenHosts: !socket.isLocal
            case .everywhere: true
            }
        }
    }
}
