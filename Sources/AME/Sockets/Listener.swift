import CSystem
import DLP
import Glibc

/// A socket that takes connections, closed with its last reference.
final class Listener {
    private static let backlog: Int32 = 4096

    let descriptor: Int32
    private var isOwned = true
    /// Where it listens, for people.
    let address: String

    /// Takes over a socket that listens and does not block.
    init(adopting descriptor: Int32, address: String) {
        self.descriptor = descriptor
        self.address = address
    }

    deinit { if isOwned { close(descriptor) } }

    /// Gives the descriptor away: it stays open when this object goes.
    func release() -> Int32 {
        isOwned = false
        return descriptor
    }

    /// The TCP port; 0 for a local socket.
    var port: UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            let code = bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
            // IPv4 and IPv6 both have it behind the family.
            guard code == 0, dlp_is_local(descriptor) == 0 else { return 0 }
            return UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        }
    }

    /// Listens where `environment` says: on the sockets in it, or else on new ones.
    ///
    /// - Throws: `CommunicationError` where the system does not let it listen.
    static func open(_ environment: AMEEnvironment) throws(CommunicationError) -> [Listener] {
        var listeners: [Listener] = []
        for descriptor in environment.listeners {
            let flags = fcntl(descriptor, F_GETFL)
            guard dlp_is_listening(descriptor) == 1, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
                throw CommunicationError(
                    "\(AMEVariable.listener) names descriptor \(descriptor), which is not a listening socket: "
                        + "start the ranks with ameexec, or unset it")
            }
            listeners.append(Listener(adopting: descriptor, address: environment.address))
        }
        for endpoint in listeners.isEmpty ? environment.endpoints : [] { listeners.append(try listen(at: endpoint)) }
        return listeners
    }

    /// Listens at `endpoint`; with port 0 the system chooses one.
    ///
    /// - Throws: `CommunicationError` where the system does not let it listen.
    static func listen(at endpoint: AMEEnvironment.Endpoint) throws(CommunicationError) -> Listener {
        switch endpoint {
        case .local(let name):
            let descriptor = Array(name.utf8).withUnsafeBytes { dlp_local_listen($0.baseAddress, $0.count, backlog) }
            guard descriptor >= 0 else { throw failure(descriptor, endpoint) }
            return Listener(adopting: descriptor, address: "\(endpoint)")
        case .tcp(let host, let port):
            return try listen(host: host, port: port)
        }
    }

    /// Listens on every address of this host; with port 0 the system chooses one.
    ///
    /// - Throws: `CommunicationError` where the system does not let it listen.
    static func listenEverywhere(port: UInt16) throws(CommunicationError) -> Listener {
        var code = -EADDRNOTAVAIL
        for address in try InternetAddress.wildcards(port: port) {
            code = listen(on: address)
            if code >= 0 { return Listener(adopting: code, address: "every address") }
        }
        throw CommunicationError(
            port == 0
                ? "rank 0 cannot listen on any address: \(systemMessage(code)); see whether TCP is there"
                : "rank 0 cannot listen on port \(port): \(systemMessage(code)); give the job another one")
    }

    private static func listen(host: String, port: UInt16) throws(CommunicationError) -> Listener {
        let endpoint = AMEEnvironment.Endpoint.tcp(host: host, port: port)
        let named = try InternetAddress.resolve(host: host, port: port)
        // Many systems give their own name a loopback address, where other hosts would not reach us.
        let isHidden = named.allSatisfy(\.isLoopback) && !InternetAddress.isLoopbackName(host)
        var code = -EADDRNOTAVAIL
        for address in isHidden ? [] : named where code == -EADDRNOTAVAIL {
            code = listen(on: address)
            if code >= 0 { return Listener(adopting: code, address: "\(endpoint)") }
        }
        for address in code == -EADDRNOTAVAIL ? try InternetAddress.wildcards(port: port) : [] {
            code = listen(on: address)
            if code >= 0 {
                let reason = "as \(host) is not an address of this machine that others can use"
                return Listener(adopting: code, address: "port \(port) of every address, \(reason)")
            }
        }
        throw failure(code, endpoint)
    }

    private static func listen(on address: InternetAddress) -> Int32 {
        let descriptor = address.makeSocket()
        guard descriptor >= 0 else { return descriptor }
        address.prepareToListen(descriptor)
        if address.withSockaddr({ bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, backlog) == 0 {
            return descriptor
        }
        let code = -errno
        close(descriptor)
        return code
    }

    private static func failure(_ code: Int32, _ endpoint: AMEEnvironment.Endpoint) -> CommunicationError {
        CommunicationError(
            "rank 0 cannot listen on \(endpoint): \(systemMessage(code)); give the job another address")
    }

    /// Takes the next connection that waits.
    func accept() -> Accepted {
        while true {
            let descriptor = dlp_accept(self.descriptor)
            switch -descriptor {
            case ..<1: return .socket(Socket(adopting: descriptor))
            case EAGAIN: return .none
            // A connection that failed while it waited, which Linux reports here.
            case EINTR, ECONNABORTED, EPERM, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH:
                continue
            // Usually there are no more descriptors; the connection stays in the backlog.
            default: return .failed(systemMessage(descriptor))
            }
        }
    }

    /// What `accept` found.
    enum Accepted {
        case socket(Socket)
        case none
        case failed(String)
    }
}
