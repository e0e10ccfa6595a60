import DLP

/// The root's end of the connection with one worker.
final class Peer {
    let rank: Int
    let socket: Socket
    /// Whether the poller watches for room to send.
    var isWatchedForWriting = false

    private var reader = FrameReader()
    private var current: OutgoingFrame?
    private var unsent = Queue<OutgoingFrame>()
    /// Whether the socket takes nothing more.
    ///
    /// Why it ended, and what came before, reading will tell.
    private var outputHasEnded = false

    /// The worker of this rank, which has proved itself.
    init(rank: Int, socket: Socket) {
        self.rank = rank
        self.socket = socket
    }

    /// Whether something waits until the socket takes it.
    var hasUnsent: Bool { current != nil }

    /// Sends a message, or keeps what the socket does not take at once; never blocks.
    func send(_ message: Message) {
        if outputHasEnded { return }
        if hasUnsent {
            unsent.append(OutgoingFrame(message))
        } else {
            current = OutgoingFrame(message)
            flush()
        }
    }

    /// Sends what waits, as far as the socket takes it.
    func flush() {
        while var frame = current.take() {
            switch frame.send(through: socket) {
            case .count: current = unsent.popFirst()
            case .wouldBlock:
                current = frame
                return
            case .ended:
                outputHasEnded = true
                unsent = Queue()
            }
        }
    }

    /// Receives once, so that no worker keeps the others waiting, and gives complete messages to `emit`.
    func receive(through scratch: Scratch, emit: (Message) -> Void) -> FrameReader.Reception {
        reader.receive(from: socket, through: scratch, emit: emit)
    }
}
