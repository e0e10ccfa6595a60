import CSystem
import DLP
import Glibc

extension InternetAddress {
    /// The outcome of an attempt to connect.
    enum Connecting {
        case connected(Socket)
        /// Not yet, for this reason: a clause.
        case failed(reason: String)
    }

    /// The reason for an address where no answer came in time.
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

    /// The outcome of `startConnecting`, when that is over.
    static func finishConnecting(_ socket: Socket) -> Connecting {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(socket.descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code == 0 else {
            return .failed(reason: systemMessage(code))
        }
        // Where no process listens yet, the system may pick that very port for our end, and connect us with ourselves.
        guard dlp_tcp_is_own_peer(socket.descriptor) == 0 else { return .failed(reason: systemMessage(ECONNREFUSED)) }
        return .connected(socket)
    }
}
