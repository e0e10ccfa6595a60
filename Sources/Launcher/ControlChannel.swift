import AME
import Glibc

/// The launcher's end of the control channel: packets to and from rank 0.
final class ControlChannel {
    let descriptor: Int32
    /// Rank 0's end, until rank 0 has it.
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

    /// Rank 0's end, to be inherited by rank 0; -1 after `closePeer`.
    var peerDescriptor: Int32 { peer ?? -1 }

    /// Closes rank 0's end here, once rank 0 has it.
    func closePeer() {
        if let peer { close(peer) }
        peer = nil
    }

    /// Whether packets wait because rank 0 has not read the earlier ones.
    var isPending: Bool { !outbox.isEmpty }

    /// Sends `message`, now or from a later `flush`.
    func send(_ message: ControlMessage) {
        outbox.append(message.text)
        flush()
    }

    /// Sends waiting packets, as far as rank 0 takes them.
    func flush() {
        while var text = outbox.first {
            let count = text.withUTF8 {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            // The packet was sent, or rank 0 is gone and does not need it. If the system has no memory for a packet,
            // rank 0 does without it: the end of a connection tells it the same.
            outbox.removeFirst()
        }
    }

    /// Returns the packets that have come, and whether more can come.
    func receive() -> (messages: [ControlMessage], isOpen: Bool) {
        var messages: [ControlMessage] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            // If rank 0 has gone without reading everything, `recv` fails once; the packets that rank 0 sent can be
            // read after that.
            if count < 0 && (errno == EINTR || errno == ECONNRESET) { continue }
            // On any other error the packets keep waiting, and the poller reports them again.
            if count < 0 { return (messages, true) }
            if count == 0 { return (messages, false) }
            // Unknown packets are ignored: rank 0 may be of another version.
            if let message = ControlMessage(text: String(decoding: buffer[..<count], as: UTF8.self)) {
                messages.append(message)
            }
        }
    }
}
