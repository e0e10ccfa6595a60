import DLP

/// A message on its way out, and how much of it has gone.
struct OutgoingFrame {
    private var header: FrameHeader
    /// What follows the header in the stream.
    private var body: Bytes
    /// What goes with the header's first byte instead.
    private var shared: SharedBody?
    private var sent = 0

    /// A frame of which nothing has gone, with its body in the stream or else in shared memory.
    init(_ message: Message, in shared: SharedBody? = nil) {
        header = FrameHeader(message, flags: shared == nil ? 0 : FrameFlag.shared)
        body = shared == nil ? message.body : .empty
        self.shared = shared
    }

    /// Whether all of it has gone.
    var isSent: Bool { sent == FrameHeader.length + body.count }

    /// Sends as much as `socket` takes: header and body by one call.
    ///
    /// - Returns: `count` once all of it has gone, else why not.
    mutating func send(through socket: Socket) -> Socket.Transfer {
        while !isSent {
            guard let transfer = sendOnce(through: socket) else {
                guard sendBytesAfterAll() else { return .ended("the system has no memory for a message to it") }
                continue
            }
            guard case .count(let count) = transfer else { return transfer }
            sent += count
            shared = nil
        }
        return .count(sent)
    }

    private func sendOnce(through socket: Socket) -> Socket.Transfer? {
        header.withBytes { head in
            if let shared { return socket.send(head, passing: shared.descriptor) }
            return body.withUnsafeBytes { body in
                socket.send(
                    UnsafeRawBufferPointer(rebasing: head.dropFirst(sent)),
                    UnsafeRawBufferPointer(rebasing: body.dropFirst(max(0, sent - FrameHeader.length))))
            }
        }
    }

    /// Puts the body into the stream, where too many descriptors are under way; false where that cannot be.
    mutating func sendBytesAfterAll() -> Bool {
        guard let bytes = shared?.bytes else { return false }
        body = bytes
        header.flags = 0
        shared = nil
        return true
    }
}
