import AME
import Glibc

/// The root's line to the launcher that started it.
final class ControlChannel: Sendable {
    private let descriptor: Int32

    /// How long the launcher may take to notice that a rank has ended, after its connection has: in milliseconds.
    private static let patience: Int32 = 500

    /// Takes over the descriptor, and tells the launcher that this root decides what the job's status is.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        send(.lead)
    }

    /// Sends a packet; one that does not fit into the socket's buffer is dropped, for a later one replaces it.
    func send(_ message: ControlMessage) {
        let text = Array(message.text.utf8)
        _ = text.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
    }

    /// How rank `rank` ended, from the launcher, which waits for its processes.
    func explainLoss(of rank: Int) -> String? {
        while let message = receive() {
            switch message {
            case .exited(rank, let status): return "its process ended with status \(status)"
            case .signalled(rank, let signal):
                return "its process was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
            default: continue
            }
        }
        return nil
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
