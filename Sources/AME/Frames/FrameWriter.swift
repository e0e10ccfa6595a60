import DLP

/// Sends messages through a socket, encrypted where there is a cipher, one at a time and as far as the socket takes it.
struct FrameWriter: ~Copyable {
    private enum Frame {
        case clear(OutgoingFrame)
        case sealed(SealedFrame)
    }

    private var cipher: RecordCipher?
    private var current: Frame?

    /// At the beginning of a stream that `cipher` seals; nil: it is not encrypted.
    init(cipher: RecordCipher?) { self.cipher = cipher }

    /// Whether part of a message has not gone yet.
    var isBusy: Bool { current != nil }

    /// Takes the next message, once the one before has gone.
    mutating func begin(_ message: Message) {
        current = cipher == nil ? .clear(OutgoingFrame(message)) : .sealed(SealedFrame(message))
    }

    /// Sends as much as `socket` takes.
    ///
    /// - Returns: `count` once all of the message has gone, else why not.
    mutating func flush(through socket: Socket) -> Socket.Transfer {
        let transfer: Socket.Transfer
        // Taken out while it is changed: in place its buffer would be copied.
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
        // Once the connection has ended nothing of it will go any more.
        if transfer != .wouldBlock { current = nil }
        return transfer
    }
}
