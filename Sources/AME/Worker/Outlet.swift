import DLP
import Glibc
import Synchronization

/// The sending side of a worker's connection: sends one message at a time, from any thread.
final class Outlet: Sendable {
    private let connection: Mutex<Connection>

    private struct Connection: ~Copyable {
        var socket: Socket
        var writer: FrameWriter

        init(_ link: Link) {
            socket = link.socket
            writer = FrameWriter(link)
        }
    }

    /// How long a last message may take to arrive, in nanoseconds.
    private static let patience: UInt64 = 2_000_000_000

    /// An outlet to a link.
    init(_ link: Link) {
        connection = Mutex(Connection(link))
    }

    /// Sends over another link from now on.
    func change(to link: Link) { connection.withLock { $0 = Connection(link) } }

    /// Sends a message.
    ///
    /// - Parameter wait: waits until the socket takes more; false where it never will, as the root's host is silent.
    /// - Returns: why the message cannot be sent, or nil once the socket has all of it.
    func send(_ message: Message, wait: () -> Bool) -> String? {
        connection.withLock { connection in
            connection.writer.begin(message)
            while true {
                switch connection.writer.flush() {
                case .count: return nil
                case .wouldBlock: if !wait() { return Liveness.reason }
                case .ended(let reason): return reason
                }
            }
        }
    }

    /// Sends a message after which this process ends.
    func sendLast(_ message: Message) {
        let deadline = Deadline.after(Self.patience)
        let socket = connection.withLock { $0.socket }
        let failure = send(message) { socket.wait(for: POLLOUT, until: deadline) }
        // When a process ends, data that its host has not sent yet may be lost.
        while failure == nil, !socket.isDelivered, !deadline.hasPassed {
            if socket.wait(for: 0, until: Deadline.earlier(deadline, .after(1_000_000))) { return }
        }
    }
}
