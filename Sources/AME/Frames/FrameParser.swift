import DLP

/// Cuts a stream of bytes, which arrives in any pieces, into messages.
struct FrameParser: ~Copyable {
    /// From this many missing bytes on, a body is read into its own memory rather than copied there.
    static let directThreshold = 1 << 16

    private var partialHeader: [UInt8] = []
    private var header: FrameHeader?
    private var body = BodyBuffer()

    /// At the beginning of a stream.
    init() { partialHeader.reserveCapacity(FrameHeader.length) }

    /// Whether the stream stands between two messages.
    var isBetweenMessages: Bool { header == nil && partialHeader.isEmpty }

    /// Whether the next bytes should be read into `space`.
    var wantsDirectRead: Bool { body.missing >= Self.directThreshold }

    /// Memory of the body under way, for the bytes that come next.
    mutating func space() throws(FrameError) -> UnsafeMutableRawBufferPointer { try body.space() }

    /// Counts `count` bytes that were read into `space`, and returns the message that they complete, if any.
    mutating func advance(by count: Int) -> Message? {
        body.advance(by: count)
        return finishedMessage()
    }

    /// Takes all of `bytes` and gives each message that they complete to `emit`.
    ///
    /// - Throws: `FrameError` where the stream is not one of frames; the parser is of no use afterwards.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, emit: (Message) -> Void) throws(FrameError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if header == nil {
                let taken = try takeHeader(from: UnsafeRawBufferPointer(rebasing: rest))
                rest = rest.dropFirst(taken)
            }
            let taken = try body.append(UnsafeRawBufferPointer(rebasing: rest))
            rest = rest.dropFirst(taken)
            if let message = finishedMessage() { emit(message) }
        }
    }

    /// Reads the header, or keeps its beginning, and returns how many bytes it took.
    private mutating func takeHeader(from bytes: UnsafeRawBufferPointer) throws(FrameError) -> Int {
        if partialHeader.isEmpty, bytes.count >= FrameHeader.length {
            try begin(FrameHeader(reading: bytes))
            return FrameHeader.length
        }
        let taken = min(bytes.count, FrameHeader.length - partialHeader.count)
        partialHeader.append(contentsOf: bytes.prefix(taken))
        if partialHeader.count == FrameHeader.length {
            let complete = partialHeader.withUnsafeBytes { bytes in
                Result { () throws(FrameError) in try FrameHeader(reading: bytes) }
            }
            try begin(complete.get())
            partialHeader.removeAll(keepingCapacity: true)
        }
        return taken
    }

    private mutating func begin(_ header: FrameHeader) {
        self.header = header
        body.begin(length: header.bodyLength)
    }

    private mutating func finishedMessage() -> Message? {
        guard let header, body.missing == 0 else { return nil }
        self.header = nil
        return header.message(body: body.take())
    }
}
