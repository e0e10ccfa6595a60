import DLP

/// A message on its way out over an encrypted connection: a few records after another, sealed when their turn comes.
struct SealedFrame {
    /// How much is sealed at a time, or a little more.
    private static let batch = 1 << 16

    private let header: FrameHeader
    private let body: Bytes
    /// How much of the body has been sealed; nil before the first record, which a body of no bytes has, too.
    private var sealed: Int?
    /// Sealed bytes, and how many of them have gone.
    private var wire: [UInt8] = []
    private var sent = 0

    /// A frame of which nothing has gone.
    init(_ message: Message) {
        header = FrameHeader(message, flags: FrameFlag.sealed)
        body = message.body
    }

    /// Sends as much as `socket` takes.
    ///
    /// - Returns: `count` once all of it has gone, else why not.
    mutating func send(through socket: Socket, sealedBy cipher: inout RecordCipher) -> Socket.Transfer {
        while true {
            if sent == wire.count {
                guard sealed != body.count else { return .count(sent) }
                do { try sealNext(by: &cipher) } catch { return .ended(error.description) }
            }
            let transfer = wire[sent...].withUnsafeBytes {
                socket.send($0, UnsafeRawBufferPointer(start: nil, count: 0))
            }
            guard case .count(let count) = transfer else { return transfer }
            sent += count
        }
    }

    /// Seals records for one call of the system, which costs as much as several of them.
    private mutating func sealNext(by cipher: inout RecordCipher) throws(FrameError) {
        wire.removeAll(keepingCapacity: true)
        let length = FrameHeader.length + body.count - (sealed ?? 0) + RecordCipher.tagLength
        wire.reserveCapacity(min(length, Self.batch + RecordCipher.longestRecord))
        sent = 0
        if sealed == nil { header.withBytes { wire.append(contentsOf: $0) } }
        repeat {
            let start = sealed ?? 0
            let end = min(body.count, start + RecordCipher.longestRecord)
            try body.withUnsafeBytes { bytes throws(FrameError) in
                try cipher.seal(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), of: header, onto: &wire)
            }
            sealed = end
        } while sealed != body.count && wire.count < Self.batch
    }
}
