import AME
import Glibc

/// The launcher's end of the packets to and from rank 0.
final class ControlChannel {
    let descriptor: Int32
    /// Rank 0's end, until it has been handed over.
    private var peer: Int32?
    private var outbox: ArraySlice<String> = []

    init() throws(LaunchError) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw LaunchError(system: "cannot make a control channel to rank 0")
        }
        descriptor = ends[0]
        peer = ends[1]
    }

    deinit {
        close(descriptor)
        closePeer()
    }

    /// Rank 0's end, to be inherited; -1 after `closePeer`.
    var peerDescriptor: Int32 { peer ?? -1 }

    /// Closes rank 0's end here, once rank 0 has it.
    func closePeer() {
        if let peer { close(peer) }
        peer = nil
    }

    /// Whether packets wait until rank 0 has read others.
    var isPending: Bool { !outbox.isEmpty }

    /// Sends `message`, now or from a later `flush`.
    func send(_ message: ControlMessage) {
        outbox.append(message.text)
        flush()
    }

    /// Sends what waits, as far as rank 0 takes it.
    func flush() {
        while var text = outbox.first {
            let count = text.withUTF8 {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            // Sent, or rank 0 is gone and nobody wants it any more. Where the system has no memory for it rank 0 does without:
            // that a connection has ended says as much.
            outbox.removeFirst()
        }
    }

    /// The packets that have come, and whether more can come.
    func receive() -> (messages: [ControlMessage], isOpen: Bool) {
        var messages: [ControlMessage] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            // A rank 0 that has gone without reading all it was sent is an error, once; what it has said comes after that.
            if count < 0 && (errno == EINTR || errno == ECONNRESET) { continue }
            // Whatever the reason is, what there is waits: the poller says so again.
            if count < 0 { return (messages, true) }
            if count == 0 { return (messages, false) }
            // What is no message is ignored: rank 0 may be of another version.
            if let message = ControlMessage(text: String(decoding: buffer[..<count], as: UTF8.self)) {
                messages.append(message)
            }
        }
    }
}
