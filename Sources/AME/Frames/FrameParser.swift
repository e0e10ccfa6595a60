import DLP

/// Cuts a stream of bytes, which arrives in any pieces, into messages.
struct FrameParser: ~Copyable {
    /// From this many missing bytes on, a body is read into its own memory rather than copied there.
    static let directThreshold = 1 << 16

    private var partialHeader: [UInt8] = []
    private var header: FrameHeader?
    private var body = BodyBuffer()
    /// Opens the bodies of a stream that is encrypted.
    private var records: RecordReader?
    private let sharesMemory: Bool
    /// The descriptor that came with the beginning of a header, until the whole header is here.
    private var passed: PassedDescriptor?
    /// The body under way, where it lies in shared memory.
    private var sharedBody: Bytes?

    /// A parser at the beginning of a stream that `cipher` decrypts; nil: it is not encrypted.
    init(cipher: RecordCipher? = nil, sharesMemory: Bool = false) {
        self.sharesMemory = sharesMemory
        partialHeader.reserveCapacity(FrameHeader.length)
        records = cipher.map { RecordReader(cipher: $0) }
    }

    /// Whether the stream stands between two messages.
    var isBetweenMessages: Bool { header == nil && partialHeader.isEmpty }

    /// Whether the next bytes should be read into `space`.
    var wantsDirectRead: Bool { records == nil && body.missing >= Self.directThreshold }

    /// Memory of the body under way, for the bytes that come next.
    mutating func space() throws(FrameError) -> UnsafeMutableRawBufferPointer { try body.space() }

    /// Counts `count` bytes that were read into `space`, and returns the message that they complete, if any.
    mutating func advance(by count: Int) -> Message? {
        body.advance(by: count)
        return finishedMessage()
    }

    /// Takes a descriptor that came with the bytes which are fed next.
    ///
    /// - Throws: `FrameError.shared` where the one before belongs to no message.
    mutating func pass(_ descriptor: consuming PassedDescriptor) throws(FrameError) {
        guard passed == nil else { throw .shared }
        passed = consume descriptor
    }

    /// Takes all of `bytes` and gives each message that they complete to `emit`.
    ///
    /// - Throws: `FrameError` where the stream is not one of frames; the parser is of no use afterwards.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, emit: (Message) -> Void) throws(FrameError) {
        var taken = 0
        while taken < bytes.count {
            if header == nil { taken += try takeHeader(from: UnsafeRawBufferPointer(rebasing: bytes[taken...])) }
            taken += try takeBody(from: UnsafeRawBufferPointer(rebasing: bytes[taken...]))
            if let message = finishedMessage() { emit(message) }
        }
        // A descriptor comes with the first byte of a header, but none of the headers has taken this one.
        if passed != nil, partialHeader.isEmpty { throw .shared }
    }

    /// Reads the header, or keeps its beginning, and returns how many bytes it took.
    private mutating func takeHeader(from bytes: UnsafeRawBufferPointer) throws(FrameError) -> Int {
        if partialHeader.isEmpty, bytes.count >= FrameHeader.length {
            try begin(readHeader(bytes))
            return FrameHeader.length
        }
        let taken = min(bytes.count, FrameHeader.length - partialHeader.count)
        partialHeader.append(contentsOf: bytes.prefix(taken))
        if partialHeader.count == FrameHeader.length {
            let complete = partialHeader.withUnsafeBytes { bytes in
                Result { () throws(FrameError) in try readHeader(bytes) }
            }
            try begin(complete.get())
            partialHeader.removeAll(keepingCapacity: true)
        }
        return taken
    }

    /// Reads a header.
    ///
    /// It must say that its frame is encrypted where the stream is, and only there.
    private func readHeader(_ bytes: UnsafeRawBufferPointer) throws(FrameError) -> FrameHeader {
        guard records != nil else {
            return try FrameHeader(reading: bytes, knownFlags: sharesMemory ? FrameFlag.shared : 0)
        }
        let header = try FrameHeader(reading: bytes, knownFlags: FrameFlag.sealed)
        guard header.flags == FrameFlag.sealed else { throw .clear }
        return header
    }

    private mutating func begin(_ header: FrameHeader) throws(FrameError) {
        self.header = header
        guard header.flags != FrameFlag.shared else {
            guard let passed = passed.take() else { throw .shared }
            return sharedBody = try SharedBody.bytes(of: passed, count: header.bodyLength)
        }
        guard AvailableMemory.suffices(for: header.bodyLength) else { throw .memory(header.bodyLength) }
        body.begin(length: header.bodyLength)
        records?.begin()
    }

    /// Takes what belongs to the body under way, and returns how many bytes that was.
    private mutating func takeBody(from bytes: UnsafeRawBufferPointer) throws(FrameError) -> Int {
        guard let header, records != nil else { return try body.append(bytes) }
        return try records?.take(bytes, of: header, onto: &body) ?? 0
    }

    private mutating func finishedMessage() -> Message? {
        guard let header, records?.isFinished ?? (body.missing == 0) else { return nil }
        self.header = nil
        return header.message(body: sharedBody.take() ?? body.take())
    }
}
