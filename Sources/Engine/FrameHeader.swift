package import Codec

/// The fixed part of a frame, in little-endian order: what a `Message` says besides its body.
///
///     0  magic "DLPF"     4  version (2 bytes)   6  kind   7  flags, the transport's own
///     8  operation       16  first              24  count
///     32 extra           40  length of the body   48  cpu    56  peak
package struct FrameHeader: Equatable {
    package static let length = 64
    /// The version of frames and handshake together; ranks must speak the same.
    package static let version: UInt16 = 5
    /// The longest body.
    ///
    /// It is more than any address space holds, so a larger number can only be garbage.
    static let longestBody: UInt64 = 1 << 46

    private static let magic: UInt32 = 0x4650_4C44

    package var kind: Message.Kind
    package var flags: UInt8
    package var operation: UInt64
    package var first: Int64
    package var count: Int64
    package var extra: Int64
    package var cpu: Int64
    package var peak: Int64
    package var bodyLength: Int

    /// The header for `message`.
    package init(_ message: Message, flags: UInt8 = 0) {
        kind = message.kind
        self.flags = flags
        operation = message.operation
        first = message.first
        count = message.count
        extra = message.extra
        cpu = message.cpu
        peak = message.peak
        bodyLength = message.body.count
    }

    /// Reads a header that may have the bits of `knownFlags` set.
    ///
    /// - Precondition: there are `length` bytes.
    /// - Throws: `FrameError` where they are not the header of a frame.
    package init(reading bytes: UnsafeRawBufferPointer, knownFlags: UInt8 = 0) throws(FrameError) {
        func word<Word: FixedWidthInteger>(_ offset: Int, as type: Word.Type = Word.self) -> Word {
            Word(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Word.self))
        }
        guard word(0) == Self.opening(of: bytes) else { throw .notAFrame }
        guard word(4) == Self.version else { throw .version(word(4)) }
        guard let kind = Message.Kind(rawValue: bytes[6]) else { throw .kind(bytes[6]) }
        guard bytes[7] & ~knownFlags == 0 else { throw .flags(bytes[7]) }
        let bodyLength = word(40, as: UInt64.self)
        guard bodyLength <= (kind.hasBody ? Self.longestBody : 0) else { throw .length(bodyLength) }
        self.kind = kind
        flags = bytes[7]
        operation = word(8)
        first = word(16)
        count = word(24)
        extra = word(32)
        cpu = word(48)
        peak = word(56)
        self.bodyLength = Int(bodyLength)
    }

    /// Calls `body` with the header as it goes over the wire.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let opening = UInt64(Self.version) << 32 | UInt64(kind.rawValue) << 48 | UInt64(flags) << 56
        var words = (
            opening.littleEndian, operation.littleEndian, first.littleEndian, count.littleEndian, extra.littleEndian,
            bodyLength.littleEndian, cpu.littleEndian, peak.littleEndian
        )
        words.0 |= UInt64(withUnsafeBytes(of: words) { Self.opening(of: $0) }).littleEndian
        return try withUnsafeBytes(of: words, body)
    }

    /// The first word of a header whose other words are those of `bytes`: the magic, and a check of them.
    ///
    /// Without the check, the reader of a header that was changed on its way could wait for ever, for a body of the
    /// wrong length.
    package static func opening(of bytes: UnsafeRawBufferPointer) -> UInt32 {
        var check: UInt64 = 0
        var offset = 4
        // A loop over a stride takes several times as long.
        while offset < length - 4 {
            check =
                (check ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                &* 0x9E37_79B9_7F4A_7C15
            check ^= check >> 32
            offset += 8
        }
        check =
            (check ^ UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))))
            &* 0x9E37_79B9_7F4A_7C15
        return magic ^ UInt32(truncatingIfNeeded: check >> 32)
    }

    /// Returns the message made of this header and `body`.
    package func message(body: Bytes) -> Message {
        var message = Message(kind, operation: operation, body: body)
        message.first = first
        message.count = count
        message.extra = extra
        message.cpu = cpu
        message.peak = peak
        return message
    }
}
