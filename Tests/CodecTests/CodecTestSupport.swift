import Codec
import Simulation

/// Returns the bytes for pairs of hexadecimal digits.
func bytes(hex: String) -> [UInt8] {
    var digits = hex.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }[...]
    var bytes: [UInt8] = []
    while let high = digits.popFirst(), let low = digits.popFirst() { bytes.append(high << 4 | low) }
    return bytes
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension Value {
    init(hex: String) throws(CodecError) { try self.init(decoding: Bytes(CodecTests.bytes(hex: hex))) }

    /// Returns a random value of at most `depth` levels of arrays, maps and tags.
    static func random(depth: Int, using random: inout SeededGenerator) -> Value {
        switch random.below(depth > 0 ? 12 : 9) {
        case 0: [.null, .bool(false), .bool(true), .simple(23), .simple(0), .simple(255)][random.below(6)]
        case 1: .integer(Int64(truncatingIfNeeded: random.next() >> random.below(64)))
        case 2: .integer(-1 - Int64(random.next() >> (1 + random.below(63))))
        case 3: .integer(Int64(random.below(30)))
        case 4: random.below(2) == 0 ? .unsigned(random.next() | 1 << 63) : .negative(random.next() | 1 << 63)
        case 5: .double(Double(bitPattern: random.next()))
        case 6: .double(Double(random.below(100)) / 4)
        case 7: .text(String((0..<random.below(30)).map { _ in "aé€😀\"\n".randomElement(using: &random) ?? "a" }))
        case 8: .bytes((0..<random.below(30)).map { _ in UInt8(random.below(256)) })
        case 9: .array((0..<random.below(6)).map { _ in .random(depth: depth - 1, using: &random) })
        case 10:
            .map(
                (0..<random.below(6)).map { _ in
                    (key: .random(depth: 0, using: &random), value: .random(depth: depth - 1, using: &random))
                })
        default: .tagged([1, 24, 86, 1_000_000][random.below(4)], .random(depth: depth - 1, using: &random))
        }
    }
}

/// Calls `body` with a writer, and returns what it wrote.
func written(_ body: (inout ByteWriter) throws -> Void) rethrows -> [UInt8] {
    var writer = ByteWriter()
    try body(&writer)
    return writer.finish().array
}

/// Reads the item that `encoded` claims to be, in every possible way.
///
/// None of them may crash, whatever the bytes are.
func readInEveryWay(_ encoded: [UInt8]) {
    _ = try? Value(decoding: Bytes(encoded))
    encoded.withUnsafeBytes { buffer in
        _ = try? Digest(of: buffer)
        var reader = CBORReader(buffer)
        try? reader.skip()
        var renderer = JSONRenderer(allowance: 1 << 16)
        var writer = ByteWriter()
        try? renderer.render(buffer, into: &writer)
    }
}
