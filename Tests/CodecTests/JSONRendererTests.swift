import Codec
import Simulation
import Testing

@Suite struct JSONRendererTests {
    /// Returns the JSON text of encoded bytes.
    private func json(_ encoded: [UInt8], for reader: JSONRenderer.Reader = .anybody) throws(CodecError) -> String {
        var renderer = JSONRenderer(for: reader)
        var writer = ByteWriter()
        try Bytes(encoded).withUnsafeBytes { (buffer) throws(CodecError) in try renderer.render(buffer, into: &writer) }
        return String(decoding: writer.finish().array, as: UTF8.self)
    }

    private func json(_ value: Value) throws(CodecError) -> String { try json(try value.encoded().array) }

    private func reason(_ encoded: [UInt8]) throws -> String {
        try #require(throws: CodecError.self) { try json(encoded) }.message
    }

    @Test(
        "an integer is written plainly",
        arguments: [
            (.integer(0), "0"), (.integer(-1), "-1"), (.integer(10), "10"), (.integer(.max), "9223372036854775807"),
            (.integer(.min), "-9223372036854775808"), (.unsigned(.max), "18446744073709551615"),
            (.negative(.max), "-18446744073709551616"), (.negative(1 << 63), "-9223372036854775809"),
        ] as [(Value, String)])
    func integers(value: Value, text: String) throws { #expect(try json(value) == text) }

    @Test(
        "a float is the shortest that reads back, can be told from an integer, and is null where JSON has none",
        arguments: [
            (1, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e300, "1e+300"), (1e100, "1e+100"),
            (1e15, "1000000000000000.0"),
            (1.0 / 3, "0.3333333333333333"), (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
        ] as [(Double, String)])
    func floats(value: Double, text: String) throws {
        #expect(try json(.double(value)) == text)
        if value.isFinite { #expect(Double(text)?.bitPattern == value.bitPattern) }
    }

    @Test(
        "null, booleans and simple values",
        arguments: [
            (.null, "null"), (.bool(true), "true"), (.bool(false), "false"), (.simple(23), "null"),
            (.simple(99), "null"),
        ] as [(Value, String)])
    func simple(value: Value, text: String) throws { #expect(try json(value) == text) }

    @Test(
        "text is quoted, with escapes where JSON needs them and UTF-8 as it is",
        arguments: [
            ("", "\"\""), ("a\"b\\c/d", #""a\"b\\c/d""#), ("\u{8}\t\n\u{c}\r", #""\b\t\n\f\r""#),
            ("\u{0}\u{1}\u{f}\u{10}\u{1f}\u{7f}", "\"\\u0000\\u0001\\u000f\\u0010\\u001f\u{7f}\""),
            ("grüße 😀\u{2028}", "\"grüße 😀\u{2028}\""),
        ])
    func text(text: String, expected: String) throws { #expect(try json(.text(text)) == expected) }

    @Test("text that is not UTF-8 is an error")
    func invalidText() throws {
        #expect(try reason([0x61, 0xff]).contains("UTF-8"))
        #expect(try reason([0xa1, 0x61, 0xff, 0x00]).contains("UTF-8"))
    }

    @Test(
        "bytes are base64url without padding",
        arguments: [
            ([], ""), ([0x66], "Zg"), ([0x66, 0x6f], "Zm8"), (Array("foo".utf8), "Zm9v"),
            (Array("foob".utf8), "Zm9vYg"),
            ([0xfb, 0xff, 0xfe], "-__-"),
        ] as [([UInt8], String)])
    func base64(bytes: [UInt8], text: String) throws { #expect(try json(.bytes(bytes)) == "\"\(text)\"") }

    @Test("items of indefinite length are written as if their length were known")
    func indefinite() throws {
        #expect(
            try json(bytes(hex: "9f01 7f6161 6162ff 5f4166 426f6f ff 9fff bf6162 02 6161 9f01ff ff ff"))
                == #"[1,"ab","Zm9v",[],{"a":[1],"b":2}]"#)
    }

    @Test("arrays and maps nest, and empty ones have their own brackets")
    func nesting() throws {
        let value = Value.array([
            .array([]), .map([]), .array([.integer(1), .array([.integer(2), .integer(3)]), .null]),
            .map([(.text("b"), .map([(.text("d"), .integer(1)), (.text("c"), .array([]))])), (.text("a"), .null)]),
        ])
        #expect(try json(value) == #"[[],{},[1,[2,3],null],{"a":null,"b":{"c":[],"d":1}}]"#)
    }

    @Test("keys that are not text become text, integers first by value, the rest by their bytes")
    func keys() throws {
        let keys: [Value] = [
            .text("z"), .integer(10), .double(2.5), .bool(true), .text("é"), .integer(-3), .integer(9), .text("Z"),
            .bytes([0xff]), .double(1e300), .bool(false), .integer(-20), .text(""), .double(-.infinity),
            .unsigned(.max),
            .negative(.max), .text("a\n"), .double(7),
        ]
        let expected = [
            "-18446744073709551616", "-20", "-3", "9", "10", "18446744073709551615", "", "-inf", "1e+300", "2.5", "7.0",
            "Z", "_w", "a\\n", "false", "true", "z", "é",
        ]
        var random = SeededGenerator(seed: 3)
        for _ in 0..<20 {
            let map = Value.map(keys.shuffled(using: &random).map { ($0, .null) })
            #expect(try json(map) == "{" + expected.map { "\"\($0)\":null" }.joined(separator: ",") + "}")
        }
    }

    @Test(
        "a key that has no text is an error that says so",
        arguments: [.null, .simple(23), .array([]), .map([]), .tagged(28, .array([]))] as [Value])
    func wrongKeys(key: Value) throws {
        #expect(try reason(Value.map([(key, .null)]).encoded().array).contains("key"))
    }

    @Test(
        "two keys with the same text are an error, for one would be lost",
        arguments: [
            (.integer(1), .text("1")), (.double(1), .text("1.0")), (.bool(true), .text("true")),
            (.text("a"), .text("a")),
            (.integer(-5), .integer(-5)),
        ] as [(Value, Value)])
    func equalKeys(first: Value, second: Value) throws {
        let others = [Value.integer(7), .text("0"), .text("zzz")]
        for keys in [[first] + others + [second], [second] + others + [first]] {
            #expect(try reason(Value.map(keys.map { ($0, .null) }).encoded().array).contains("two keys"))
        }
    }

    @Test("the text does not depend on the order of entries", arguments: 1...20 as ClosedRange<UInt64>)
    func entryOrder(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let value = Value.random(depth: 5, using: &random)
            guard let text = try? json(value) else { continue }
            #expect(try json(value.shuffled(using: &random)) == text, "seed \(seed)")
        }
    }

    @Test("a shared value is written wherever it is referred to")
    func sharing() throws {
        // {"b": [1] as number 0, "a": number 0, "c": {"d": number 0}}
        #expect(
            try json(bytes(hex: "a3 6162 d81c8101 6161 d81d00 6163 a16164 d81d00"))
                == #"{"a":[1],"b":[1],"c":{"d":[1]}}"#)
        // A reference to a reference, and a reference to an item inside a sorted map.
        #expect(
            try json(bytes(hex: "82 a2 6162 d81c a2 6179 01 6178 02 6161 d81c d81d00 82 d81d01 d81d00"))
                == #"[{"a":{"x":2,"y":1},"b":{"x":2,"y":1}},[{"x":2,"y":1},{"x":2,"y":1}]]"#)
    }

    @Test(
        "a value that contains itself is an error",
        arguments: ["d81c81d81d00", "d81ca16161d81d00", "82 d81c8100 d81c81 81 d81d01", "d81cd81d00"])
    func cycles(encoded: String) throws {
        #expect(try reason(bytes(hex: encoded)) == "a value that contains itself cannot be written as JSON")
    }

    @Test("shared values that would grow without bound are an error, and nothing is written")
    func expansion() throws {
        // Each element holds the previous one ten times.
        var encoded: [UInt8] = [0x92, 0xd8, 0x1c, 0x80]
        for number in 0..<17 as Range<UInt8> {
            encoded += [0xd8, 0x1c, 0x8a] + (0..<10).flatMap { _ in [0xd8, 0x1d, number] }
        }
        var renderer = JSONRenderer(allowance: 1 << 16)
        var writer = ByteWriter()
        writer.append(utf8: "before")
        encoded.withUnsafeBytes { buffer in
            do throws(CodecError) {
                try renderer.render(buffer, into: &writer)
                Issue.record("it was written")
            } catch {
                #expect(error.message.contains("too long"))
            }
        }
        #expect(String(decoding: writer.finish().array, as: UTF8.self) == "before")
    }

    @Test("a typed array is written as an array")
    func typedArrays() throws {
        #expect(
            try json(.tagged(79, .bytes([1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 255, count: 8)))) == "[1,-1]")
        #expect(try json(.tagged(82, .bytes([0x3f, 0xf0, 0, 0, 0, 0, 0, 0]))) == "[1.0]")
        #expect(try json(.array([.tagged(72, .bytes([])), .integer(3)])) == "[[],3]")
        #expect(try reason(Value.tagged(77, .bytes([1])).encoded().array).contains("typed array"))
    }

    @Test("other tags are left out")
    func tags() throws {
        #expect(try json(.tagged(1, .tagged(70, .array([.tagged(0, .text("now"))])))) == #"["now"]"#)
    }

    @Test(
        "for a program nothing is lost: numbers that JSON lacks have names, holes are null",
        arguments: [
            (.array([.double(.nan), .double(.infinity), .double(-.infinity)]), "[NaN,Infinity,-Infinity]"),
            (.tagged(82, .bytes([0x7f, 0xf0, 0, 0, 0, 0, 0, 0])), "[Infinity]"),
            (
                .map([(.integer(1), .integer(5)), (.integer(3), .bool(true)), (.text("n"), .integer(5))]),
                "[5,null,true,null,null]"
            ),
            (.map([(.integer(2), .array([])), (.text("n"), .integer(2))]), "[null,[]]"),
            (.map([(.text("n"), .integer(2))]), "[null,null]"), (.map([(.text("n"), .integer(0))]), "[]"),
            (.map([(.text("n"), .integer(100_000))]), #"{"n":100000}"#),
            (.map([(.text("n"), .integer(-1))]), #"{"n":-1}"#), (.map([(.text("n"), .double(1))]), #"{"n":1.0}"#),
            (.map([(.integer(3), .null), (.text("n"), .integer(2))]), #"{"3":null,"n":2}"#),
            (.map([(.integer(0), .null), (.text("n"), .integer(2))]), #"{"0":null,"n":2}"#),
            (.map([(.text("m"), .null), (.text("n"), .integer(2))]), #"{"m":null,"n":2}"#),
            (.map([(.integer(1), .map([(.text("n"), .integer(1))])), (.text("n"), .integer(2))]), "[[null],null]"),
        ] as [(Value, String)])
    func program(value: Value, text: String) throws {
        #expect(try json(value.encoded().array, for: .program) == text)
    }

    @Test("for a program bytes are bytes, as keys, too")
    func programBytes() throws {
        let value = Value.map([(.bytes([0xff]), .bytes([0xfe, 0x22, 0]))])
        var renderer = JSONRenderer(for: .program)
        var writer = ByteWriter()
        try value.encoded().withUnsafeBytes { try renderer.render($0, into: &writer) }
        #expect(
            writer.finish().array == Array("{\"".utf8) + [0xff] + Array("\":\"".utf8) + [0xfe]
                + Array("\\\"\\u0000\"}".utf8))
    }

    @Test("a value may be as deep as JSON readers take, and no deeper")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] { [UInt8](repeating: 0x81, count: depth) + [0x00] }
        let limit = JSONRenderer.maximumDepth
        #expect(
            try json(nested(limit)) == String(repeating: "[", count: limit) + "0" + String(repeating: "]", count: limit)
        )
        #expect(try reason(nested(limit + 1)).contains("levels deep"))
    }

    @Test("the entries of deeply nested maps are sorted on every level, around a long text too")
    func deepMaps() throws {
        let limit = JSONRenderer.maximumDepth
        // The entries are in the wrong order on every level, and the innermost value is long.
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 1_000_000)
        let encoded =
            (0..<limit).flatMap { _ in [0xa2, 0x61, 0x62, 0x00, 0x61, 0x61] as [UInt8] }
            + written { writer in
                long.withUnsafeBytes { writer.appendText($0) }
            }
        let text = try json(encoded)
        #expect(text.hasPrefix(#"{"a":{"a":{"a":"#))
        #expect(text.hasSuffix(#","b":0},"b":0},"b":0}"#))
        #expect(text.utf8.count == long.count + 2 + limit * 12)
    }

    @Test("a renderer can be used again, after an error too")
    func reuse() throws {
        var renderer = JSONRenderer()
        var writer = ByteWriter()
        for encoded in ["a2616201616102", "d81c81d81d00", "82d81c80d81d00", "61", "a0"] {
            bytes(hex: encoded).withUnsafeBytes { buffer in
                do { try renderer.render(buffer, into: &writer) } catch { writer.append(utf8: "error") }
            }
            writer.append(utf8: ";")
        }
        #expect(String(decoding: writer.finish().array, as: UTF8.self) == #"{"a":2,"b":1};error;[[],[]];error;{};"#)
    }
}
