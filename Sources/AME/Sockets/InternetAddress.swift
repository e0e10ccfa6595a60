import DLP
import Glibc

/// An IPv4 or IPv6 address with a port.
struct InternetAddress {
    private let family: Int32
    private let bytes: [UInt8]

    /// The addresses of `host`.
    ///
    /// - Throws: `CommunicationError` where it has none.
    static func resolve(host: String, port: UInt16) throws(CommunicationError) -> [InternetAddress] {
        try lookUp(host: host, port: port, flags: AI_NUMERICSERV)
    }

    /// Every address of this machine: those of IPv6, which take IPv4 as well, and then those of IPv4 for machines
    /// without IPv6.
    static func wildcards(port: UInt16) throws(CommunicationError) -> [InternetAddress] {
        try lookUp(host: nil, port: port, flags: AI_NUMERICSERV | AI_PASSIVE)
            .sorted { $0.family == AF_INET6 && $1.family != AF_INET6 }
    }

    private static func lookUp(host: String?, port: UInt16, flags: Int32) throws(CommunicationError) -> [Self] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else {
            let reason = code == EAI_SYSTEM ? systemMessage(errno) : String(cString: gai_strerror(code))
            throw CommunicationError(
                "cannot find the host \(host ?? "of this process"): \(reason); correct its name")
        }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0?.pointee.ai_next }).compactMap { entry in
            guard let entry = entry?.pointee, let address = entry.ai_addr else { return nil }
            return InternetAddress(
                family: entry.ai_family,
                bytes: Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))))
        }
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool { bytes.withUnsafeBytes { IPAddress($0)?.isLoopback ?? false } }

    /// Whether the text of `host` itself says that only this machine reaches it.
    static func isLoopbackName(_ host: String) -> Bool {
        host == "localhost" || host.hasPrefix("127.") || host == "::1"
    }

    /// A non-blocking socket of this family, or -errno.
    func makeSocket() -> Int32 {
        let type = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(family, Int32(type), 0)
        return descriptor < 0 ? -errno : descriptor
    }

    /// Lets a socket take an address that an earlier program has just left and, on that of IPv6, IPv4 as well.
    func prepareToListen(_ descriptor: Int32) {
        let length = socklen_t(MemoryLayout<Int32>.size)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, length)
        var no: Int32 = 0
        if family == AF_INET6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, length) }
    }

    /// Calls `body` with the address as the system takes it.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        bytes.withUnsafeBytes { buffer in
            buffer.withMemoryRebound(to: sockaddr.self) { rebound in
                // An address that the system gave is never empty, so the buffer has a base.
                body(rebound.baseAddress.unsafelyUnwrapped, socklen_t(buffer.count))
            }
        }
    }
}
