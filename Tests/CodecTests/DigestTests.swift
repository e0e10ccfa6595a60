import Codec
import Simulation
import Testing

extension Value {
    /// The same value with the entries of all its maps in another order.
    func shuffled(using random: inout SeededGenerator) -> Value {
        switch self {
        case .array(let elements): .array(elements.map { $0.shuffled(using: &random) })
        case .map(let entries):
            .map(
                entries.map { (key: $0.key.shuffled(using: &random), value: $0.value.shuffled(using: &random)) }
                    .shuffled(using: &random))
        case .tagged(let number, let content): .tagged(number, content.shuffled(using: &random))
        default: self
        }
    }
}

@Suite struct DigestTests {
    private func digest(_ encoded: [UInt8]) throws -> Digest { try encoded.withUnsafeBytes { try Digest(of: $0) } }

    private func digest(_ value: Value) throws -> Digest { try digest(value.encoded().array) }

    @Test("values that differ in anything but the order of entries have different digests")
    func distinct() throws {
        let (one, two): (Value, Value) = (.integer(1), .integer(2))
        let values: [Value] = [
            .null, .bool(false), .bool(true), .simple(23), .simple(0), .integer(0), one, .integer(-1), .integer(-2),
            two,
            .unsigned(.max), .negative(.max), .double(0), .double(-0.0), .double(1), .double(.nan), .text(""),
            .text("1"),
            .text("1.0"), .text("a"), .text("a\0"), .text("\0a"), .text("abcdefghijklmnop"),
            .text("abcdefghijklmnop\0"),
            .text("abcdefghijklmnoq"), .bytes([]), .bytes([0x31]), .bytes([0x61]), .bytes([0]), .bytes([0, 0]),
            .bytes([0x61, 0]), .array([]), .array([one]), .array([one, two]), .array([two, one]), .array([.array([])]),
            .array([one, .array([two])]), .array([.array([one]), two]), .array([.array([one, two])]),
            .array([.array([one]), .array([two])]), .array([.array([]), .array([])]), .array([.null]),
            .array([.null, .null]), .map([]), .map([(one, two)]), .map([(two, one)]), .map([(one, one)]),
            .map([(one, one), (two, two)]), .map([(one, two), (two, one)]), .array([one, one, two, two]),
            .array([.map([])]), .map([(.array([]), .array([]))]), .tagged(1, one), .tagged(2, one), .tagged(1, two),
            .tagged(1, .tagged(1, one)), .array([.array([one]), .map([(one, two)])]), .map([(.text("1"), two)]),
            .map([(.double(1), two)]), .map([(one, .map([(one, two)]))]),
        ]
        var seen: [Digest: Value] = [:]
        for value in values {
            if let other = seen.updateValue(value, forKey: try digest(value)) {
                Issue.record("\(value) and \(other) have the same digest")
            }
        }
    }

    @Test("a million consecutive integers have a million digests, in each half")
    func integers() throws {
        let count = 1_000_000
        var (high, low): ([UInt64], [UInt64]) = ([], [])
        var writer = ByteWriter(capacity: 16)
        for number in 0..<Int64(count) {
            writer.truncate(to: 0)
            writer.appendInteger(number - 1000)
            let digest = try writer.withUnsafeMutableBytes { buffer in
                Result { try Digest(of: UnsafeRawBufferPointer(buffer)) }
            }.get()
            high.append(digest.high)
            low.append(digest.low)
        }
        for half in [high, low] {
            let sorted = half.sorted()
            #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0 != $1 })
        }
    }

    @Test("each bit of a digest is set in about half of the digests of small integers")
    func spread() throws {
        let count = 4096
        var set = [Int](repeating: 0, count: 128)
        for number in 0..<Int64(count) {
            let digest = try digest(.integer(number))
            for bit in 0..<64 {
                set[bit] += Int(digest.low >> bit & 1)
                set[64 + bit] += Int(digest.high >> bit & 1)
            }
        }
        // Five standard deviations of a fair coin.
        #expect(set.allSatisfy { abs($0 - count / 2) < 5 * 32 })
    }

    @Test("the order of a map's entries does not count", arguments: 1...20 as ClosedRange<UInt64>)
    func permutation(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let value = Value.random(depth: 5, using: &random)
            #expect(try digest(value.shuffled(using: &random)) == digest(value), "seed \(seed)")
        }
    }

    @Test("the digest is the same in every process and on every machine")
    func fixed() throws {
        #expect(try digest(.integer(1)).description == "45147c4581aaf08e3269c524a9e7f31c")
        #expect(
            try digest(.map([(.text("a"), .array([.double(1.5), .null])), (.text("bc"), .bytes([1, 2, 3]))]))
                .description
                == "4a42a641a0a7da6869f2c082a75a99e9")
    }

    @Test("the length of a float or of an item does not count where the value is the same")
    func forms() throws {
        #expect(try digest(bytes(hex: "f93e00")) == digest(.double(1.5)))
        #expect(try digest(bytes(hex: "9f01ff")) == digest(.array([.integer(1)])))
        #expect(try digest(bytes(hex: "bf0102ff")) == digest(.map([(.integer(1), .integer(2))])))
        #expect(try digest(bytes(hex: "1b0000000000000001")) == digest(.integer(1)))
    }

    @Test("a shared value counts as the value itself")
    func sharing() throws {
        #expect(try digest(bytes(hex: "82d81c8101d81d00")) == digest(bytes(hex: "8281018101")))
        #expect(try digest(bytes(hex: "82d81c8101d81d00")) != digest(bytes(hex: "8281018102")))
    }

    @Test(
        "values with shared parts and cycles have one digest, whatever order their entries are written in",
        arguments: 1...40 as ClosedRange<UInt64>)
    func graphs(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let graph = ValueGraph(nodes: 1 + random.below(8), using: &random)
            let expected = try digest(graph.encoded(using: &random))
            for _ in 0..<5 { #expect(try digest(graph.encoded(using: &random)) == expected, "seed \(seed)") }
            #expect(try digest(graph.changed(using: &random).encoded(using: &random)) != expected, "seed \(seed)")
        }
    }

    @Test("a builder's digest depends on the elements, their order and their number")
    func builder() throws {
        func list(_ values: [Value]) throws -> Digest {
            var builder = DigestBuilder()
            for value in values { builder.add(try digest(value)) }
            #expect(builder.count == values.count)
            return builder.digest
        }
        let (one, two): (Value, Value) = (.integer(1), .integer(2))
        #expect(try list([one, two]) == list([one, two]))
        let lists: [[Value]] = [[], [one], [two], [one, two], [two, one], [one, one], [one, two, one]]
        #expect(try Set(lists.map(list)).count == lists.count)
    }
}

/// A table of tables that may refer to each other in any way, which is the purpose of the tags 28 and 29.
private struct ValueGraph {
    private enum Content {
        case scalar(Int64)
        case node(Int)
    }

    /// For each node its entries, whose keys are their places in the array; all nodes are reachable from the first.
    private var nodes: [[Content]]

    init(nodes count: Int, using random: inout SeededGenerator) {
        nodes = (0..<count).map { number in
            (0..<random.below(4)).map { _ in
                random.below(3) == 0 ? .node(random.below(count)) : .scalar(Int64(number * 10 + random.below(10)))
            }
        }
        for number in 1..<max(count, 1) { nodes[random.below(number)].append(.node(number)) }
        nodes[0].append(.scalar(-1))
    }

    /// Returns the same graph with one scalar changed.
    func changed(using random: inout SeededGenerator) -> ValueGraph {
        var changed = self
        let scalars = nodes.indices.flatMap { node in
            nodes[node].indices.compactMap { place in
                if case .scalar = nodes[node][place] { (node, place) } else { nil }
            }
        }
        let (node, place) = scalars[random.below(scalars.count)]
        changed.nodes[node][place] = .scalar(1000)
        return changed
    }

    /// The encoding with the entries of every node in a random order.
    func encoded(using random: inout SeededGenerator) -> [UInt8] {
        var uses = [Int](repeating: 0, count: nodes.count)
        uses[0] = 1
        for case .node(let target) in nodes.joined() { uses[target] += 1 }
        var numbers: [Int: UInt64] = [:]
        return written { encode(0, uses, &numbers, &random, into: &$0) }
    }

    private func encode(
        _ node: Int, _ uses: [Int], _ numbers: inout [Int: UInt64], _ random: inout SeededGenerator,
        into writer: inout ByteWriter
    ) {
        if let number = numbers[node] {
            writer.appendTag(CBORTag.sharedReference)
            writer.appendHead(major: CBORMajor.unsigned, argument: number)
            return
        }
        if uses[node] > 1 {
            numbers[node] = UInt64(numbers.count)
            writer.appendTag(CBORTag.shareable)
        }
        writer.appendHead(major: CBORMajor.map, argument: UInt64(nodes[node].count))
        for place in nodes[node].indices.shuffled(using: &random) {
            writer.appendInteger(Int64(place))
            switch nodes[node][place] {
            case .scalar(let value): writer.appendInteger(value)
            case .node(let target): encode(target, uses, &numbers, &random, into: &writer)
            }
        }
    }
}
