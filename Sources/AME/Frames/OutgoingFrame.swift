import DLP

/// A message on its way out, and how much of it has gone.
struct OutgoingFrame {
    private let header: FrameHeader
    private let body: Bytes
    private var sent = 0

    /// A frame of which nothing has gone.
    init(_ message: Message) {
        header = FrameHeader(message)
        body = message.body
    }

    /// Whether all of it has gone.
    var isSent: Bool { sent == FrameHeader.length + body.count }

    /// Sends as much as `socket` takes: header and body by one call.
    ///
    /// - Returns: `count` once all of it has gone, else why not.
    mutating func send(through socket: Socket) -> Socket.Transfer {
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
}
