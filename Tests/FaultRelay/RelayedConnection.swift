import CSystem
import Glibc

/// One connection through a relay: two sockets, and the bytes that have come from one and not yet gone to the other.
final class RelayedConnection {
    /// The bytes of one direction.
    private struct Flow {
        let from: Int32
        let to: Int32
        /// How many bytes may still go before the connection is cut.
        var left = Int.max
        var waiting: [UInt8] = []
        var hasEnded = false
        /// Whether the receiver has stopped taking bytes.
        var isInVain = false
        var isClosed = false
    }

    private var flows: [Flow]
    private let piece: Int
    private let cut: Relay.Cut?
    private(set) var isOver = false
    /// Whether it was cut as requested.
    private(set) var wasCut = false

    init(near: Int32, far: Int32, _ conduct: Relay.Conduct, cut: Relay.Cut?) {
        piece = conduct.piece
        self.cut = cut
        flows = [Flow(from: near, to: far), Flow(from: far, to: near)]
        for descriptor in [near, far] {
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            // Pieces must not be merged again.
            if dlp_is_local(descriptor) == 0 { _ = dlp_tcp_tune(descriptor) }
            if conduct.hasSmallBuffers { LoopbackSocket.shrink(descriptor) }
        }
        if let cut { flows[cut.direction == .there ? 0 : 1].left = cut.count }
        cutIfDue()
    }

    /// What to poll for.
    var wishes: [pollfd] {
        flows.map { flow in
            if !flow.waiting.isEmpty { return pollfd(fd: flow.to, events: Int16(POLLOUT), revents: 0) }
            return pollfd(fd: flow.hasEnded ? -1 : flow.from, events: Int16(POLLIN), revents: 0)
        }
    }

    /// Passes on what is possible.
    func pass() {
        for index in flows.indices where !isOver {
            read(&flows[index])
            write(&flows[index])
            cutIfDue()
        }
        if flows.allSatisfy({ $0.isClosed }) { end(by: .close) }
    }

    private func read(_ flow: inout Flow) {
        guard flow.waiting.isEmpty, !flow.hasEnded, flow.left > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: min(piece, flow.left))
        let count = recv(flow.from, &buffer, buffer.count, 0)
        if count > 0 {
            // Closing a socket with unread bytes would discard bytes on their way in the other direction.
            if !flow.isInVain { flow.waiting = Array(buffer[..<count]) }
        } else if count == 0 || errno != EAGAIN && errno != EINTR {
            flow.hasEnded = true
        }
    }

    private func write(_ flow: inout Flow) {
        if !flow.waiting.isEmpty {
            let count = send(flow.to, flow.waiting, flow.waiting.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            // If the receiver takes no more bytes, those of the other direction are passed on all the same.
            flow.isInVain = count < 0
            flow.waiting.removeFirst(count < 0 ? flow.waiting.count : count)
            if flow.left != .max { flow.left -= max(0, count) }
        }
        if flow.hasEnded, flow.waiting.isEmpty, !flow.isClosed {
            shutdown(flow.to, Int32(SHUT_WR))
            flow.isClosed = true
        }
    }

    private func cutIfDue() {
        guard !isOver, let cut, flows.contains(where: { $0.left == 0 }) else { return }
        wasCut = true
        end(by: cut.end)
    }

    /// Ends the connection on both sides.
    func end(by end: Relay.End) {
        guard !isOver else { return }
        isOver = true
        for flow in flows {
            var abortion = linger(l_onoff: 1, l_linger: 0)
            if end == .reset {
                setsockopt(flow.from, SOL_SOCKET, SO_LINGER, &abortion, socklen_t(MemoryLayout<linger>.size))
            }
            close(flow.from)
        }
    }

    deinit { end(by: .close) }
}
