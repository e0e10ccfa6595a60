import DLP
import Glibc

/// Bytes that one rank can make and another rank can check without a copy.
enum Pattern {
    /// The message with this number from `source`: its body, and therefore its way, depends on both.
    static func message(_ number: Int, from source: Int, bodyLength: Int) -> Message {
        Message(
            .results, operation: UInt64(number), first: source, count: bodyLength, extra: .min,
            body: bytes(bodyLength, seed: UInt64(number &* 1000 + source)))
    }

    /// Throws unless `delivery` is that message.
    static func check(_ delivery: Delivery, is number: Int, from source: Int, bodyLength: Int) throws(ProbeFailure) {
        guard case .message(let message, from: source) = delivery else {
            throw ProbeFailure("message \(number) from \(source) was due, not \(delivery)")
        }
        let expected = self.message(number, from: source, bodyLength: bodyLength)
        guard message == expected else {
            throw ProbeFailure(
                "message \(number) from \(source), of \(bodyLength) bytes, is wrong: it is \(message.operation) from "
                    + "\(message.first) with \(message.body.count) of \(message.count)")
        }
    }

    private static func bytes(_ count: Int, seed: UInt64) -> Bytes {
        guard count > 0 else { return .empty }
        let words = (count + 7) / 8
        guard let base = malloc(words * 8) else { return .empty }
        let buffer = UnsafeMutableBufferPointer(start: base.bindMemory(to: UInt64.self, capacity: words), count: words)
        var word = seed &* 0x9E37_79B9_7F4A_7C15
        for index in buffer.indices {
            word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            buffer[index] = word
        }
        return Bytes(adopting: base, count: count)
    }
}

/// What was wrong.
struct ProbeFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Sizes that both ends draw in the same way (SplitMix64).
struct Sizes {
    private var state: UInt64

    init(seed: Int, source: Int, destination: Int) {
        state = UInt64(seed) << 32 | UInt64(source) << 16 | UInt64(destination)
    }

    /// Empty, tiny, around the largest that goes with a header, or up to 3 MB.
    mutating func next() -> Int {
        let draw = Int(random() >> 1)
        switch random() % 8 {
        case 0: return 0
        case 1, 2: return draw % 100
        case 3: return 95 + draw % 10
        case 4: return 3835 + draw % 10
        case 5: return draw % 100_000
        default: return draw % 3_000_000
        }
    }

    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
