import CSystem
import Glibc

/// Messages over two descriptors.
///
/// Neither reading nor writing ever blocks.
final class MessageLink<Incoming: AgentMessage, Outgoing: AgentMessage> {
    /// If this number of bytes waits to be written, no more messages should be made.
    private static var limit: Int { 1 << 20 }
    /// How many bytes are read at a time, so that other descriptors get their turn.
    private static var share: Int { 1 << 18 }

    let reader: Int32
    let writer: Int32
    private var parser = MessageParser()
    private var queue: [UInt8] = []
    private var written = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// The bytes before the first message.
    ///
    /// Anything that comes before them is noise, for example from a shell.
    private var preamble: [UInt8]?
    private var noise: [UInt8] = []
    /// Whether the writing end is watched for room.
    private var isAwaited = false
    /// When the other side last sent something.
    private(set) var lastHeard = dlp_now()
    /// When something was last sent to the other side.
    private var lastSent = dlp_now()
    /// Whether the other side has stopped reading.
    private(set) var isDeaf = false

    /// Takes over the descriptors.
    ///
    /// - Parameter preamble: what the other side sends before its first message, possibly after output of shells.
    init(reader: Int32, writer: Int32, after preamble: [UInt8]? = nil) {
        self.reader = reader
        self.writer = writer
        self.preamble = preamble
        for descriptor in [reader, writer] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
    }

    /// Whether so many bytes wait to be written that no more messages should be made.
    var isFull: Bool { queue.count - written >= Self.limit }

    private var isPending: Bool { written < queue.count }

    /// When the next sign of life is due; nil where bytes wait to be written, because they are one.
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

    /// Writes waiting bytes, as far as the other side takes them.
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

    /// Lets `poller` report room under `number`, as long as bytes wait.
    func await(by poller: Poller, as number: Int) {
        let isWanted = isPending && !isDeaf
        guard isWanted != isAwaited else { return }
        isAwaited = isWanted
        if isWanted { poller.add(writer, as: number, for: .output) } else { poller.remove(writer) }
    }

    /// Reads what has come, up to `share` bytes.
    ///
    /// - Returns: whether more can come.
    /// - Throws: `MessageError` where the bytes are no valid messages.
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

    /// Returns the next message, if it has come completely.
    func next() throws(MessageError) -> Incoming? { preamble == nil ? try parser.next() : nil }

    /// Restarts the measurement of silence, because this process stood still.
    func excuse() { lastHeard = dlp_now() }

    /// Looks for the preamble.
    ///
    /// A limited amount of noise may precede it.
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
