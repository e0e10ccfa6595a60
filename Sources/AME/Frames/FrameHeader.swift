import DLP

/// The fixed part of a frame, in little-endian order: what a `Message` says besides its body.
///
///     0  magic "DLPF"     4  version (2 bytes)   6  kind   7  flags, 0 so far
///     8  operation       16  first              24  count
///     32 extra           40  length of the body
struct FrameHeader: Equatable {
    static let length = 48
    /// The version of frames and handshake together; ranks must speak the same.
    static let version: UInt16 = 1
    /// More than any address space holds, so that a larger number can only be rubbish.
    static let longestBody: UInt64 = 1 << 46

    private static let magic: UInt32 = 0x4650_4C44

    var kind: Message.Kind
    var operation: UInt64
    var first: Int64
    var count: Int64
    var extra: Int64
    var bodyLength: Int

    /// The header for `message`.
    init(_ message: Message) {
        kind = message.kind
        operation = message.operation
        first = message.first
        count = message.count
        extra = message.extra
        bodyLength = message.body.count
    }

    /// Reads a header.
    ///
    /// - Precondition: there are `length` bytes.
    /// - Throws: `FrameError` where they are not the header of a frame.
    init(reading bytes: UnsafeRawBufferPointer) throws(FrameError) {
        func word<Word: FixedWidthInteger>(_ offset: Int, as type: Word.Type = Word.self) -> Word {
            Word(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Word.self))
        }
        guard word(0) == Self.magic else { throw .notAFrame }
        guard word(4) == Self.version else { throw .version(word(4)) }
        guard let kind = Message.Kind(rawValue: bytes[6]) else { throw .kind(bytes[6]) }
        guard bytes[7] == 0 else { throw .flags(bytes[7]) }
        let bodyLength = word(40, as: UInt64.self)
        guard bodyLength <= Self.longestBody else { throw .length(bodyLength) }
        self.kind = kind
        operation = word(8)
        first = word(16)
        count = word(24)
        extra = word(32)
        self.bodyLength = Int(bodyLength)
    }

    /// Calls `body` with the header as it goes over the wire.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let opening =
            UInt64(Self.magic) | UInt64(Self.version) << 32 | UInt64(kind.rawValue) << 48
        let words = (
            opening.littleEndian, operation.littleEndian, first.littleEndian, count.littleEndian, extra.littleEndian,
            bodyLength.littleEndian
        )
        return withUnsafeBytes(of: words, body)
    }

    /// The message that this header and `body` make.
    func message(body: Bytes) -> Message {
        var message = Message(kind, operation: operation, body: body)
        message.first = first
        message.count = count
        message.extra = extra
        return message
    }
}
