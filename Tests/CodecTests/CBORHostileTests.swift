import Codec
import Glibc
import Simulation
import Testing

@Suite struct CBORHostileTests {
    @Test(
        "malformed bytes are an error with a sentence and a place",
        arguments: [
            ("", "cut off"), ("18", "cut off"), ("1900", "cut off"), ("1b00000000000000", "cut off"),
            ("1c", "does not allow"), ("3d", "does not allow"), ("5e", "does not allow"), ("fc", "does not allow"),
            ("1f", "does not allow"), ("3f", "does not allow"), ("df", "does not allow"),
            ("f800", "does not allow"), ("f81f", "does not allow"),
            ("ff", "break"), ("81ff", "break"), ("a1ff00", "break"), ("a100ff", "break"), ("c1ff", "break"),
            ("bf00ff", "between a key and its value"),
            ("5f00ff", "chunk"), ("5f6161ff", "chunk"), ("7f4161ff", "chunk"), ("7f7f6161ffff", "chunk"),
            ("5f80ff", "chunk"), ("7fc16161ff", "chunk"),
            ("61ff", "UTF-8"), ("7f61c361bcff", "UTF-8"),
            ("5bffffffffffffffff", "string claims"), ("7a7fffffff61", "string claims"),
            ("9bffffffffffffffff", "array claims"), ("9a00ffffff00", "array claims"),
            ("bbffffffffffffffff", "map claims"), ("bb800000000000000000", "map claims"), ("a20000", "map claims"),
            ("9803820000", "cut off"), ("8382000000", "cut off"), ("0000", "follows"), ("8000", "follows"),
        ])
    func malformed(encoded: String, reason: String) throws {
        let error = try #require(throws: CodecError.self) { try Value(hex: encoded) }
        #expect(error.description.contains(reason))
        #expect(error.offset != nil)
        if reason != "UTF-8" {
            #expect(throws: CodecError.self) { try bytes(hex: encoded).withUnsafeBytes { try Digest(of: $0) } }
        }
    }

    @Test("the claims of all heads together are at most the number of bytes")
    func nestedClaims() throws {
        // Each of these arrays claims to have as many elements as bytes follow it.
        let size = 2_000
        var encoded: [UInt8] = []
        for left in (0..<size).reversed() { encoded += [0x99, UInt8(3 * left >> 8), UInt8(3 * left & 0xff)] }
        var claimed = 0
        encoded.withUnsafeBytes { buffer in
            var reader = CBORReader(buffer)
            while let head = try? reader.readHead() { claimed += Int(head.argument) }
        }
        #expect(claimed > 0)
        #expect(claimed <= encoded.count)
    }

    @Test(
        "a reference that names nothing before it is an error",
        arguments: ["d81d00", "82d81c01d81d01", "82d81d00d81c01", "d81d20", "d81d6130", "d81d80", "d81dc100"])
    func references(encoded: String) {
        let encoded = bytes(hex: encoded)
        encoded.withUnsafeBytes { buffer in
            #expect(throws: CodecError.self) { try Digest(of: buffer) }
            var renderer = JSONRenderer()
            var writer = ByteWriter()
            do {
                try renderer.render(buffer, into: &writer)
                Issue.record("\(hex(encoded)) was rendered")
            } catch {
                #expect(writer.count == 0)
            }
        }
    }

    @Test("random bytes are an error or a value", arguments: 1...10 as ClosedRange<UInt64>)
    func randomBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        print("seed \(seed)")
        for _ in 0..<10_000 { readInEveryWay((0..<random.below(40)).map { _ in UInt8(random.below(256)) }) }
    }

    @Test("valid values with some bytes changed are an error or a value", arguments: 1...5 as ClosedRange<UInt64>)
    func mutations(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        print("seed \(seed)")
        for _ in 0..<500 {
            var encoded = try Value.random(depth: 4, using: &random).encoded().array
            for _ in 0...random.below(3) {
                // Mostly replaced by structural bytes: tags 28 and 29, breaks, indefinite lengths.
                let byte = [0xff, 0x9f, 0xbf, 0x5f, 0x7f, 0xd8, 0x1c, 0x1d, 0xa1, 0x82, UInt8(random.below(256))]
                encoded[random.below(encoded.count)] = byte[random.below(byte.count)]
            }
            readInEveryWay(encoded)
        }
    }

    @Test("a million levels of nesting do not overflow the stack", arguments: [0x81, 0x9f, 0xc1] as [UInt8])
    func endlessNesting(head: UInt8) throws {
        let cutOff = [UInt8](repeating: head, count: 1_000_000)
        readInEveryWay(cutOff)
        let ends = head == 0x9f ? [UInt8](repeating: 0xff, count: 1_000_000) : []
        try (cutOff + [0x00] + ends).withUnsafeBytes { buffer in
            _ = try Digest(of: buffer)
            var reader = CBORReader(buffer)
            try reader.skip()
            #expect(reader.remaining == 0)
        }
    }

    @Test("what lies about its size is refused within the memory that its true size needs")
    func memory() async {
        await #expect(processExitsWith: .success) {
            let bytes = rlim_t(dataInUse() + (1 << 29))
            var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
            setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
            for head in [0x5a, 0x7a, 0x9a, 0xba] as [UInt8] {
                readInEveryWay([head, 0x7f, 0xff, 0xff, 0xff, 0x00])
                readInEveryWay([head + 1, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00])
            }
            readInEveryWay([UInt8](repeating: 0x81, count: 1_000_000))
            // Each of the 40 levels holds the previous one twice.
            var laughs: [UInt8] = [0x98, 40, 0xd8, 0x1c, 0x80]
            for level in 0..<39 as Range<UInt8> {
                let reference = [0xd8, 0x1d] + (level < 24 ? [level] : [0x18, level])
                laughs += [0xd8, 0x1c, 0x82] + reference + reference
            }
            readInEveryWay(laughs)
        }
    }
}

/// Returns the bytes of this process that count for `RLIMIT_DATA`.
///
/// A sanitizer has reserved far more than there is memory.
private func dataInUse() -> Int {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let file = open("/proc/self/status", O_RDONLY)
    defer { close(file) }
    let count = read(file, &buffer, buffer.count)
    let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmData:") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) * 1024
}
