import AME
import CSystem
import Glibc

/// The meeting point of a job's ranks: a TCP address and a Unix-domain socket, both used by this job only.
final class Rendezvous {
    let host: String
    let port: UInt16
    /// The name of the listening socket in the abstract namespace.
    let socketName: String
    /// That socket, for rank 0.
    ///
    /// It listens before any rank is started, so that no rank has to try twice.
    private(set) var listener: Int32
    /// Reserves the port, on another address.
    private let guardSocket: Int32

    init() throws(LaunchError) {
        socketName = "ame-" + randomBytes(16).map(hexadecimal).joined()
        (host, port, guardSocket) = reservePort()
        listener = -1
        listener = try listen(onAbstract: socketName)
    }

    deinit {
        closeListener()
        if guardSocket >= 0 { close(guardSocket) }
    }

    /// Closes the socket here, once rank 0 has it.
    ///
    /// Then it closes when rank 0 ends, and the other ranks notice.
    func closeListener() {
        if listener >= 0 { close(listener) }
        listener = -1
    }

    /// Returns the variables that tell a rank of this host the meeting point and the key.
    func variables(key: String) -> [(name: String, value: String)] {
        [
            (AMEVariable.host, host), (AMEVariable.port, String(port)), (AMEVariable.key, key),
            (AMEVariable.socket, socketName),
        ]
    }
}

/// Finds a TCP address that rank 0 can bind by itself, without `SO_REUSEADDR`, and that no other process takes
/// before.
///
/// dlp_mpi's rank 0 wants an address that is not bound yet. A port of 127.0.0.1 would have to be released for it, and
/// any process could take it in between. But every 127.x.y.z is this machine, so the job gets a random address on
/// which no other process binds anything. Only a bind of the port on all addresses can still collide. Such a bind
/// fails as long as the same port is bound on any address, so the job holds it on the neighbouring address while it
/// runs.
private func reservePort() -> (host: String, port: UInt16, guardSocket: Int32) {
    for _ in 0..<100 {
        let random = randomBytes(3)
        // Users put their own services on 127.0.y.z, so that is avoided. The last byte is even, and neither 0 nor
        // 254.
        let last = random[2] % 126 * 2 + 2
        let network: [UInt8] = [127, max(random[0], 1), random[1]]
        guard let (probe, port) = bindTCP(network + [last], port: 0) else { continue }
        defer { close(probe) }
        guard let (guardSocket, _) = bindTCP(network + [last + 1], port: port) else { continue }
        return ((network + [last]).map(String.init).joined(separator: "."), port, guardSocket)
    }
    // There is no such address, for example where the machine has only IPv6. Our ranks meet at the Unix-domain
    // socket; other programs have to try whether this port is free.
    return ("localhost", UInt16.random(in: 49152...65535), -1)
}

func bindTCP(_ address: [UInt8], port: UInt16) -> (socket: Int32, port: UInt16)? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.reduce(0) { $0 << 8 | UInt32($1) }.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutableBytes(of: &name) { bytes in
        let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
        return bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
    }
    guard isBound else {
        close(descriptor)
        return nil
    }
    return (descriptor, UInt16(bigEndian: name.sin_port))
}

private func listen(onAbstract name: String) throws(LaunchError) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw LaunchError(system: "cannot make a socket for the ranks") }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // An abstract name begins with a NUL byte, has no file, and vanishes with the socket.
    withUnsafeMutableBytes(of: &address.sun_path) { path in path[1...].copyBytes(from: name.utf8) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
    let isBound = withUnsafeBytes(of: &address) { bytes in
        bind(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, length) == 0
    }
    guard isBound, Glibc.listen(descriptor, 4096) == 0 else {
        let error = LaunchError(system: "cannot listen on a socket for the ranks")
        close(descriptor)
        throw error
    }
    return descriptor
}

/// Returns bytes from the system's random number generator (getrandom).
private func randomBytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }

private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
