import DLP

/// The root's end of the connection with one worker.
final class Peer {
    let rank: Int
    let socket: Socket
    /// Whether the poller watches for room to send.
    var isWatchedForWriting = false

    private var reader: FrameReader
    private var writer: FrameWriter
    private var unsent = Queue<Message>()
    /// Whether the socket takes nothing more.
    ///
    /// Why it ended, and what came before, reading will tell.
    private var outputHasEnded = false

    /// The worker of this rank, which has proved itself.
    init(rank: Int, link: Link) {
        self.rank = rank
        socket = link.socket
        reader = FrameReader(cipher: link.channel?.incoming)
        writer = FrameWriter(cipher: link.channel?.outgoing)
    }

    /// Whether something waits until the socket takes it.
    var hasUnsent: Bool { writer.isBusy }

    /// Sends a message, or keeps what the socket does not take at once; never blocks.
    func send(_ message: Message) {
        if outputHasEnded { return }
        if hasUnsent {
            unsent.append(message)
        } else {
            writer.begin(message)
            flush()
        }
    }

    /// Sends what waits, as far as the socket takes it.
    func flush() {
        while hasUnsent {
            switch writer.flush(through: socket) {
            case .count: if let next = unsent.popFirst() { writer.begin(next) }
            case .wouldBlock: return
            case .ended:
                outputHasEnded = true
                unsent = Queue()
                return
            }
        }
    }

    /// Receives once, so that no worker keeps the others waiting, and gives complete messages to `emit`.
    func receive(through scratch: Scratch, emit: (Message) -> Void) -> FrameReader.Reception {
        reader.receive(from: socket, through: scratch, emit: emit)
    }
}
