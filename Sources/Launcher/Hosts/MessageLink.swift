import CSystem
import Glibc

/// Messages over two descriptors, of which neither reading nor writing ever blocks.
final class MessageLink<Incoming: AgentMessage, Outgoing: AgentMessage> {
    /// Bytes that wait to be written from which on no more should be made.
    private static var limit: Int { 1 << 20 }
    /// How much is read before others get their turn.
    private static var share: Int { 1 << 18 }

    let reader: Int32
    let writer: Int32
    private var parser = MessageParser()
    private var queue: [UInt8] = []
    private var written = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// What comes before the first message; until it has come, what else does is somebody else's.
    private var preamble: [UInt8]?
    private var noise: [UInt8] = []
    /// Whether the writing end is watched for room.
    private var isAwaited = false
    /// When something last came from the other side.
    private(set) var lastHeard = dlp_now()
    /// When something was last sent there.
    private var lastSent = dlp_now()
    /// Whether the other side reads no more.
    private(set) var isDeaf = false

    /// Takes over the descriptors.
    ///
    /// - Parameter preamble: what the other side says before its first message, behind what shells may say there.
    init(reader: Int32, writer: Int32, after preamble: [UInt8]? = nil) {
        self.reader = reader
        self.writer = writer
        self.preamble = preamble
        for descriptor in [reader, writer] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
    }

    /// Whether so much waits to be written that no more should be made.
    var isFull: Bool { queue.count - written >= Self.limit }

    private var isPending: Bool { written < queue.count }

    /// When the other side is to be told that this one is there; nil where something waits to be written, which tells it.
    var pingTime: UInt64? { isPending || isDeaf ? nil : lastSent + AgentRules.pause }

    /// Whether nothing waits to be written.
    var isFlushed: Bool { !isPending || isDeaf }

    /// Sends raw bytes, before the first message.
    func send(raw bytes: [UInt8]) { queue += bytes }

    /// Sends a message, now or from a later `flush`.
    func send(_ message: Outgoing) {
        if isDeaf { return }
        queue += message.frame
        flush()
    }

    /// Writes what waits, as far as the other side takes it.
    func flush() {
        while isPending && !isDeaf {
            let count = queue.withUnsafeBytes { bytes in
                write(writer, bytes.baseAddress.unsafelyUnwrapped + written, min(bytes.count - written, 1 << 18))
            }
            if count >= 0 {
                written += count
                lastSent = dlp_now()
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                isDeaf = true
            }
        }
        if !isPending || isDeaf {
            queue.removeAll(keepingCapacity: queue.capacity < 1 << 18)
            written = 0
        } else if written > Self.limit {
            queue.removeFirst(written)
            written = 0
        }
    }

    /// Lets `poller` tell of room, under `number`, as long as something waits.
    func await(by poller: Poller, as number: Int) {
        let isWanted = isPending && !isDeaf
        guard isWanted != isAwaited else { return }
        isAwaited = isWanted
        if isWanted { poller.add(writer, as: number, for: .output) } else { poller.remove(writer) }
    }

    /// Reads what has come, up to a share.
    ///
    /// - Returns: whether more can come.
    /// - Throws: `MessageError` where it is not what the other side would say.
    func receive() throws(MessageError) -> Bool {
        var left = Self.share
        while left > 0 {
            let count = read(reader, &buffer, min(buffer.count, left))
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return true }
            if count <= 0 { return false }
            left -= count
            lastHeard = dlp_now()
            if preamble == nil { parser.append(buffer[..<count]) } else { try skip(to: buffer[..<count]) }
        }
        return true
    }

    /// The next message, as far as it has come.
    func next() throws(MessageError) -> Incoming? { preamble == nil ? try parser.next() : nil }

    /// Counts a silence from now on only: this process stood still.
    func excuse() { lastHeard = dlp_now() }

    /// Looks for the preamble, which noise may precede, but not much.
    private func skip(to bytes: ArraySlice<UInt8>) throws(MessageError) {
        guard let preamble else { return }
        noise += bytes
        guard noise.count <= 1 << 16 else { throw MessageError() }
        guard let start = noise.indices.first(where: { noise[$0...].starts(with: preamble) }) else { return }
        parser.append(noise[(start + preamble.count)...])
        self.preamble = nil
        noise = []
    }
}
