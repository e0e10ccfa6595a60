import DLP

/// Sends messages through a socket, encrypted where there is a cipher, one at a time and as far as the socket takes it.
struct FrameWriter: ~Copyable {
    private enum Frame {
        case clear(OutgoingFrame)
        case sealed(SealedFrame)
    }

    private let socket: Socket
    private var cipher: RecordCipher?
    private var current: Frame?

    /// A writer of all that goes over a link.
    init(_ link: Link) {
        socket = link.socket
        cipher = link.channel?.outgoing
    }

    /// Whether part of a message has not gone yet.
    var isBusy: Bool { current != nil }

    /// Takes the next message, once the one before has been sent.
    ///
    /// `shared` is sent in place of its body, only over links that share memory.
    mutating func begin(_ message: Message, shared: SharedBody? = nil) {
        current = cipher == nil ? .clear(OutgoingFrame(message, in: shared)) : .sealed(SealedFrame(message))
    }

    /// Sends as much as the socket takes.
    ///
    /// - Returns: `count` once all of the message has gone, else why not.
    mutating func flush() -> Socket.Transfer {
        let transfer: Socket.Transfer
        // Taken out while it is changed: if it were changed in place, its buffer would be copied.
        switch current.take() {
        case .clear(var frame):
            transfer = frame.send(through: socket)
            current = .clear(frame)
        case .sealed(var frame):
            guard var cipher = cipher.take() else { preconditionFailure("sealed frames are begun with a cipher") }
            transfer = frame.send(through: socket, sealedBy: &cipher)
            self.cipher = cipher
            current = .sealed(frame)
        case nil: return .count(0)
        }
        // Once the connection has ended, nothing more of the message can be sent.
        if transfer != .wouldBlock { current = nil }
        return transfer
    }
}
