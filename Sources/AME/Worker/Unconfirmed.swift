import DLP

/// Reports that a worker has sent, and that the root may not have received.
///
/// Data that the root's host has acknowledged reaches the root, unless that host dies, and the root with it.
struct Unconfirmed {
    private(set) var messages: [Message] = []
    private var size = 0

    /// How many bytes of results are kept; where there are more the oldest are forgotten, and done again if need be.
    private static let limit = 64 << 20

    /// Whether a message reports on examples.
    static func isReport(_ message: Message) -> Bool { [.done, .part, .failed].contains(message.kind) }

    /// Adds a message that is about to be sent by `socket`.
    mutating func append(_ message: Message, after socket: Socket) {
        if socket.isDelivered {
            messages = []
            size = 0
        }
        messages.append(message)
        size += message.body.count
        while size > Self.limit { size -= messages.removeFirst().body.count }
    }
}
