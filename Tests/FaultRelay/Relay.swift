import Glibc

/// A relay between a socket that connects to it and its target: passes bytes on, and breaks the connection on
/// request.
///
/// It listens on the loopback address, on a separate thread, which ends with the object.
public final class Relay: Sendable {
    /// Where connections lead.
    public enum Target: Sendable {
        /// The abstract Unix-domain socket of this name.
        case local(name: String)
        /// A port of the loopback address.
        case loopback(port: UInt16)
    }

    /// How a connection ends, for both sides.
    public enum End: Sendable, CaseIterable {
        /// As when a process ends (FIN).
        case close
        /// As when a host has started anew (RST).
        case reset
    }

    /// The direction of bytes.
    public enum Direction: Sendable, CaseIterable {
        /// From the side that connected.
        case there
        /// From the target.
        case back
    }

    /// A connection breaks when exactly this number of bytes has gone in one direction.
    public struct Cut: Sendable {
        var direction: Direction
        var count: Int
        var end: End

        /// A break after `count` bytes in `direction`.
        public init(_ direction: Direction, after count: Int, by end: End) {
            (self.direction, self.count, self.end) = (direction, count, end)
        }
    }

    /// What a relay does to the bytes.
    public struct Conduct: Sendable {
        /// The most bytes that it passes on at once.
        public var piece = 1 << 16
        /// The break of the first connection with this many bytes; later connections stay intact.
        ///
        /// A connection that came to the port by mistake, for an earlier listener, ends without these bytes and does
        /// not count.
        public var cut: Cut?
        /// Whether its sockets have small buffers.
        public var hasSmallBuffers = false

        /// Passes everything on as it comes.
        public init() {}
    }

    /// The port of the loopback address on which it listens.
    public let port: UInt16
    private let orders: Int32
    private let thread: pthread_t

    /// - Parameter target: returns the target of a new connection; nil: there is none yet, so the connection is
    ///   closed.
    /// - Throws: `RelayError` where the system has no more sockets.
    public init(_ conduct: Conduct = Conduct(), to target: @escaping @Sendable () -> Target?) throws {
        let listener = try LoopbackSocket.listening(hasSmallBuffers: conduct.hasSmallBuffers)
        port = listener.port
        var ends: [Int32] = [-1, -1]
        // Closed in programs that other threads start meanwhile, because the relay ends only with the last copy of
        // this end.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw RelayError(errno) }
        orders = ends[1]
        let loop = RelayLoop(conduct, listener: listener.descriptor, orders: ends[0], target: target)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<RelayLoop>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(loop).toOpaque())
        guard code == 0 else { throw RelayError(code) }
        self.thread = thread
    }

    deinit {
        close(orders)
        pthread_join(thread, nil)
    }

    /// Breaks every connection, at once.
    public func cut(by end: End) { give(end == .reset ? .reset : .close) }

    /// Passes nothing on until `goOn`.
    public func hold() { give(.hold) }

    /// Ends what `hold` began.
    public func goOn() { give(.goOn) }

    private func give(_ order: RelayLoop.Order) {
        var byte = order.rawValue
        _ = write(orders, &byte, 1)
    }
}

/// A failed system call.
public struct RelayError: Error {
    /// As in `errno`.
    public var code: Int32

    init(_ code: Int32) { self.code = code }
}
