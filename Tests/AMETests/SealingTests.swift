import Crypto
import DLP
import Testing

@testable import AME

@Suite("Encrypted frames")
struct SealingTests {
    static let key = SymmetricKey(data: [UInt8](0..<32))

    static func cipher(recordsPerKey: UInt64 = RecordCipher.recordsPerKey) -> RecordCipher {
        RecordCipher(key: key, recordsPerKey: recordsPerKey)
    }

    /// Returns the messages as they are sent, each of them separately.
    static func wire(_ messages: [Message], cipher: RecordCipher = cipher()) throws -> [[UInt8]] {
        var cipher = cipher
        return try messages.map { message in
            let header = FrameHeader(message, flags: FrameFlag.sealed)
            var wire = header.withBytes { Array($0) }
            var start = 0
            repeat {
                let end = min(message.body.count, start + RecordCipher.longestRecord)
                var record = [UInt8](repeating: 0, count: RecordCipher.length(of: end - start))
                try record.withUnsafeMutableBytes { record in
                    _ = try message.body[start..<end].withUnsafeBytes { try cipher.seal($0, of: header, to: record) }
                }
                wire += record
                start = end
            } while start < message.body.count
            return wire
        }
    }

    /// Returns what is opened where the bytes arrive in pieces of a given size, and the error at the end.
    static func open(
        _ bytes: [UInt8], pieces: Int = .max, cipher: RecordCipher = cipher()
    ) -> (messages: [Message], error: FrameError?) {
        var parser = FrameParser(cipher: cipher)
        var messages: [Message] = []
        var rest = bytes[...]
        do throws(FrameError) {
            while !rest.isEmpty {
                let piece = Array(rest.prefix(pieces))
                rest = rest.dropFirst(piece.count)
                let fed = piece.withUnsafeBytes { bytes in
                    Result { () throws(FrameError) in try parser.feed(bytes) { messages.append($0) } }
                }
                try fed.get()
            }
            return (messages, nil)
        } catch { return (messages, error) }
    }

    static let lengths = [0, 1, 15, 16, 16_383, 16_384, 16_385, 65_536, 65_537, 1_000_000]
    static let three = [
        Message(.enter, operation: 1, body: pattern(10)), Message(.goodbye),
        Message(.done, first: 7, body: pattern(300)),
    ]

    @Test("every message comes out as it went in", arguments: lengths)
    func roundTrip(length: Int) throws {
        let message = Message(.results, operation: 7, first: 1, count: 2, extra: 3, body: pattern(length))
        let wire = try Self.wire([message, Message(.stop), message])
        let records = max(1, (length + RecordCipher.longestRecord - 1) / RecordCipher.longestRecord)
        #expect(wire[0].count == FrameHeader.length + length + records * RecordCipher.tagLength)
        for pieces in [.max, 65_537, 16_384, 4_099, length < 100_000 ? 1 : 99] {
            let (messages, error) = Self.open(wire.flatMap { $0 }, pieces: pieces)
            #expect(messages == [message, Message(.stop), message])
            #expect(error == nil)
        }
    }

    @Test("records are AES-256-GCM under the header, with their number as nonce", arguments: [0, 1, 100, 16_384])
    func standard(length: Int) throws {
        let body = pattern(length)
        let header = FrameHeader(Message(.done, body: body), flags: FrameFlag.sealed)
        let wire = try Self.wire([Message(.goodbye), Message(.done, body: body)])[1]
        let nonce = try AES.GCM.Nonce(data: [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
        let expected = try header.withBytes { header in
            try body.withUnsafeBytes { try AES.GCM.seal($0, using: Self.key, nonce: nonce, authenticating: header) }
        }
        #expect(Array(wire.dropFirst(FrameHeader.length)) == Array(expected.ciphertext) + Array(expected.tag))
    }

    @Test("no changed bit anywhere is let through")
    func flips() throws {
        let wire = try Self.wire([Message(.done, first: 3, body: pattern(20))])[0]
        for bit in 0..<(8 * wire.count) {
            var changed = wire
            changed[bit / 8] ^= 1 << (bit % 8)
            // More bytes follow, so that a longer body does not merely wait for them.
            let (messages, error) = Self.open(changed + [UInt8](repeating: 0, count: 70_000))
            #expect(messages.isEmpty, "bit \(bit)")
            #expect(error != nil || changed[40..<48] != wire[40..<48], "bit \(bit)")
        }
    }

    @Test("a frame that comes again, out of turn, or after one that was left out is refused")
    func order() throws {
        let wire = try Self.wire(Self.three)
        for (order, count) in [([0, 0], 1), ([1], 0), ([0, 2], 1), ([1, 0], 0), ([0, 1, 1], 2), ([0, 1, 0], 2)] {
            let (messages, error) = Self.open(order.flatMap { wire[$0] })
            #expect(messages == Array(Self.three.prefix(count)))
            #expect(error == .forged)
        }
        #expect(Self.open(wire.flatMap { $0 }).messages == Self.three)
    }

    @Test("nothing of a body is handed up before its last record has proved to be the peer's")
    func lastRecord() throws {
        var wire = try Self.wire([Message(.results, body: pattern(200_000))])[0]
        wire[wire.count - 1] ^= 1
        let (messages, error) = Self.open(wire)
        #expect(messages.isEmpty)
        #expect(error == .forged)
    }

    @Test("records cannot be moved within a frame or into another")
    func movedRecords() throws {
        let wire = try Self.wire([
            Message(.results, body: pattern(32_768)), Message(.results, first: 1, body: pattern(32_768)),
        ])
        let record = RecordCipher.longestRecord + RecordCipher.tagLength
        func records(_ frame: [UInt8]) -> (header: [UInt8], first: [UInt8], second: [UInt8]) {
            (
                Array(frame[..<FrameHeader.length]), Array(frame[FrameHeader.length..<(FrameHeader.length + record)]),
                Array(frame[(FrameHeader.length + record)...])
            )
        }
        let (a, b) = (records(wire[0]), records(wire[1]))
        #expect(Self.open(a.header + a.second + a.first).error == .forged)
        #expect(Self.open(a.header + a.first + b.second).error == .forged)
        #expect(Self.open(b.header + a.first + a.second).error == .forged)
        #expect(Self.open(a.header + a.first + a.second + b.header + b.first + b.second).messages.count == 2)
    }

    @Test("a frame that is not encrypted is refused on a connection that is, and the other way round")
    func clear() throws {
        #expect(Self.open(FrameTests.wire([Message(.goodbye)])).error == .clear)
        let sealed = try Self.wire([Message(.goodbye)])[0]
        #expect(throws: FrameError.flags(1)) { try FrameTests.parse(sealed) { .max } }
    }

    @Test("other keys open nothing")
    func otherKey() throws {
        let other = RecordCipher(key: SymmetricKey(size: .bits256))
        #expect(Self.open(try Self.wire(Self.three)[0], cipher: other).error == .forged)
    }

    @Test("a key is replaced by both sides after its share of records, and not before")
    func successors() throws {
        let messages = (0..<20).map { Message(.done, first: $0, body: pattern(100)) }
        let wire = try Self.wire(messages, cipher: Self.cipher(recordsPerKey: 3))
        #expect(Self.open(wire.flatMap { $0 }, cipher: Self.cipher(recordsPerKey: 3)).messages == messages)
        let (opened, error) = Self.open(wire.flatMap { $0 })
        #expect(opened == Array(messages.prefix(3)))
        #expect(error == .forged)
    }

    @Test("no two records use the same key and nonce: equal messages look different")
    func nonces() throws {
        let wire = try Self.wire(
            Array(repeating: Message(.done, body: pattern(100)), count: 50), cipher: Self.cipher(recordsPerKey: 7))
        #expect(Set(wire.map { Array($0.dropFirst(FrameHeader.length)) }).count == 50)
    }

    @Test("a peer that announces much and sends rubbish costs one record")
    func announcement() throws {
        var header = FrameHeader(Message(.results), flags: FrameFlag.sealed)
        header.bodyLength = AvailableMemory.leastLooked - 1
        let bytes = header.withBytes { Array($0) }
        let record = RecordCipher.longestRecord + RecordCipher.tagLength
        #expect(Self.open(bytes + [UInt8](repeating: 1, count: record - 1)) == ([], nil))
        #expect(Self.open(bytes + [UInt8](repeating: 1, count: record)).error == .forged)
    }
}
