import CSystem
import DLP
import Glibc

extension InternetAddress {
    /// What came of an attempt to connect.
    enum Connecting {
        case connected(Socket)
        /// Not yet, for this reason: a clause.
        case failed(reason: String)
    }

    /// What to say of an address where nobody has answered in time.
    static let silence = "no answer"

    /// Connects, waiting at most until `deadline`.
    func connect(until deadline: Deadline) -> Connecting {
        switch startConnecting() {
        case .failed(let reason): return .failed(reason: reason)
        case .connected(let socket):
            guard socket.wait(for: POLLOUT, until: deadline) else { return .failed(reason: Self.silence) }
            return Self.finishConnecting(socket)
        }
    }

    /// Begins to connect: the socket can be written to when that is over, one way or the other.
    func startConnecting() -> Connecting {
        let descriptor = makeSocket()
        guard descriptor >= 0 else { return .failed(reason: systemMessage(descriptor)) }
        let started = withSockaddr { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        let socket = Socket(adopting: descriptor)
        guard started == 0 || started == EINPROGRESS else { return .failed(reason: systemMessage(started)) }
        return .connected(socket)
    }

    /// What came of `startConnecting`, when that is over.
    static func finishConnecting(_ socket: Socket) -> Connecting {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket.descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code == 0 else {
            return .failed(reason: systemMessage(code))
        }
        // Where nobody listens yet the system may pick that very port for our end, and connects us with ourselves.
        guard dlp_tcp_is_own_peer(socket.descriptor) == 0 else { return .failed(reason: systemMessage(ECONNREFUSED)) }
        return .connected(socket)
    }
}
