import Codec
import Testing

/// The examples of RFC 8949, appendix A.
@Suite struct CBORVectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var hex: String
        var value: Value
        var testDescription: String { hex }

        init(_ hex: String, _ value: Value) {
            self.hex = hex
            self.value = value
        }
    }

    /// The examples in the form that we also write.
    static let written: [Vector] = [
        Vector("00", .integer(0)), Vector("01", .integer(1)), Vector("0a", .integer(10)), Vector("17", .integer(23)),
        Vector("1818", .integer(24)), Vector("1819", .integer(25)), Vector("1864", .integer(100)),
        Vector("1903e8", .integer(1000)), Vector("1a000f4240", .integer(1_000_000)),
        Vector("1b000000e8d4a51000", .integer(1_000_000_000_000)),
        Vector("1bffffffffffffffff", .unsigned(18_446_744_073_709_551_615)),
        Vector("c249010000000000000000", .tagged(2, .bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))),
        Vector("3bffffffffffffffff", .negative(18_446_744_073_709_551_615)),
        Vector("c349010000000000000000", .tagged(3, .bytes([1, 0, 0, 0, 0, 0, 0, 0, 0]))),
        Vector("20", .integer(-1)), Vector("29", .integer(-10)), Vector("3863", .integer(-100)),
        Vector("3903e7", .integer(-1000)),
        Vector("fb3ff199999999999a", .double(1.1)), Vector("fb7e37e43c8800759c", .double(1.0e300)),
        Vector("fbc010666666666666", .double(-4.1)), Vector("fb7ff0000000000000", .double(.infinity)),
        Vector("fb7ff8000000000000", .double(.nan)), Vector("fbfff0000000000000", .double(-.infinity)),
        Vector("f4", .bool(false)), Vector("f5", .bool(true)), Vector("f6", .null), Vector("f7", .simple(23)),
        Vector("f0", .simple(16)), Vector("f8ff", .simple(255)),
        Vector("c074323031332d30332d32315432303a30343a30305a", .tagged(0, .text("2013-03-21T20:04:00Z"))),
        Vector("c11a514b67b0", .tagged(1, .integer(1_363_896_240))),
        Vector("c1fb41d452d9ec200000", .tagged(1, .double(1_363_896_240.5))),
        Vector("d74401020304", .tagged(23, .bytes([1, 2, 3, 4]))),
        Vector("d818456449455446", .tagged(24, .bytes([0x64, 0x49, 0x45, 0x54, 0x46]))),
        Vector(
            "d82076687474703a2f2f7777772e6578616d706c652e636f6d", .tagged(32, .text("http://www.example.com"))),
        Vector("40", .bytes([])), Vector("4401020304", .bytes([1, 2, 3, 4])), Vector("60", .text("")),
        Vector("6161", .text("a")), Vector("6449455446", .text("IETF")), Vector("62225c", .text("\"\\")),
        Vector("62c3bc", .text("\u{fc}")), Vector("63e6b0b4", .text("\u{6c34}")),
        Vector("64f0908591", .text("\u{10151}")),
        Vector("80", .array([])), Vector("83010203", .array([.integer(1), .integer(2), .integer(3)])),
        Vector(
            "8301820203820405",
            .array([
                .integer(1), .array([.integer(2), .integer(3)]), .array([.integer(4), .integer(5)]),
            ])),
        Vector("98190102030405060708090a0b0c0d0e0f101112131415161718181819", .array((1...25).map { .integer($0) })),
        Vector("a0", .map([])),
        Vector("a201020304", .map([(.integer(1), .integer(2)), (.integer(3), .integer(4))])),
        Vector(
            "a26161016162820203",
            .map([(.text("a"), .integer(1)), (.text("b"), .array([.integer(2), .integer(3)]))])),
        Vector("826161a161626163", .array([.text("a"), .map([(.text("b"), .text("c"))])])),
        Vector(
            "a56161614161626142616361436164614461656145",
            .map(["a", "b", "c", "d", "e"].map { (.text($0), .text($0.uppercased())) })),
    ]

    /// The examples that we only read: shorter floating-point numbers, and items of indefinite length.
    static let read: [Vector] = [
        Vector("f90000", .double(0)), Vector("f98000", .double(-0.0)), Vector("f93c00", .double(1)),
        Vector("f93e00", .double(1.5)), Vector("f97bff", .double(65504)), Vector("fa47c35000", .double(100_000)),
        Vector("fa7f7fffff", .double(3.4028234663852886e+38)), Vector("f90001", .double(5.960464477539063e-8)),
        Vector("f90400", .double(0.00006103515625)), Vector("f9c400", .double(-4)),
        Vector("f97c00", .double(.infinity)), Vector("f97e00", .double(.nan)), Vector("f9fc00", .double(-.infinity)),
        Vector("fa7f800000", .double(.infinity)), Vector("fa7fc00000", .double(.nan)),
        Vector("faff800000", .double(-.infinity)),
        Vector("5f42010243030405ff", .bytes([1, 2, 3, 4, 5])), Vector("7f657374726561646d696e67ff", .text("streaming")),
        Vector("9fff", .array([])),
        Vector("9f018202039f0405ffff", nested), Vector("9f01820203820405ff", nested),
        Vector("83018202039f0405ff", nested), Vector("83019f0203ff820405", nested),
        Vector(
            "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", .array((1...25).map { .integer($0) })),
        Vector(
            "bf61610161629f0203ffff",
            .map([(.text("a"), .integer(1)), (.text("b"), .array([.integer(2), .integer(3)]))])),
        Vector("826161bf61626163ff", .array([.text("a"), .map([(.text("b"), .text("c"))])])),
        Vector("bf6346756ef563416d7421ff", .map([(.text("Fun"), .bool(true)), (.text("Amt"), .integer(-2))])),
    ]

    private static let nested = Value.array([
        .integer(1), .array([.integer(2), .integer(3)]), .array([.integer(4), .integer(5)]),
    ])

    @Test("every example of RFC 8949 is read as the value it shows", arguments: written + read)
    func decoding(_ vector: Vector) throws { #expect(try Value(hex: vector.hex) == vector.value) }

    @Test("a value is written in the form that RFC 8949 prefers, floats in 64 bits", arguments: written)
    func encoding(_ vector: Vector) throws { #expect(hex(try vector.value.encoded().array) == vector.hex) }

    @Test("skipping an example ends at its end", arguments: written + read)
    func skipping(_ vector: Vector) throws {
        let encoded = bytes(hex: vector.hex)
        try (encoded + [0]).withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            try reader.skip()
            #expect(reader.position == encoded.count)
        }
    }

    @Test("every beginning of an example is an error", arguments: written + read)
    func truncation(_ vector: Vector) {
        let encoded = bytes(hex: vector.hex)
        for length in encoded.indices {
            #expect(throws: CodecError.self) { try Value(decoding: Bytes(encoded[..<length])) }
            #expect(throws: CodecError.self) { try encoded[..<length].withUnsafeBytes { try Digest(of: $0) } }
        }
    }
}
