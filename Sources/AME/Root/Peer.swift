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
    /// Whether nothing more is sent: then the connection has been ended here, too, so that reading finds its end.
    private var hasFailed = false
    /// Why, where reading would not find the reason.
    private var failure: String?

    /// A message that waits.
    ///
    /// Where its body lies in shared memory, `shared` stands in place of the body.
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
    var hasUnsent: Bool { writer.isBusy && !hasFailed }

    /// How many bytes have come.
    var receivedCount: UInt64 { reader.byteCount }

    /// Sends a message, or keeps what the socket does not take at once.
    ///
    /// Never waits, but may copy a large body.
    ///
    /// - Parameter shared: its body, where that lies in shared memory already.
    func send(_ message: Message, shared: SharedBody? = nil) {
        if hasFailed { return }
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
            case .ended(let reason): fail(reason)
            }
        }
    }

    /// Whether its host has owed an acknowledgement for too long; to be asked at each check.
    func isSilent() -> Bool { debt.isOverdue(socket.descriptor) }

    /// Ends the connection, for this reason: a clause that follows the worker's name.
    ///
    /// What the worker has sent before can still be received; then comes the end. The end must not depend on the
    /// worker, which may be running as before.
    func fail(_ reason: String) {
        guard !hasFailed else { return }
        hasFailed = true
        if reason != Socket.closing { failure = reason }
        unsent = Queue()
        socket.shutDown()
    }

    /// Receives once, so that no worker keeps the others waiting, and gives complete messages to `emit`.
    func receive(through scratch: Scratch, emit: (Message) -> Void) -> FrameReader.Reception {
        let reception = reader.receive(through: scratch, emit: emit)
        if case .ended = reception, let failure { return .ended(failure) }
        return reception
    }
}
