import DLP

/// How a `Message` becomes MPI messages: a packet, which has the header and a small body; and the pieces of a large one.
enum Packet {
    /// Tells packets from pieces.
    static let tag: Int32 = 1
    static let pieceTag: Int32 = 2

    /// What the header's flags say of the body.
    enum BodyWay: UInt8 {
        /// It follows the header in the same packet.
        case inside = 0
        /// It follows in pieces.
        case pieces = 1
        /// Its pieces are broadcast.
        case broadcast = 2
    }

    /// Writes the packet for a message whose body is sent the way `way`.
    static func write(_ message: Message, _ way: BodyWay, to writer: inout ByteWriter) {
        FrameHeader(message, flags: way.rawValue).withBytes { writer.append(contentsOf: $0) }
        if way == .inside { writer.append(message.body) }
    }

    /// Reads a packet's header.
    ///
    /// - Throws: `FrameError` where there is none, or one that contradicts the packet's length.
    static func read(_ packet: UnsafeRawBufferPointer) throws(FrameError) -> (FrameHeader, BodyWay) {
        guard packet.count >= FrameHeader.length else { throw .notAFrame }
        let header = try FrameHeader(reading: packet, knownFlags: BodyWay.pieces.rawValue | BodyWay.broadcast.rawValue)
        guard let way = BodyWay(rawValue: header.flags) else { throw .flags(header.flags) }
        let rest = packet.count - FrameHeader.length
        guard way == .inside ? rest == header.bodyLength : rest == 0 && header.bodyLength > 0 else {
            throw .length(UInt64(header.bodyLength))
        }
        return (header, way)
    }

    /// The pieces of a body of `count` bytes, in order.
    static func pieces(of count: Int, atMost limit: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: limit).lazy.map { $0..<min($0 + limit, count) }
    }
}

/// The sizes from which on a body is sent in another way; all ranks must agree on them.
package struct BodyLimits: Sendable {
    /// The largest body that goes with its header: the two fit into what MPI libraries send without asking first.
    package var inside = 3840
    /// The smallest body that is broadcast to all ranks rather than sent to each.
    package var broadcast = 1 << 16
    /// The largest piece: MPI counts in 32 bits.
    package var piece = 1 << 30

    /// What a job uses.
    package init() {}

    /// The largest packet.
    var packet: Int { FrameHeader.length + inside }
}
