import DLP

/// A message on its way out over an encrypted connection: one record after another, each sealed when its turn comes.
struct SealedFrame {
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

    private mutating func sealNext(by cipher: inout RecordCipher) throws(FrameError) {
        let start = sealed ?? 0
        let end = min(body.count, start + RecordCipher.longestRecord)
        wire.removeAll(keepingCapacity: true)
        wire.reserveCapacity(FrameHeader.length + end - start + RecordCipher.tagLength)
        if sealed == nil { header.withBytes { wire.append(contentsOf: $0) } }
        try body.withUnsafeBytes { bytes throws(FrameError) in
            try cipher.seal(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), of: header, onto: &wire)
        }
        sealed = end
        sent = 0
    }
}
