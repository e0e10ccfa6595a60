import CSystem
import Glibc

/// A message about one of the connections that the ssh connection carries, in either direction.
enum TunnelWord: Equatable {
    case open
    case data([UInt8])
    /// This number of bytes has been passed on, and as many more may follow.
    case credit(Int)
    /// The connection is closed in both directions.
    case close
}

/// An agent's end of the connections between ranks that the launcher relays from host to host.
///
/// On the host of rank 0 it connects to rank 0 for each rank that has connected elsewhere. On other hosts it listens
/// in place of rank 0. It uses only the loopback address, so that only ssh leaves the host.
final class Tunnel {
    private struct Channel {
        let descriptor: Int32
        /// Bytes that wait to be written to the rank.
        var queue: [UInt8] = []
        var written = 0
        /// How many bytes may be sent to the other end.
        var credit = AgentRules.window
        /// Whether the other end has closed the connection.
        ///
        /// It is closed here once everything is written.
        var isClosing = false
        var interest: Poller.Interest = []
    }

    private let poller: Poller
    /// The poller's number for the listening socket; those of the channels follow.
    private let firstNumber: Int
    private let send: (Int, TunnelWord) -> Void
    private var channels: [Int: Channel] = [:]
    private var nextID = 0
    private var listener: Int32 = -1
    /// Whether ranks that connect wait because this process has no descriptors left.
    private var isFull = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    /// Uses the poller's numbers from `firstNumber` on; `send` sends words to the other end.
    init(poller: Poller, firstNumber: Int, send: @escaping (Int, TunnelWord) -> Void) {
        self.poller = poller
        self.firstNumber = firstNumber
        self.send = send
    }

    deinit {
        if listener >= 0 { Glibc.close(listener) }
        for channel in channels.values { Glibc.close(channel.descriptor) }
    }

    /// Listens for ranks of this host.
    ///
    /// - Returns: the port.
    func listen() throws(LaunchError) -> Int {
        guard let (descriptor, port) = bindTCP([127, 0, 0, 1], port: 0), Glibc.listen(descriptor, 4096) == 0 else {
            throw LaunchError(system: "it cannot listen for its ranks")
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        listener = descriptor
        poller.add(descriptor, as: firstNumber, for: .input)
        return Int(port)
    }

    /// Handles an event of the poller.
    func serve(_ number: Int) {
        let id = number - firstNumber - 1
        if id < 0 {
            accept()
        } else {
            write(id)
            read(id)
        }
    }

    /// Handles a word from the other end of a connection; `port` is rank 0's.
    func handle(_ id: Int, _ word: TunnelWord, port: Int) {
        switch word {
        case .open: connect(id, port)
        case .data(let bytes):
            guard let channel = channels[id], !channel.isClosing else { return }
            // The other end must not send more than it may.
            guard channel.queue.count - channel.written + bytes.count <= AgentRules.window else { return drop(id) }
            channels[id]?.queue += bytes
            write(id)
        case .credit(let count):
            guard let channel = channels[id] else { return }
            channels[id]?.credit = min(AgentRules.window, channel.credit + count)
        case .close:
            channels[id]?.isClosing = true
            write(id)
        }
    }

    /// Watches each connection only for what there is room for.
    func settle(isLinkFull: Bool) {
        for (id, channel) in channels {
            var wanted: Poller.Interest = []
            if channel.credit > 0, !isLinkFull, !channel.isClosing { wanted.insert(.input) }
            if channel.written < channel.queue.count { wanted.insert(.output) }
            guard wanted != channel.interest else { continue }
            if wanted.isEmpty {
                poller.remove(channel.descriptor)
            } else if channel.interest.isEmpty {
                poller.add(channel.descriptor, as: firstNumber + 1 + id, for: wanted)
            } else {
                poller.change(channel.descriptor, as: firstNumber + 1 + id, for: wanted)
            }
            channels[id]?.interest = wanted
        }
    }

    // MARK: - Connections

    private func accept() {
        while true {
            let descriptor = dlp_accept(listener)
            if descriptor < 0 {
                // Who connects waits until another connection is closed. The listener would report it all the time.
                if [-EMFILE, -ENFILE].contains(descriptor), !channels.isEmpty, !isFull {
                    isFull = true
                    poller.remove(listener)
                }
                return
            }
            add(descriptor, nextID)
            send(nextID, .open)
            nextID += 1
        }
    }

    private func connect(_ id: Int, _ port: Int) {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(UInt16(port).bigEndian)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnecting = withUnsafeBytes(of: &name) { bytes in
            let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            return Glibc.connect(descriptor, address, socklen_t(bytes.count)) == 0 || errno == EINPROGRESS
        }
        guard descriptor >= 0, isConnecting, channels[id] == nil else {
            if descriptor >= 0 { Glibc.close(descriptor) }
            send(id, .close)
            return
        }
        add(descriptor, id)
    }

    private func add(_ descriptor: Int32, _ id: Int) {
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        channels[id] = Channel(descriptor: descriptor)
    }

    /// Closes a connection here and tells the other end.
    private func drop(_ id: Int) {
        guard let channel = channels.removeValue(forKey: id) else { return }
        if !channel.interest.isEmpty { poller.remove(channel.descriptor) }
        Glibc.close(channel.descriptor)
        if isFull {
            isFull = false
            poller.add(listener, as: firstNumber, for: .input)
        }
        if !channel.isClosing { send(id, .close) }
    }

    // MARK: - Bytes

    private func read(_ id: Int) {
        guard let channel = channels[id], channel.interest.contains(.input), channel.credit > 0 else { return }
        let count = Glibc.read(channel.descriptor, &buffer, min(buffer.count, channel.credit))
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard count > 0 else { return drop(id) }
        channels[id]?.credit -= count
        send(id, .data(Array(buffer[..<count])))
    }

    private func write(_ id: Int) {
        guard var channel = channels[id] else { return }
        let start = channel.written
        while channel.written < channel.queue.count {
            let count = channel.queue.withUnsafeBytes {
                Glibc.send(
                    channel.descriptor, $0.baseAddress.unsafelyUnwrapped + channel.written, $0.count - channel.written,
                    Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                channel.written += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                return drop(id)
            }
        }
        let passed = channel.written - start
        if channel.written == channel.queue.count {
            channel.queue = []
            channel.written = 0
        } else if channel.written > AgentRules.window {
            channel.queue.removeFirst(channel.written)
            channel.written = 0
        }
        channels[id] = channel
        if passed > 0, !channel.isClosing { send(id, .credit(passed)) }
        if channel.isClosing, channel.queue.isEmpty { drop(id) }
    }
}
