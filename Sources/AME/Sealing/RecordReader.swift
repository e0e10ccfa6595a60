import DLP

/// Takes the records of a frame from a stream of bytes, which arrives in any pieces, and opens them.
struct RecordReader {
    private var cipher: RecordCipher
    /// The beginning of a record whose end has not come yet.
    private var partial: [UInt8] = []
    /// Whether every record of the frame under way has been opened.
    private(set) var isFinished = false

    /// A reader at the beginning of a stream that `cipher` decrypts.
    init(cipher: RecordCipher) { self.cipher = cipher }

    /// Prepares for the records of another frame.
    mutating func begin() { isFinished = false }

    /// Takes bytes of the record that comes next, appends what is in it to `body` once it is whole, and returns how many
    /// bytes it took.
    ///
    /// - Throws: `FrameError.forged` where the record is not the peer's next one under this header.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer, of header: FrameHeader, onto body: inout BodyBuffer
    ) throws(FrameError) -> Int {
        let length = RecordCipher.length(of: min(body.missing, RecordCipher.longestRecord))
        if partial.isEmpty, bytes.count >= length {
            try cipher.open(UnsafeRawBufferPointer(rebasing: bytes[..<length]), of: header, onto: &body)
            isFinished = body.missing == 0
            return length
        }
        let taken = min(bytes.count, length - partial.count)
        partial.append(contentsOf: bytes[..<taken])
        if partial.count == length {
            let opened = partial.withUnsafeBytes { record in
                Result { () throws(FrameError) in try cipher.open(record, of: header, onto: &body) }
            }
            try opened.get()
            partial.removeAll(keepingCapacity: length <= RecordCipher.longestRecord)
            isFinished = body.missing == 0
        }
        return taken
    }
}
