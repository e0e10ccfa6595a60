import Testing

@testable import LuaHost

@Suite("Values that are no tables")
struct CodecScalarTests {
    static let integers = [
        "0", "1", "23", "24", "255", "256", "65535", "65536", "4294967295", "4294967296", "math.maxinteger", "-1",
        "-24",
        "-25", "-256", "-257", "-65536", "-65537", "-4294967296", "-4294967297", "math.mininteger",
    ]
    static let floats = [
        "0.0", "-0.0", "1.0", "-1.5", "2.0^53", "1e300", "5e-324", "2.2250738585072009e-308", "math.huge", "-math.huge",
        "0/0", "-(0/0)", "string.unpack('n', string.pack('j', 0x7ff8000000000123))",
        "string.unpack('n', string.pack('j', -2251799813685000))",
    ]
    static let strings = [
        "''", "'a'", "('x'):rep(23)", "('x'):rep(24)", "('x'):rep(65536)", "'a\\0b'", "'\\xff\\xfe'", "'äöü€😀'",
    ]

    @Test("comes back to the bit", arguments: ["true", "false"] + integers + floats + strings)
    func roundTrip(expression: String) throws {
        let rank = try LoneRank()
        try rank.run("local v = \(expression); assert(same(v, roundtrip(v)), tostring(roundtrip(v)))")
    }

    @Test("nil comes back as nil, not as an error")
    func null() throws {
        let rank = try LoneRank()
        try rank.run("assert(select('#', decode(assert(encode(nil)))) == 1 and decode(encode(nil)) == nil)")
    }

    @Test("integers and floats of the same value stay apart")
    func subtypes() throws {
        let rank = try LoneRank()
        try rank.run("assert(encode(1) ~= encode(1.0) and math.type(roundtrip(1.0)) == 'float')")
    }

    @Test("a string of 100 MB comes back")
    func longString() throws {
        let rank = try LoneRank()
        try rank.run("local s = ('0123456789'):rep(10000000); assert(roundtrip(s) == s)")
    }

    @Test("equal values have equal encodings")
    func determinism() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local function make()
              local shared = {1.5, 2.5}
              return {1, 2, shared, shared, {x = 1}, ('s'):rep(10)}
            end
            assert(encode(make()) == encode(make()))
            """)
    }
}
