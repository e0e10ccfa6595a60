import DLP

/// A message on its way out over an encrypted connection: a few records after another, sealed when their turn comes.
struct SealedFrame {
    /// How much is sealed at a time, or a little more.
    private static let batch = 1 << 16

    private let header: FrameHeader
    private let body: Bytes
    /// How much of the body has been sealed; nil before the first record, which a body of no bytes has, too.
    private var sealed: Int?
    /// Memory for a batch, used again for the next; how many bytes are in it, and how many of those have gone.
    private var wire: [UInt8] = []
    private var filled = 0
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
            if sent == filled {
                guard sealed != body.count else { return .count(sent) }
                do { try sealNext(by: &cipher) } catch { return .ended(error.description) }
            }
            let transfer = wire[sent..<filled].withUnsafeBytes {
                socket.send($0, UnsafeRawBufferPointer(start: nil, count: 0))
            }
            guard case .count(let count) = transfer else { return transfer }
            sent += count
        }
    }

    /// Seals records for one call of the system, which costs as much as several of them.
    private mutating func sealNext(by cipher: inout RecordCipher) throws(FrameError) {
        if sealed == nil { begin() }
        var end = sealed ?? 0
        var place = sealed == nil ? FrameHeader.length : 0
        let (header, body) = (header, body)
        sent = 0
        let batch = wire.withUnsafeMutableBytes { wire in
            Result { () throws(FrameError) in
                repeat {
                    let start = end
                    end = min(body.count, start + RecordCipher.longestRecord)
                    let space = UnsafeMutableRawBufferPointer(rebasing: wire[place...])
                    place += try body.withUnsafeBytes { bytes throws(FrameError) in
                        try cipher.seal(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), of: header, to: space)
                    }
                } while end != body.count && place < Self.batch
            }
        }
        try batch.get()
        sealed = end
        filled = place
    }

    /// Takes memory for as much as a batch may be, and puts the header there.
    private mutating func begin() {
        let records = max(1, (body.count + RecordCipher.longestRecord - 1) / RecordCipher.longestRecord)
        let length = FrameHeader.length + body.count + records * RecordCipher.tagLength
        let most = Self.batch + RecordCipher.length(of: RecordCipher.longestRecord)
        wire = [UInt8](repeating: 0, count: min(length, most))
        header.withBytes { bytes in wire.withUnsafeMutableBytes { $0.copyMemory(from: bytes) } }
    }
}
