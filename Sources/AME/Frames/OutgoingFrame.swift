import DLP

/// A message on its way out, and how much of it has gone.
struct OutgoingFrame {
    private var header: FrameHeader
    /// What follows the header in the stream.
    private var body: Bytes
    /// The shared memory that goes with the header's first byte instead.
    private var shared: SharedBody?
    private var sent = 0

    /// A frame of which nothing has been sent.
    ///
    /// Its body is the message's, or else is in `shared`.
    init(_ message: Message, in shared: SharedBody? = nil) {
        header = FrameHeader(message)
        body = message.body
        self.shared = shared
        guard let shared else { return }
        header.flags = FrameFlag.shared
        header.bodyLength = shared.count
        body = .empty
    }

    /// Whether all of it has gone.
    var isSent: Bool { sent == FrameHeader.length + body.count }

    /// Sends as much as `socket` takes: header and body by one call.
    ///
    /// - Returns: `count` once all of it has gone, else why not.
    mutating func send(through socket: Socket) -> Socket.Transfer {
        if let shared, let transfer = pass(shared, through: socket) { return transfer }
        while !isSent {
            let transfer = header.withBytes { head in
                body.withUnsafeBytes { body in
                    socket.send(
                        UnsafeRawBufferPointer(rebasing: head.dropFirst(sent)),
                        UnsafeRawBufferPointer(rebasing: body.dropFirst(max(0, sent - FrameHeader.length))))
                }
            }
            guard case .count(let count) = transfer else { return transfer }
            sent += count
        }
        return .count(sent)
    }

    /// Sends the beginning of the header with the shared memory; nil once that is sent, or the body is to be sent in
    /// another way.
    private mutating func pass(_ shared: SharedBody, through socket: Socket) -> Socket.Transfer? {
        switch header.withBytes({ socket.send($0, passing: shared.descriptor) }) {
        case .count(let count):
            sent = count
            self.shared = nil
            return nil
        case let transfer?: return transfer
        case nil: return sendBytesAfterAll() ? nil : .ended("the system has no memory for a message to it")
        }
    }

    /// Puts the body into the stream, where too many descriptors are under way; false where the system does not map it.
    mutating func sendBytesAfterAll() -> Bool {
        guard let bytes = shared?.bytes else { return false }
        body = bytes
        header.flags = 0
        shared = nil
        return true
    }
}
