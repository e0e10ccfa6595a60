import CSystem
import DLP
import Glibc

/// A connected stream socket that never blocks, closed with its last reference.
final class Socket: Sendable {
    /// The outcome of one attempt to send or to receive.
    enum Transfer: Equatable {
        /// This many bytes were sent or received; at least one.
        case count(Int)
        /// Nothing can be sent or received at present.
        case wouldBlock
        /// Nothing more will be sent or received, for this reason: a clause that follows the peer's name.
        case ended(String)
    }

    /// Why a connection has ended whose peer has closed it.
    static let closing = "it closed the connection"

    let descriptor: Int32
    /// Whether it is a Unix-domain socket, whose peer is on this machine.
    let isLocal: Bool

    /// Takes over a connected, non-blocking descriptor.
    init(adopting descriptor: Int32) {
        self.descriptor = descriptor
        isLocal = dlp_is_local(descriptor) == 1
        // A connection that has just ended cannot be tuned; the next call on it reports that.
        if !isLocal { _ = dlp_tcp_tune(descriptor) }
    }

    deinit { close(descriptor) }

    /// Receives what there is, at most as much as fits.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .count(count) }
            if count == 0 { return .ended(Self.closing) }
            if errno != EINTR { return Self.outcome(of: errno) }
        }
    }

    /// Like `receive(into:)`.
    ///
    /// Where a descriptor came with the bytes, `passed` becomes that descriptor, which the caller then owns; otherwise
    /// it becomes what `dlp_receive_passed` says.
    func receive(into buffer: UnsafeMutableRawBufferPointer, passed: inout Int32) -> Transfer {
        while true {
            let count = dlp_receive_passed(descriptor, buffer.baseAddress, buffer.count, &passed)
            if count > 0 { return .count(count) }
            if count == 0 { return .ended(Self.closing) }
            if count != -Int(EINTR) { return Self.outcome(of: Int32(-count)) }
        }
    }

    /// Sends `bytes`, as many as the system takes now, and with the first of them a descriptor.
    ///
    /// - Returns: nil where the system passes no more descriptors at present.
    func send(_ bytes: UnsafeRawBufferPointer, passing passed: Int32) -> Transfer? {
        while true {
            let count = dlp_send_passing(descriptor, bytes.baseAddress, bytes.count, passed)
            if count >= 0 { return .count(count) }
            if count == -Int(ETOOMANYREFS) { return nil }
            if count != -Int(EINTR) { return Self.outcome(of: Int32(-count)) }
        }
    }

    /// Sends `head` and then `body`, as much as the system takes now.
    func send(_ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Transfer {
        while true {
            let count = dlp_send(descriptor, head.baseAddress, head.count, body.baseAddress, body.count)
            if count >= 0 { return .count(count) }
            if count != -Int(EINTR) { return Self.outcome(of: Int32(-count)) }
        }
    }

    /// Sends a short run of bytes whole; false where the socket does not take it at once.
    func sendWhole(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { send($0, UnsafeRawBufferPointer(start: nil, count: 0)) == .count($0.count) }
    }

    /// Waits until `events` of `poll` are there, or an end; false once `deadline` has passed.
    func wait(for events: Int32, until deadline: Deadline) -> Bool {
        var watched = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let hasPassed = deadline.hasPassed
            let count = poll(&watched, 1, deadline.milliseconds)
            if count > 0 { return true }
            if count < 0, errno != EINTR, errno != ENOMEM {
                // A socket that cannot be waited for cannot be used: the next call finds its end.
                shutDown()
                return true
            }
            if hasPassed { return false }
        }
    }

    /// Gives up a peer whose host does not answer: when the descriptor is closed a reset is sent to it.
    func giveUp() { dlp_reset_when_closed(descriptor) }

    /// Ends the connection in both directions; the descriptor stays until the last reference goes.
    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Says that nothing more is sent; what was sent before is delivered first.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The host at the other end: the name of this one, or the address of another; nil where that has gone already.
    var peerHost: String? {
        if isLocal { return HostName.current }
        return address(by: getpeername).map { $0.isLoopback ? HostName.current : "\($0)" }
    }

    /// Whether what is sent stays on this host: its other end has the same address, or one that leads nowhere else.
    var isOnThisHost: Bool {
        if isLocal { return true }
        guard let peer = address(by: getpeername) else { return false }
        return peer.isLoopback || peer == address(by: getsockname)
    }

    private func address(
        by call: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> IPAddress? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            let code = bytes.withMemoryRebound(to: sockaddr.self) { call(descriptor, $0.baseAddress, &length) }
            return code == 0 ? IPAddress(UnsafeRawBufferPointer(bytes))?.withoutMapping : nil
        }
    }

    /// Whether the system has handed over, and not only taken, all that was sent.
    var isDelivered: Bool { isLocal || dlp_tcp_unacknowledged(descriptor) <= 0 }

    private static func outcome(of code: Int32) -> Transfer {
        switch code {
        case EAGAIN: .wouldBlock
        case ECONNRESET, EPIPE: .ended(closing)
        case ETIMEDOUT, EHOSTUNREACH: .ended("its host does not answer")
        default: .ended("the connection failed: \(systemMessage(code))")
        }
    }
}
