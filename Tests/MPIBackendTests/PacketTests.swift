import DLP
import Testing

@testable import MPIBackend

@Suite("MPI packets")
struct PacketTests {
    static func written(_ message: Message, _ way: Packet.BodyWay) -> [UInt8] {
        var writer = ByteWriter()
        Packet.write(message, way, to: &writer)
        return writer.finish().array
    }

    static func read(_ bytes: [UInt8]) throws -> (FrameHeader, Packet.BodyWay) {
        try bytes.withUnsafeBytes { try Packet.read($0) }
    }

    @Test(
        "a packet tells all of its message, and where the body is", arguments: Message.Kind.allCases.filter(\.hasBody),
        [Packet.BodyWay.inside, .pieces, .broadcast])
    func roundTrip(kind: Message.Kind, way: Packet.BodyWay) throws {
        let message = Message(kind, operation: .max, first: .min, count: .max, extra: -1, body: Bytes([1, 2, 3]))
        let bytes = Self.written(message, way)
        #expect(bytes.count == FrameHeader.length + (way == .inside ? 3 : 0))
        let (header, readWay) = try Self.read(bytes)
        #expect(readWay == way)
        #expect(header.bodyLength == 3)
        #expect(header.message(body: message.body) == message)
    }

    @Test("an empty body is in the packet")
    func emptyBody() throws {
        let (header, way) = try Self.read(Self.written(Message(.goodbye), .inside))
        #expect(way == .inside && header.bodyLength == 0)
    }

    @Test("a packet that is cut off is refused at every length")
    func cutOff() {
        let bytes = Self.written(Message(.done, body: Bytes([1, 2, 3])), .inside)
        for length in bytes.indices {
            #expect(throws: FrameError.self) { try Self.read(Array(bytes[..<length])) }
        }
    }

    /// A way, an offset in a packet with a body of 3 bytes, the bytes to write there, and the resulting error.
    static let hostile: [(Packet.BodyWay, Int, [UInt8], FrameError)] = [
        (.inside, 0, [0], .notAFrame), (.inside, 4, [9], .version(9)), (.inside, 6, [0], .kind(0)),
        (.inside, 7, [3], .flags(3)), (.inside, 7, [4], .flags(4)), (.inside, 7, [255], .flags(255)),
        (.inside, 40, [4], .length(4)), (.inside, 40, [2], .length(2)), (.inside, 7, [1], .length(3)),
        (.pieces, 40, [0], .length(0)), (.broadcast, 40, [0], .length(0)), (.pieces, 7, [0], .length(3)),
        (.pieces, 40, Array(repeating: 255, count: 8), .length(.max)),
        (.broadcast, 40, [0, 0, 0, 0, 0, 0x80], .length(0x8000_0000_0000)),
    ]

    @Test("a header with impossible contents is refused before anything is allocated", arguments: hostile)
    func hostileHeader(way: Packet.BodyWay, offset: Int, bytes: [UInt8], error: FrameError) {
        var packet = Self.written(Message(.done, body: Bytes([1, 2, 3])), way)
        packet.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        if offset > 3 {
            let opening = packet.withUnsafeBytes { FrameHeader.opening(of: $0) }
            packet.replaceSubrange(0..<4, with: withUnsafeBytes(of: opening.littleEndian) { Array($0) })
        }
        #expect(throws: error) { try Self.read(packet) }
    }

    @Test(
        "pieces cover a body once, in order, none of them empty or too long",
        arguments: [0, 1, 99, 100, 101, 200, 12_345], [1, 7, 100, 1 << 30])
    func pieces(count: Int, limit: Int) {
        var end = 0
        for piece in Packet.pieces(of: count, atMost: limit) {
            #expect(piece.lowerBound == end && !piece.isEmpty && piece.count <= limit)
            #expect(piece.count == limit || piece.upperBound == count)
            end = piece.upperBound
        }
        #expect(end == count)
    }

    @Test("no piece is longer than MPI can count")
    func largestPiece() {
        let pieces = Array(Packet.pieces(of: 5 << 30 | 1, atMost: BodyLimits().piece))
        #expect(pieces.count == 6 && pieces.allSatisfy { $0.count <= Int(Int32.max) })
        #expect(BodyLimits().packet <= Int(Int32.max))
    }
}
