import CSystem
import Glibc

/// Sockets of this machine for a relay.
enum LoopbackSocket {
    /// A socket that listens on a port that the system has chosen.
    static func listening(hasSmallBuffers: Bool) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = tcp()
        guard descriptor >= 0 else { throw RelayError(errno) }
        // Accepted sockets inherit its buffer sizes.
        if hasSmallBuffers { shrink(descriptor) }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && listen(descriptor, 64) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isListening else {
            let error = RelayError(errno)
            close(descriptor)
            throw error
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    /// Connects to `target`; nil where nothing listens.
    static func connected(to target: Relay.Target) -> Int32? {
        switch target {
        case .local(let name):
            let descriptor = Array(name.utf8).withUnsafeBytes { dlp_local_connect($0.baseAddress, $0.count) }
            return descriptor < 0 ? nil : descriptor
        case .loopback(let port):
            let descriptor = tcp()
            guard descriptor >= 0 else { return nil }
            var address = loopback(port: port)
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isConnected { return descriptor }
            close(descriptor)
            return nil
        }
    }

    /// Gives a socket small buffers.
    ///
    /// They are not the smallest possible ones: those hold less than one segment of the loopback device, and TCP then
    /// waits for its timers.
    static func shrink(_ descriptor: Int32) {
        var size: Int32 = 1 << 15
        for option in [SO_SNDBUF, SO_RCVBUF] { setsockopt(descriptor, SOL_SOCKET, option, &size, 4) }
    }

    private static func tcp() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
