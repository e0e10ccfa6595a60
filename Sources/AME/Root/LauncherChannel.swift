package import DLP
import Glibc
import Synchronization

/// The root's line to the launcher that started it.
package final class LauncherChannel: Sendable {
    private let descriptor: Int32
    /// How ranks ended, as far as the launcher has said.
    private let endings = Mutex<[Int: String]>([:])

    /// How often sending a packet that must arrive is tried, every 10 ms.
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

    /// Sends a packet.
    ///
    /// Waits for a launcher that stands still, but not for ever.
    private func sendSurely(_ message: ControlMessage) {
        for _ in 0..<Self.attempts {
            if send(message) == 0 { return }
            // The launcher is gone, and the root will soon be gone, too.
            if errno == EPIPE || errno == ECONNRESET { return }
            usleep(10_000)
        }
    }

    /// Sends a packet; one that does not fit into the socket's buffer is dropped, since a later one replaces it.
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

    /// How rank `rank` ended, as far as the launcher, which waits for its processes, has said so by now.
    package func explainLoss(of rank: Int) -> LossExplanation {
        endings.withLock { endings in
            var isOpen = true
            while endings[rank] == nil, isOpen {
                switch receive() {
                case .said(.exited(let rank, let status)): endings[rank] = "its process ended with status \(status)"
                case .said(.signalled(let rank, let signal)):
                    endings[rank] =
                        "its process was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
                case .said(.lost(let rank)): endings[rank] = "the launcher lost the connection with its host"
                case .said: continue
                case .nothing: return .pending
                case .closed: isOpen = false
                }
            }
            return endings[rank].map { .known($0) } ?? .unknown
        }
    }

    private enum Reception {
        case said(ControlMessage)
        /// Nothing more by now.
        case nothing
        /// Nothing more at all.
        case closed
    }

    /// What the launcher has said, without waiting for it.
    private func receive() -> Reception {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return count < 0 && [EAGAIN, EINTR].contains(errno) ? .nothing : .closed }
            // A message that only newer launchers send is ignored.
            guard let message = ControlMessage(text: String(decoding: buffer[..<count], as: UTF8.self)) else {
                continue
            }
            return .said(message)
        }
    }
}
