import CSystem
import DLP
import Glibc

/// A worker's way to the root: tries until the root takes it, or the time is up.
struct Dial {
    private static let firstPause: UInt64 = 1_000_000
    private static let longestPause: UInt64 = 100_000_000
    /// How long one of several addresses of the root's host may keep the others waiting.
    private static let addressPatience: UInt64 = 5_000_000_000

    /// What came of one attempt.
    private enum Attempt {
        case connected(Socket)
        /// Worth another attempt; `reason` is a clause.
        case failed(reason: String)
    }

    private let environment: AMEEnvironment
    private let deadline: Deadline

    /// Connects with the root and proves the key to it.
    ///
    /// The root may start later than its workers or may still be busy with the job before this one, so a refused
    /// connection, or one that ends before the root has answered, means no more than "not yet".
    ///
    /// - Throws: `CommunicationError` where the root refuses this rank, or the time is up.
    static func connect(
        _ environment: AMEEnvironment, within timeout: UInt64
    ) throws(CommunicationError) -> Socket {
        let dial = Dial(environment: environment, deadline: .after(timeout))
        var pause = firstPause
        while true {
            let reason: String
            switch try dial.attempt() {
            case .connected(let socket): return socket
            case .failed(let why): reason = why
            }
            guard !dial.deadline.hasPassed else {
                throw CommunicationError(
                    "rank \(environment.rank) cannot reach rank 0 at \(environment.endpoint) within "
                        + "\(describe(nanoseconds: timeout)): \(reason); see whether rank 0 runs and its host can be reached"
                )
            }
            poll(nil, 0, Deadline.earlier(dial.deadline, .after(pause)).milliseconds)
            pause = min(pause * 2, longestPause)
        }
    }

    private func attempt() throws(CommunicationError) -> Attempt {
        switch environment.endpoint {
        case .local(let name):
            let descriptor = Array(name.utf8).withUnsafeBytes { dlp_local_connect($0.baseAddress, $0.count) }
            guard descriptor >= 0 else { return .failed(reason: systemMessage(descriptor)) }
            return try shakeHands(Socket(adopting: descriptor))
        case .tcp(let host, let port):
            let addresses: [InternetAddress]
            // A name server may have its own bad moment.
            do { addresses = try InternetAddress.resolve(host: host, port: port) } catch {
                return .failed(reason: error.description)
            }
            var attempt = Attempt.failed(reason: "\(host) has no address")
            for address in addresses {
                attempt = try connect(to: address, patience: addresses.count > 1 ? Self.addressPatience : .max)
                if case .connected = attempt { break }
            }
            return attempt
        }
    }

    private func connect(to address: InternetAddress, patience: UInt64) throws(CommunicationError) -> Attempt {
        let descriptor = address.makeSocket()
        guard descriptor >= 0 else { return .failed(reason: systemMessage(descriptor)) }
        let started = address.withSockaddr { Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        let socket = Socket(adopting: descriptor)
        guard started == 0 || started == EINPROGRESS else { return .failed(reason: systemMessage(started)) }
        guard socket.wait(for: POLLOUT, until: Deadline.earlier(deadline, .after(patience))) else {
            return .failed(reason: "no answer")
        }
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0, code == 0 else {
            return .failed(reason: systemMessage(code))
        }
        // Where nobody listens yet the system may pick that very port for our end, and connects us with ourselves.
        guard dlp_tcp_is_own_peer(descriptor) == 0 else { return .failed(reason: systemMessage(ECONNREFUSED)) }
        return try shakeHands(socket)
    }

    private func shakeHands(_ socket: Socket) throws(CommunicationError) -> Attempt {
        let greeting = Greeting(role: .worker, rank: environment.rank, size: environment.size)
        var handshake = WorkerHandshake(key: environment.key, greeting: greeting)
        var answer = handshake.hello
        while true {
            guard answer.isEmpty || socket.sendWhole(answer) else { return .failed(reason: "it closed the connection") }
            switch handshake.outcome {
            case .pending: break
            case .accepted: return .connected(socket)
            case .failed(let error):
                throw CommunicationError(
                    error.description(
                        rank: environment.rank, size: environment.size, endpoint: environment.endpoint))
            }
            guard socket.wait(for: POLLIN, until: deadline) else {
                return .failed(reason: "it took the connection but did not answer")
            }
            var buffer = [UInt8](repeating: 0, count: handshake.wanted)
            switch buffer.withUnsafeMutableBytes({ socket.receive(into: $0) }) {
            case .count(let count): answer = handshake.receive(Array(buffer.prefix(count)))
            case .wouldBlock: answer = []
            case .ended(let reason): return .failed(reason: reason)
            }
        }
    }
}
