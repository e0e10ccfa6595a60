import AME
import CSystem
import Glibc
import Testing

/// A blocking socket without any protocol.
final class RawConnection {
    let descriptor: Int32

    /// Connects to `endpoint`; nil where nothing listens there, or too many connections wait.
    init?(to endpoint: AMEEnvironment.Endpoint) {
        switch endpoint {
        case .local(let name):
            descriptor = Array(name.utf8).withUnsafeBytes { dlp_local_connect($0.baseAddress, $0.count) }
            guard descriptor >= 0 else { return nil }
            _ = fcntl(descriptor, F_SETFL, 0)
        case .tcp(let host, let port):
            let isIPv6 = host.contains(":")
            descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard withLoopback(isIPv6: isIPv6, port: port, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
                return nil
            }
        }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// Receives as many bytes as asked for, or fewer where the connection ends before.
    func receive(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let more = bytes.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress.map { $0 + received }, count - received, 0)
            }
            if more <= 0 { break }
            received += more
        }
        return Array(bytes.prefix(received))
    }

    /// Waits until the other end has closed the connection; false where it sends something instead.
    func waitForEnd() -> Bool { receive(1).isEmpty }
}

/// A socket that listens on the loopback address, and its port.
///
/// - Parameter willClose: whether the socket will be closed and the port used again. Then the port is outside the
///   range from which the system takes ports for outgoing connections.
func listenOnLoopback(_ wire: Wire, willClose: Bool = false) throws -> (descriptor: Int32, port: UInt16) {
    let isIPv6 = wire == .ipv6
    let descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    // A program that is being started may hold the socket open a moment longer.
    if willClose { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4) }
    let isBound = (0..<100).contains { _ in
        let port = willClose ? UInt16.random(in: 10_000..<32_000) : 0
        return withLoopback(isIPv6: isIPv6, port: port) { bind(descriptor, $0, $1) } == 0
    }
    try #require(isBound)
    try #require(willClose || listen(descriptor, 4096) == 0)
    var bytes = [UInt8](repeating: 0, count: 28)
    var length = socklen_t(bytes.count)
    let code = bytes.withUnsafeMutableBytes {
        $0.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
    }
    try #require(code == 0)
    return (descriptor, UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
}

/// Whether this machine has IPv6.
let hasIPv6: Bool = {
    guard let (descriptor, _) = try? listenOnLoopback(.ipv6) else { return false }
    close(descriptor)
    return true
}()

/// Calls `body` with the loopback address of a family.
func withLoopback<Result>(
    isIPv6: Bool, port: UInt16, _ body: (UnsafePointer<sockaddr>?, socklen_t) -> Result
) -> Result {
    // struct sockaddr_in and sockaddr_in6: family, port, [flow label], address, [scope].
    var bytes = [UInt8](repeating: 0, count: isIPv6 ? 28 : 16)
    bytes[0] = UInt8(isIPv6 ? AF_INET6 : AF_INET)
    bytes[2] = UInt8(port >> 8)
    bytes[3] = UInt8(port & 255)
    if isIPv6 { bytes[23] = 1 } else { bytes.replaceSubrange(4..<8, with: [127, 0, 0, 1]) }
    return bytes.withUnsafeBytes { buffer in
        buffer.withMemoryRebound(to: sockaddr.self) { body($0.baseAddress, socklen_t(buffer.count)) }
    }
}
