import TestSupport
import Testing

@testable import Codec

/// The values that Swift programs send as examples and results.
@Suite(.hangLimit)
struct CodableTests {
    private struct Inner: Codable, Equatable {
        var flag: Bool
        var names: [String?]
    }

    private enum Shape: Codable, Equatable {
        case point
        case circle(radius: Double)
    }

    private struct Outer: Codable, Equatable {
        var small: Int8
        var large: UInt64
        var float: Float
        var absent: Int?
        var inner: [Inner]
        var table: [String: [Int]]
        var numbered: [Int: String]
        var shapes: [Shape]
        var range: Range<Int>
        var bytes: [UInt8]
        var set: Set<String>
    }

    private class Base: Codable {
        var base = 1
    }

    private final class Derived: Base {
        var own = 2
        override init() { super.init() }
        private enum Keys: CodingKey { case own }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            own = try container.decode(Int.self, forKey: .own)
            try super.init(from: container.superDecoder())
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(own, forKey: .own)
            try super.encode(to: container.superEncoder())
        }
    }

    private func returned<Content: Codable>(_ content: Content) throws -> Content {
        try Value(decoding: Value(encoding: content).encoded()).decoded()
    }

    @Test("structures come back as they were")
    func structures() throws {
        let outer = Outer(
            small: -128, large: .max, float: 0.1, absent: nil,
            inner: [Inner(flag: true, names: ["a", nil]), Inner(flag: false, names: [])],
            table: ["x": [1, 2], "": []],
            numbered: [-1: "minus", 7: "seven"], shapes: [.point, .circle(radius: .infinity)], range: 3..<9,
            bytes: [0, 255], set: ["ä", "b"])
        #expect(try returned(outer) == outer)
        #expect(try returned([outer, outer]) == [outer, outer])
    }

    @Test("what a class inherits comes back")
    func classes() throws {
        let derived = Derived()
        (derived.base, derived.own) = (10, 20)
        let copy = try returned(derived)
        #expect(copy.base == 10 && copy.own == 20)
    }

    @Test("simple values come back")
    func simple() throws {
        #expect(try returned(Int.min) == .min)
        #expect(try returned("") == "")
        #expect(try returned(Double?.none) == nil)
        #expect(try returned(-0.0).sign == .minus)
        #expect(try returned([Int]()) == [])
        #expect(try returned([String: Int]()) == [:])
    }

    @Test("what is of another kind is an error that names the place")
    func mismatches() throws {
        let wrong = Value.array([
            .map([(key: .text("flag"), value: .bool(true)), (key: .text("names"), value: .integer(1))])
        ])
        let error = #expect(throws: DecodingError.self) { try wrong.decoded(as: [Inner].self) }
        guard case .typeMismatch(_, let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.codingPath.map(\.stringValue) == ["0", "names"])
        #expect(throws: DecodingError.self) { try Value.integer(300).decoded(as: Int8.self) }
        #expect(throws: DecodingError.self) { try Value.map([]).decoded(as: Inner.self) }
    }
}
