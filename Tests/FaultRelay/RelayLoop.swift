import CSystem
import Glibc

/// The loop of a relay's thread.
final class RelayLoop {
    /// The meaning of a byte from the owner; the end of input is the end of the relay.
    enum Order: UInt8 {
        case close, reset, hold, goOn
    }

    private let conduct: Relay.Conduct
    private let listener: Int32
    private let orders: Int32
    private let target: @Sendable () -> Relay.Target?
    private var connections: [RelayedConnection] = []
    private var hasCut = false
    private var isHeld = false

    init(
        _ conduct: Relay.Conduct, listener: Int32, orders: Int32, target: @escaping @Sendable () -> Relay.Target?
    ) {
        (self.conduct, self.listener, self.orders, self.target) = (conduct, listener, orders, target)
    }

    deinit {
        close(listener)
        close(orders)
    }

    func run() {
        while true {
            var watched = [
                pollfd(fd: orders, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isHeld ? -1 : listener, events: Int16(POLLIN), revents: 0),
            ]
            if !isHeld { for connection in connections { watched += connection.wishes } }
            guard poll(&watched, nfds_t(watched.count), -1) > 0 else { continue }
            if watched[0].revents != 0, !takeOrder() { return breakAll(by: .close) }
            if isHeld { continue }
            for connection in connections { connection.pass() }
            if watched[1].revents != 0 { accept() }
            hasCut = hasCut || connections.contains { $0.wasCut }
            connections.removeAll { $0.isOver }
        }
    }

    /// Reads an order; false where the owner has gone.
    private func takeOrder() -> Bool {
        var byte: UInt8 = 0
        guard read(orders, &byte, 1) == 1 else { return false }
        switch Order(rawValue: byte) {
        case .close: breakAll(by: .close)
        case .reset: breakAll(by: .reset)
        case .hold: isHeld = true
        case .goOn, nil: isHeld = false
        }
        return true
    }

    private func breakAll(by end: Relay.End) {
        for connection in connections { connection.end(by: end) }
        connections = []
    }

    private func accept() {
        let near = dlp_accept(listener)
        guard near >= 0 else { return }
        guard let target = target(), let far = LoopbackSocket.connected(to: target) else {
            close(near)
            return
        }
        let cut = hasCut ? nil : conduct.cut
        connections.append(RelayedConnection(near: near, far: far, conduct, cut: cut))
    }
}
