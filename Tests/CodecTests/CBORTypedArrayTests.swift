import Codec
import Testing

@Suite struct CBORTypedArrayTests {
    /// Returns the numbers in `encoded`; nil where `tag` makes no typed array of it.
    private func numbers(_ tag: UInt64, _ encoded: String) throws -> [Double]? {
        try bytes(hex: encoded).withUnsafeBytes { (buffer) throws -> [Double]? in
            guard let array = try TypedArray(tag: tag, bytes: buffer) else { return nil }
            return (0..<array.count).map { array.isFloat ? array.double(at: $0) : Double(array.integer(at: $0)) }
        }
    }

    @Test(
        "each tag says how wide its numbers are, which byte is first and what the highest bit means",
        arguments: [
            (64, "00ff", [0, 255]), (65, "0001ff00", [1, 65280]), (66, "00000001ff000000", [1, 4_278_190_080]),
            (68, "01ff", [1, 255]), (69, "0100ff00", [1, 255]), (70, "01000000000000ff", [1, 4_278_190_080]),
            (72, "017fff80", [1, 127, -1, -128]), (73, "0001ffff8000", [1, -1, -32768]),
            (74, "00000001fffffffe", [1, -2]), (75, "0000000000000001fffffffffffffffd", [1, -3]),
            (77, "0100ffff0080", [1, -1, -32768]), (78, "01000000feffffff", [1, -2]),
            (79, "0100000000000000fdffffffffffffff", [1, -3]),
            (80, "3c00c000", [1, -2]), (81, "3f800000c0000000", [1, -2]), (82, "3ff0000000000000", [1]),
            (84, "003c00c0", [1, -2]), (85, "0000803f000000c0", [1, -2]), (86, "000000000000f03f", [1]), (86, "", []),
        ] as [(UInt64, String, [Double])])
    func elements(tag: UInt64, encoded: String, expected: [Double]) throws {
        #expect(try numbers(tag, encoded) == expected)
    }

    @Test("a 64-bit integer keeps its every bit")
    func wideIntegers() throws {
        let values: [Int64] = [.min, .max, 0, 1 << 53 + 1]
        let encoded = written { writer in values.forEach { writer.append(littleEndian: $0) } }
        try encoded.withUnsafeBytes { buffer in
            let array = try #require(try TypedArray(tag: TypedArray.Tag.int64, bytes: buffer))
            #expect((0..<array.count).map { array.integer(at: $0) } == values)
        }
    }

    @Test("bytes that are no whole number of numbers are an error", arguments: [77, 78, 79, 86, 82, 65] as [UInt64])
    func ragged(tag: UInt64) { #expect(throws: CodecError.self) { try numbers(tag, "000000000000000000") } }

    @Test(
        "other tags, and those of numbers that Lua does not have, make no typed array",
        arguments: [0, 28, 40, 63, 67, 71, 76, 83, 87, 88, 1 << 40, 0x1_0000_0048] as [UInt64])
    func others(tag: UInt64) throws { #expect(try numbers(tag, "00000000000000000000000000000000") == nil) }
}
