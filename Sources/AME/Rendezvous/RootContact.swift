import DLP

/// What rank 0 lets the other ranks know before they are connected: who it is and where it listens.
///
/// As text it is one word without blanks, equals signs and semicolons, which launchers' protocols give a meaning:
///
///     dlp1,KEY,HOST,SOCKET,PORT[,ADDRESS...]
///
/// KEY is base64 without its padding, HOST a `HostIdentity`, SOCKET the name of an abstract Unix-domain socket, PORT a
/// TCP port, 0 where there is none, and each ADDRESS a name or an address of rank 0's host. Launchers pass on values of
/// some 1,000 bytes, and lines that are a little longer; a contact has at most `longest`. Where rank 0 cannot be reached at
/// all it is `dlp1!,REASON`, in base64.
struct RootContact {
    /// How many bytes a contact has at most.
    static let longest = 800
    /// The most bytes of a reason.
    private static let longestReason = 480

    private static let version = "dlp1"
    private static let failureVersion = "dlp1!"
    /// What 64 bytes in base64 end with.
    private static let padding = "=="

    let key: JobKey
    /// The `HostIdentity` of rank 0.
    let host: String
    let socketName: String
    /// The port on which rank 0 takes TCP connections; 0: there is none.
    let port: UInt16
    let addresses: [String]
    /// Why rank 0 cannot be reached, with the remedy; nil where it can.
    let failure: String?

    /// A contact; addresses for which it has no room are left out, the last ones first.
    init(key: JobKey, host: String, socketName: String, port: UInt16, addresses: [String]) {
        self.key = key
        self.host = host
        self.socketName = socketName
        self.port = port
        let opening = Self.text(key: key, host: host, socketName: socketName, port: port, addresses: [])
        var room = Self.longest - opening.utf8.count
        self.addresses = Array(
            addresses.prefix { address in
                room -= address.utf8.count + 1
                return room >= 0
            })
        failure = nil
    }

    /// The contact of a rank 0 that cannot be reached, for this reason.
    init(failure reason: String) {
        key = JobKey()
        host = "-"
        socketName = "-"
        port = 0
        addresses = []
        // A character that is cut in two is shown as a replacement character.
        failure = String(decoding: reason.utf8.prefix(Self.longestReason), as: UTF8.self)
    }

    /// Reads a contact; nil where `text`, which may come from anywhere, is none.
    init?(text: some StringProtocol) {
        guard text.utf8.count <= Self.longest, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        let fields = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        if fields.count == 2, fields[0] == Self.failureVersion {
            guard let reason = Base64.decode(fields[1]), !reason.isEmpty else { return nil }
            self.init(failure: String(decoding: reason, as: UTF8.self))
            return
        }
        guard fields.count >= 5, fields.allSatisfy({ !$0.isEmpty }),
            fields[0] == Self.version, let key = JobKey(base64: fields[1] + Self.padding),
            fields[4].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(fields[4]),
            (port == 0) == (fields.count == 5)
        else { return nil }
        self.init(key: key, host: fields[2], socketName: fields[3], port: port, addresses: Array(fields[5...]))
    }

    /// The contact as it is passed on.
    var text: String {
        if let failure { return "\(Self.failureVersion),\(Base64.encode(Array(failure.utf8)))" }
        return Self.text(key: key, host: host, socketName: socketName, port: port, addresses: addresses)
    }

    private static func text(
        key: JobKey, host: String, socketName: String, port: UInt16, addresses: [String]
    ) -> String {
        let fields = [version, String(key.base64.dropLast(padding.count)), host, socketName, String(port)]
        return (fields + addresses).joined(separator: ",")
    }

    /// The endpoints at which a rank finds rank 0, in the order to try them; empty where there is no way there.
    ///
    /// - Parameters:
    ///   - identity: The `HostIdentity` of that rank.
    ///   - interfaces: The network interfaces that it has.
    func endpoints(
        from identity: String = HostIdentity.current, interfaces: [NetworkInterface] = NetworkInterface.all()
    ) -> [AMEEnvironment.Endpoint] {
        let isHere = identity == host
        let reachable = isHere ? addresses : Reach.order(addresses, seenFrom: interfaces)
        return (isHere ? [.local(name: socketName)] : []) + reachable.map { .tcp(host: $0, port: port) }
    }

    /// The error where `endpoints` is empty.
    static func unreachable(rank: Int) -> CommunicationError {
        CommunicationError(
            "rank \(rank) runs on another host than rank 0, which gave no address that reaches beyond its own: set "
                + "\(AMEVariable.reachableHost) to a name or address of rank 0's host, or "
                + "\(AMEVariable.reachableInterface) to its network interface")
    }
}
