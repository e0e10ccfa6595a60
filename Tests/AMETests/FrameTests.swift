import DLP
import Testing

@testable import AME

@Suite("Frames")
struct FrameTests {
    static let messages: [Message] =
        Message.Kind.allCases.map {
            Message(
                $0, operation: .max, first: .min, count: .max, extra: -1,
                body: $0.hasBody ? Bytes([$0.rawValue, 0]) : .empty)
        } + [
            Message(.goodbye), Message(.results, operation: 7, first: 1, count: 2, extra: 3, body: pattern(3_000_000)),
        ]

    /// Returns the messages as they are sent.
    static func wire(_ messages: [Message]) -> [UInt8] {
        messages.flatMap { FrameHeader($0).withBytes { Array($0) } + $0.body.array }
    }

    /// Returns what a parser makes of bytes that arrive in pieces of given sizes.
    static func parse(_ bytes: [UInt8], pieces: () -> Int) throws -> [Message] {
        var parser = FrameParser()
        var messages: [Message] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieces())
            rest = rest.dropFirst(piece.count)
            if parser.wantsDirectRead {
                var piece = piece
                while !piece.isEmpty {
                    let space = try parser.space()
                    let count = min(piece.count, space.count)
                    space.copyBytes(from: piece.prefix(count))
                    piece = piece.dropFirst(count)
                    if let message = parser.advance(by: count) {
                        messages.append(message)
                        try piece.withUnsafeBytes { try parser.feed($0) { messages.append($0) } }
                        piece = []
                    }
                }
            } else {
                try piece.withUnsafeBytes { try parser.feed($0) { messages.append($0) } }
            }
        }
        let isBetweenMessages = parser.isBetweenMessages
        #expect(isBetweenMessages)
        return messages
    }

    @Test("every message comes out as it went in", arguments: messages)
    func roundTrip(message: Message) throws {
        #expect(try Self.parse(Self.wire([message])) { .max } == [message])
    }

    @Test("it does not matter in which pieces the bytes arrive", arguments: [1, 2, 47, 63, 64, 65, 65_536, 1_000_003])
    func pieces(size: Int) throws {
        let messages = size < 40 ? Array(Self.messages.dropLast()) : Self.messages
        #expect(try Self.parse(Self.wire(messages)) { size } == messages)
    }

    @Test("random pieces of random messages", arguments: 0..<20 as Range<UInt64>)
    func randomWalk(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let messages = (0..<50).map { _ in
            let length = Int.random(in: 0...300_000, using: &generator) >> Int.random(in: 0...18, using: &generator)
            let kind = Message.Kind.allCases.randomElement(using: &generator) ?? .stop
            return Message(
                kind, operation: generator.next(), first: Int(truncatingIfNeeded: generator.next()),
                cpu: Int64(bitPattern: generator.next()), peak: Int64(bitPattern: generator.next()),
                body: kind.hasBody ? pattern(length) : .empty)
        }
        let parsed = try Self.parse(Self.wire(messages)) {
            1 << Int.random(in: 0...18, using: &generator)
        }
        #expect(parsed == messages, "seed \(seed)")
    }

    @Test("a message that is cut short anywhere is not delivered")
    func truncation() throws {
        let bytes = Self.wire([Message(.done, body: Bytes([1, 2, 3]))])
        for length in 1..<bytes.count {
            var parser = FrameParser()
            try bytes[..<length].withUnsafeBytes { bytes in
                try parser.feed(bytes) { _ in Issue.record("a message came from \(length) bytes") }
            }
            let isBetweenMessages = parser.isBetweenMessages
            #expect(!isBetweenMessages)
        }
    }

    static let hostile: [(Int, [UInt8], FrameError)] = [
        (0, [0], .notAFrame), (3, [1], .notAFrame), (4, [6], .version(6)), (5, [1], .version(261)),
        (6, [0], .kind(0)), (6, [100], .kind(100)), (6, [255], .kind(255)), (7, [1], .flags(1)),
        (7, [128], .flags(128)),
        (40, [UInt8](repeating: 255, count: 8), .length(.max)), (46, [0x40, 0], .length(1 << 54)),
        (47, [0x80], .length(1 << 63)),
    ]

    /// Makes a changed header valid again.
    static func reseal(_ frame: inout [UInt8]) {
        let opening = frame.withUnsafeBytes { FrameHeader.opening(of: $0) }
        frame.replaceSubrange(0..<4, with: opening.littleEndianBytes)
    }

    @Test("a header that cannot be is refused before anything is allocated", arguments: hostile)
    func hostileHeader(offset: Int, bytes: [UInt8], error: FrameError) {
        var frame = Self.wire([Message(.enter)])
        frame.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        if offset > 3 { Self.reseal(&frame) }
        #expect(throws: error) { try Self.parse(frame) { .max } }
        #expect(throws: error) { try Self.parse(frame) { 1 } }
    }

    @Test("random bytes are refused or wait for more, and never more than that", arguments: 0..<50 as Range<UInt64>)
    func noise(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var frame = Self.wire([Message(.enter, body: pattern(10))])
        for _ in 0..<3 {
            frame[Int.random(in: 0..<48, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        var parser = FrameParser()
        var delivered = 0
        do {
            try frame.withUnsafeBytes { try parser.feed($0) { _ in delivered += 1 } }
        } catch {
            #expect(error is FrameError)
        }
        #expect(delivered <= 1, "seed \(seed)")
    }

    @Test(
        "a header that was changed anywhere on its way is noticed at once, and nothing is waited for", arguments: 0..<48
    )
    func changed(place: Int) {
        for mask: UInt8 in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            var frame = Self.wire([Message(.done, operation: 3, first: 9, count: 2, extra: 77, body: pattern(10))])
            frame[place] ^= mask
            #expect(throws: FrameError.notAFrame) { try Self.parse(frame) { .max } }
        }
    }

    @Test("a kind of message that has no body announces none", arguments: Message.Kind.allCases.filter { !$0.hasBody })
    func bodiless(kind: Message.Kind) {
        var frame = Self.wire([Message(kind)])
        frame[40] = 1
        Self.reseal(&frame)
        #expect(throws: FrameError.length(1)) { try Self.parse(frame) { .max } }
    }

    @Test("a peer that announces much and sends little costs little")
    func announcement() throws {
        var frame = Self.wire([Message(.results)])
        frame.replaceSubrange(40..<48, with: (AvailableMemory.leastLooked - 1).littleEndianBytes)
        Self.reseal(&frame)
        var parser = FrameParser()
        try frame.withUnsafeBytes { try parser.feed($0) { _ in Issue.record("there is no message") } }
        #expect(try parser.space().count == 1 << 20)
    }

    @Test("a peer that announces more than there is memory for is not waited for", arguments: [1 << 46, 1 << 44])
    func tooMuch(length: Int) throws {
        var frame = Self.wire([Message(.results)])
        frame.replaceSubrange(40..<48, with: length.littleEndianBytes)
        Self.reseal(&frame)
        #expect(throws: FrameError.memory(length)) { try Self.parse(frame) { .max } }
        #expect(try #require(AvailableMemory.bytes) > 1 << 20)
    }
}
