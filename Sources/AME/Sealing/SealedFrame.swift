import DLP

/// A message on its way out over an encrypted connection.
///
/// Its records are sealed in batches, when their turn comes.
struct SealedFrame {
    /// How many bytes are sealed at a time; a batch may be a little larger.
    private static let batch = 1 << 16

    private let header: FrameHeader
    private let body: Bytes
    /// How much of the body has been sealed; nil before the first record.
    ///
    /// An empty body has one record, too.
    private var sealed: Int?
    /// Memory for a batch, reused for the next; how many bytes are in it, and how many of those have been sent.
    private var wire: [UInt8] = []
    private var filled = 0
    private var sent = 0

    /// A frame of which nothing has been sent.
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

    /// Seals several records for one system call, which costs as much as sealing several of them.
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

    /// Allocates memory for the largest batch, and puts the header there.
    private mutating func begin() {
        let records = max(1, (body.count + RecordCipher.longestRecord - 1) / RecordCipher.longestRecord)
        let length = FrameHeader.length + body.count + records * RecordCipher.tagLength
        let most = Self.batch + RecordCipher.length(of: RecordCipher.longestRecord)
        wire = [UInt8](repeating: 0, count: min(length, most))
        header.withBytes { bytes in wire.withUnsafeMutableBytes { $0.copyMemory(from: bytes) } }
    }
}
