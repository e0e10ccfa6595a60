import Codec
import Simulation
import Testing

@Suite struct CodecRoundTripTests {
    @Test("a random value comes back as it was", arguments: 1...20 as ClosedRange<UInt64>)
    func randomValues(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let value = Value.random(depth: 5, using: &random)
            let encoded = try value.encoded()
            let decoded = try Value(decoding: encoded)
            #expect(decoded == value, "seed \(seed)")
            #expect(try decoded.encoded() == encoded, "seed \(seed)")
        }
    }

    @Test("every beginning of a random value is an error", arguments: 1...10 as ClosedRange<UInt64>)
    func truncations(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let encoded = try Value.random(depth: 3, using: &random).encoded()
            for length in 0..<encoded.count {
                #expect(throws: CodecError.self, "seed \(seed)") { try Value(decoding: encoded[0..<length]) }
            }
        }
    }

    @Test("items that follow each other are read one by one")
    func sequence() throws {
        let encoded = written { writer in
            for number in 0..<100 as Range<Int64> { writer.appendInteger(number * 1000) }
        }
        try encoded.withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            for number in 0..<100 as Range<Int64> {
                #expect(try Value(reading: &reader) == .integer(number * 1000))
            }
            try reader.expectEnd()
        }
    }

    @Test("a value may be as deep as the limit in both directions, and no deeper")
    func depth() throws {
        func nested(_ depth: Int) -> Value { (0..<depth).reduce(.null) { value, _ in .array([value]) } }
        let deepest = nested(Value.maximumDepth)
        #expect(try Value(decoding: deepest.encoded()) == deepest)
        #expect(throws: CodecError.self) { try nested(Value.maximumDepth + 1).encoded() }
        let deeper = [UInt8](repeating: 0x81, count: Value.maximumDepth + 1) + [0xf6]
        #expect(throws: CodecError.self) { try Value(decoding: Bytes(deeper)) }
    }

    @Test("equality tells apart what compares equal as numbers or as characters")
    func equality() {
        #expect(Value.double(0) != .double(-0.0))
        #expect(Value.double(.nan) == .double(.nan))
        #expect(Value.integer(1) != .double(1))
        #expect(Value.text("\u{e9}") != .text("e\u{301}"))
        #expect(Value.text("a") != .bytes([0x61]))
    }
}
