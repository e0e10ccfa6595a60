import Glibc
import TestSupport
import Testing

/// The variables by which dlp_mpi's launcher tells ranks their places, and no others.
struct Rendezvous {
    /// A port of this machine that was free a moment ago, and that the system does not use for outgoing connections.
    let port: UInt16
    let size: Int
    var host = "127.0.0.1"
    /// 64 bytes in base64.
    var key =
        String(
            (0..<84).map { _ in
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".randomElement() ?? "A"
            }) + "QQ=="

    init(size: Int) throws {
        self.size = size
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0)
        defer { close(listener) }
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        let free = (0..<100).lazy.map { _ in UInt16.random(in: 10_000..<32_000) }.first { port in
            var address = loopback(port: port)
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    bind(listener, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }
        port = try #require(free)
    }

    /// Returns the environment of `rank`.
    func environment(rank: Int) -> [String: String] {
        [
            "AME_HOST": host, "AME_PORT": String(port), "AME_RANK": String(rank), "AME_SIZE": String(size),
            "AME_AUTHKEY": key,
        ]
    }

    /// Starts one rank with the words of a dlp-lua call.
    func start(rank: Int, _ words: String, in scratch: Scratch) throws -> Launched {
        try Launched(
            ["dlp-lua"] + words.split(separator: " ").map { String($0) }, in: scratch,
            environment: environment(rank: rank))
    }
}

/// A program that connects to the root and is not a rank.
final class Stranger {
    private let descriptor: Int32

    /// Connects as soon as a process listens at `port`.
    init(port: UInt16) throws {
        var connected: Int32 = -1
        try eventually("somebody listens") {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            var address = loopback(port: port)
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if result == 0 { connected = descriptor } else { close(descriptor) }
            return result == 0
        }
        descriptor = connected
    }

    deinit { close(descriptor) }

    /// Sends bytes, as far as the other side takes them.
    func say(_ bytes: [UInt8]) {
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}
