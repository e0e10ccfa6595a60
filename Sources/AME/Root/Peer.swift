import DLP

/// The root's end of the connection with one worker.
final class Peer {
    let rank: Int
    let socket: Socket
    /// Whether it can be given memory to share.
    let sharesMemory: Bool
    /// Whether the poller watches for room to send.
    var isWatchedForWriting = false

    private var reader: FrameReader
    private var writer: FrameWriter
    private var unsent = Queue<Parcel>()
    private var debt = Liveness.Debt()
    /// Whether the socket takes nothing more.
    ///
    /// Why it ended, and what came before, reading will tell.
    private var outputHasEnded = false

    /// A message that waits, and instead of its body what is in shared memory, where that is.
    private struct Parcel {
        var message: Message
        let shared: SharedBody?

        init(_ message: Message, _ shared: SharedBody?) {
            self.message = message
            self.shared = shared
            if shared != nil { self.message.body = .empty }
        }
    }

    /// The worker of this rank, which has proved itself.
    init(rank: Int, link: Link) {
        self.rank = rank
        socket = link.socket
        sharesMemory = link.sharesMemory
        reader = FrameReader(link, fromRoot: false)
        writer = FrameWriter(link)
    }

    /// Whether something waits until the socket takes it.
    var hasUnsent: Bool { writer.isBusy }

    /// Sends a message, or keeps what the socket does not take at once; never waits, if it may copy a large body.
    ///
    /// - Parameter shared: its body, where that lies in shared memory already.
    func send(_ message: Message, shared: SharedBody? = nil) {
        if outputHasEnded { return }
        let shared = sharesMemory ? shared : nil
        if hasUnsent {
            unsent.append(Parcel(message, shared))
        } else {
            writer.begin(message, shared: shared)
            flush()
        }
    }

    /// Sends what waits, as far as the socket takes it.
    func flush() {
        while hasUnsent {
            switch writer.flush() {
            case .count: if let next = unsent.popFirst() { writer.begin(next.message, shared: next.shared) }
            case .wouldBlock: return
            case .ended:
                outputHasEnded = true
                unsent = Queue()
                return
            }
        }
    }

    /// Whether its host has owed an acknowledgement for too long; to be asked every few seconds.
    func isSilent() -> Bool { debt.isOverdue(socket.descriptor) }

    /// Receives once, so that no worker keeps the others waiting, and gives complete messages to `emit`.
    func receive(through scratch: Scratch, emit: (Message) -> Void) -> FrameReader.Reception {
        reader.receive(through: scratch, emit: emit)
    }
}
