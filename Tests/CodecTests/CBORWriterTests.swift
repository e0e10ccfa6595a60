import Codec
import Simulation
import Testing

@Suite struct CBORWriterTests {
    /// Arguments around every change of a head's length, and at the ends of the range.
    static let arguments: [UInt64] = [
        0, 1, 23, 24, 255, 256, 65_535, 65_536, 0xffff_ffff, 0x1_0000_0000, UInt64.max - 1, UInt64.max,
    ]

    @Test("a head takes as few bytes as it can and is read back", arguments: arguments)
    func head(argument: UInt64) throws {
        let encoded = written { $0.appendHead(major: CBORMajor.tag, argument: argument) }
        let expected =
            switch argument {
            case 0..<24: 1
            case 24..<256: 2
            case 256..<65_536: 3
            case 65_536..<0x1_0000_0000: 5
            default: 9
            }
        #expect(encoded.count == expected)
        let head = try encoded.withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            return try reader.readHead()
        }
        #expect(head.major == CBORMajor.tag)
        #expect(head.argument == argument)
    }

    @Test(
        "an integer comes back as it was",
        arguments: [0, 1, 23, 24, -1, -24, -25, 255, -256, -257, 1 << 40, .max, .min, .min + 1] as [Int64])
    func integer(_ value: Int64) throws {
        let encoded = written { $0.appendInteger(value) }
        #expect(try Value(decoding: Bytes(encoded)) == .integer(value))
    }

    @Test(
        "a floating-point number comes back with every bit",
        arguments: [0, -0.0, 1, .infinity, -.infinity, .pi, .leastNonzeroMagnitude] + [
            Double(bitPattern: 0x7ff0_0000_0000_0001), Double(bitPattern: 0xfff8_0000_0000_beef),
        ])
    func double(_ value: Double) throws {
        let encoded = written { $0.appendDouble(value) }
        #expect(try Value(decoding: Bytes(encoded)) == .double(value))
    }

    @Test("every half-precision number is read as the number it is")
    func halves() throws {
        for bits in UInt16.min...UInt16.max {
            let value = try Value(decoding: Bytes([0xf9, UInt8(bits >> 8), UInt8(bits & 0xff)]))
            guard case .double(let double) = value else {
                Issue.record("\(value) is no floating-point number")
                return
            }
            let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
            if exponent == 31 {
                #expect(fraction == 0 ? double.isInfinite : double.isNaN)
            } else {
                let scale = Double(sign: .plus, exponent: max(exponent, 1) - 25, significand: 1)
                #expect(double.magnitude == (fraction + (exponent == 0 ? 0 : 1024)) * scale)
            }
            #expect(double.sign == (bits >> 15 == 0 ? .plus : .minus))
        }
    }

    @Test("a string is text where it is UTF-8 and a byte string where it is not")
    func strings() {
        for (bytes, major) in [
            ([], CBORMajor.text), (Array("plain".utf8), CBORMajor.text),
            (Array("grüße aus Köln 😀".utf8), CBORMajor.text),
            ([0x80], CBORMajor.bytes), (Array("12345678".utf8) + [0xff], CBORMajor.bytes),
            (Array("é".utf8.dropLast()), CBORMajor.bytes),
        ] {
            let encoded = bytes.withUnsafeBytes { buffer in written { $0.appendString(buffer) } }
            #expect(encoded.first.map { $0 >> 5 } == major)
            #expect(Array(encoded.dropFirst()) == bytes)
        }
    }

    @Test("a sequence of bytes is UTF-8 exactly where the standard library says so")
    func utf8() {
        // Every byte before some bytes that may follow it, from every class that the definition of UTF-8
        // distinguishes.
        let classes: [UInt8] = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf4, 0xff]
        for first in UInt8.min...UInt8.max {
            for second in classes {
                for third in classes {
                    check([first, second, third])
                    check(Array("1234567".utf8) + [first, second, third, 0x80])
                }
            }
        }
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            check((0..<random.below(12)).map { _ in UInt8(random.below(256)) })
        }
    }

    private func check(_ bytes: [UInt8]) {
        let isValid = bytes.withUnsafeBytes { isValidUTF8($0) }
        if isValid != (String(validating: bytes, as: UTF8.self) != nil) { Issue.record("wrong for \(hex(bytes))") }
    }
}
