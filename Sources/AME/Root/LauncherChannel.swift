import Glibc
import Synchronization

/// The root's line to the launcher that started it.
package final class LauncherChannel: Sendable {
    private let descriptor: Int32
    /// How ranks ended, as far as the launcher has said.
    private let endings = Mutex<[Int: String]>([:])

    /// How long the launcher may take to notice that a rank has ended, after its connection has: in milliseconds.
    private static let patience: Int32 = 500
    /// How often what must arrive is sent, every 10 ms.
    private static let attempts = 200

    /// Takes over the descriptor.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// Tells the launcher that from now on the root knows which ranks are there, and decides what the death of one means
    /// and what the job's status is.
    package func lead() {
        sendSurely(.begun)
        sendSurely(.lead)
    }

    /// Tells the launcher that the root ends because the job is over.
    package func isOver() { sendSurely(.over) }

    /// Sends a packet, for which a launcher that stands still is waited for, though not for ever.
    private func sendSurely(_ message: ControlMessage) {
        for _ in 0..<Self.attempts {
            if send(message) == 0 { return }
            // It is gone, and the root will be so, too.
            if errno == EPIPE || errno == ECONNRESET { return }
            usleep(10_000)
        }
    }

    /// Sends a packet; one that does not fit into the socket's buffer is dropped, for a later one replaces it.
    ///
    /// - Returns: 0, or -1 with the reason in `errno`.
    @discardableResult
    package func send(_ message: ControlMessage) -> Int32 {
        let text = Array(message.text.utf8)
        let count = text.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
        return count < 0 ? -1 : 0
    }

    /// How rank `rank` ended, from the launcher, which waits for its processes.
    package func explainLoss(of rank: Int) -> String? {
        endings.withLock { endings in
            while endings[rank] == nil, let message = receive() {
                switch message {
                case .exited(let rank, let status): endings[rank] = "its process ended with status \(status)"
                case .signalled(let rank, let signal):
                    endings[rank] =
                        "its process was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
                case .lost(let rank): endings[rank] = "the launcher lost the connection with its host"
                case .lead, .begun, .over, .status: continue
                }
            }
            return endings[rank]
        }
    }

    private func receive() -> ControlMessage? {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, Self.patience) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        guard count > 0 else { return nil }
        return ControlMessage(text: String(decoding: buffer[..<count], as: UTF8.self))
    }
}
