import CSystem
import Codec
import Testing

@Suite struct CodecBytesTests {
    @Test("a writer keeps what was written while it grows", arguments: [0, 1, 64, 10_000])
    func growth(capacity: Int) {
        var writer = ByteWriter(capacity: capacity)
        var expected: [UInt8] = []
        for number in 0..<1_000 {
            let byte = UInt8(truncatingIfNeeded: number)
            writer.append(byte)
            writer.append(Bytes([byte, 1, 2]))
            writer.append(bigEndian: UInt16(number))
            writer.append(littleEndian: UInt32(number))
            expected += [byte, byte, 1, 2, UInt8(number >> 8), byte, byte, UInt8(number >> 8), 0, 0]
        }
        #expect(writer.count == expected.count)
        #expect(writer.finish().array == expected)
    }

    @Test("a writer that was emptied or cut short goes on from there")
    func reuse() {
        var writer = ByteWriter()
        writer.append(utf8: "first")
        #expect(writer.take().array == Array("first".utf8))
        #expect(writer.count == 0)
        writer.append(utf8: "second")
        writer.truncate(to: 3)
        writer.append(utf8: "ular")
        writer.withUnsafeMutableBytes { $0[0] = UInt8(ascii: "S") }
        #expect(writer.finish().array == Array("Secular".utf8))
    }

    @Test("a part of bytes is equal to a copy of it, and to nothing else")
    func slices() {
        let whole = Bytes(Array("abcabc".utf8))
        #expect(whole[0..<3] == whole[3..<6])
        #expect(whole[1..<5][1..<3] == Bytes(Array("ca".utf8)))
        #expect(whole[0..<2] != whole[1..<3])
        #expect(whole[0..<2] != whole[0..<3])
        #expect(whole[2..<2] == .empty)
    }

    @Test(
        "what is large lies in memory that others can map, what was written before it was large, too",
        arguments: [0, 100])
    func shared(capacity: Int) throws {
        var writer = ByteWriter(capacity: capacity)
        writer.share(from: 10_000)
        var expected: [UInt8] = []
        for number in 0..<30_000 {
            let byte = UInt8(truncatingIfNeeded: number &* 7)
            writer.append(byte)
            expected.append(byte)
        }
        let bytes = writer.take()
        #expect(bytes.array == expected)
        let descriptor = try #require(bytes.memoryFile)
        let mapped = try #require(dlp_map_memory_file(descriptor, expected.count))
        #expect(Array(UnsafeRawBufferPointer(start: mapped, count: expected.count)) == expected)
        _ = Bytes(mappedAt: mapped, count: expected.count)
        #expect(bytes[0..<100].memoryFile == nil)
        for byte in expected { writer.append(byte) }
        #expect(writer.take().memoryFile == nil, "that was for one value")
    }

    @Test("what is small does not, and what was dropped is nothing")
    func smallShared() {
        var writer = ByteWriter()
        writer.share(from: 10_000)
        writer.append(utf8: "small")
        #expect(writer.take().memoryFile == nil)
        writer.share(from: 10_000)
        writer.append(Bytes(Array(repeating: 1, count: 20_000)))
        writer.truncate(to: 0)
        #expect(writer.take() == .empty)
        writer.share(from: 10_000)
        writer.append(Bytes(Array(repeating: 1, count: 20_000)))
    }
}
