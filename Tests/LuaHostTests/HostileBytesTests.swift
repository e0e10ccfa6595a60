import Testing

@testable import LuaHost

/// Bytes that claim to be a value: the decoder refuses or reads them, and never raises, traps or changes the stack.
@Suite("Hostile bytes")
struct HostileBytesTests {
    @Test(
        "is refused",
        arguments: [
            ("nothing at all", ""), ("two values", "0101"), ("an array that is cut off", "8201"),
            ("a map without its last value", "a101"), ("a nil key", "a1f601"), ("an undefined key", "a1f701"),
            ("a NaN key", "a1fb7ff800000000000001"), ("a half-precision NaN key", "a1f97e0001"),
            ("a nil key in a map without length", "bff601ff"), ("a break after a key", "bf01ff"),
            ("a break outside", "ff"), ("a break in an array with a length", "8201ff"),
            ("a reference without shared values", "d81d00"), ("a reference to the future", "82d81c80d81d01"),
            ("a reference to a value under construction that is none", "d81cd81d00"),
            ("a negative reference", "82d81c80d81d20"), ("a huge reference", "82d81c80d81d1bffffffffffffffff"),
            ("a reference to a shared nil", "82d81cf6d81d00"), ("a value that is shared twice", "d81cd81c80"),
            ("a typed array without bytes", "d84801"), ("a typed array of half a number", "d84d43010203"),
            ("a typed array without length", "d8485f4101ff"), ("a typed array as a nil key", "a1d81d0001"),
            ("an integer above 64 bits", "1bffffffffffffffff"), ("an integer below 64 bits", "3bffffffffffffffff"),
            ("a simple value that Lua lacks", "f0"), ("an array of 2^63 elements", "9b8000000000000000"),
            ("a map of 2^62 entries", "bb4000000000000000"), ("a string of 2^63 bytes", "5b7fffffffffffffff"),
            ("an array of 2^32 elements", "9affffffff"), ("pieces of another type", "7f4161ff"),
            ("pieces without an end", "7f6161"), ("tags without a value", "c0c0c0c0"),
        ])
    func refused(what: String, hex: String) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local source = ('\(hex)'):gsub('..', function(h) return string.char(tonumber(h, 16)) end)
            local value, message = decode(source)
            assert(value == nil and type(message) == 'string', 'this was read')
            assert(not message:find('leaves'), message)
            """)
    }

    @Test(
        "what other encoders may write is read",
        arguments: [
            ("9f010203ff", "{1, 2, 3}"), ("bf6161018000ff", "{a = 1, [{id = 1}] = 0}"), ("7f61616162ff", "'ab'"),
            ("5fff", "''"), ("c1c20a", "10"), ("f93c00", "1.0"), ("fa7f800000", "math.huge"),
            ("d84043010203", "{1, 2, 3}"),
            ("d81c61 61", "'a'"), ("82d81c6161d81d00", "{'a', 'a'}"), ("82d81cd8484101d81d00", "{{1}, {1}}"),
        ])
    func foreign(hex: String, value: String) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local source = ('\(hex)'):gsub(' ', ''):gsub('..', function(h) return string.char(tonumber(h, 16)) end)
            local read = assert(decode(source))
            if type(read) == 'table' then for k in pairs(read) do if type(k) == 'table' then k.id = 1 end end end
            for i = 1, 2 do
              if type(read) == 'table' and type(read[i]) == 'table' then assert(i == 2 or read[1] == read[2]); read[2] = {1} end
            end
            assert(same(read, \(value)))
            """)
    }

    @Test("a value that is cut off anywhere is refused")
    func truncation() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local shared = {x = 1}
            local numbers = {}; for i = 1, 20 do numbers[i] = i end
            local whole = encode({1, -300, 1.5, 'text', '\\xff', true, {a = shared, b = shared}, numbers, [{}] = 'key'})
            assert(decode(whole))
            for length = 0, #whole - 1 do
              local value, message = decode(whole:sub(1, length))
              assert(value == nil and not message:find('leaves'), length)
            end
            """)
    }

    @Test("damaged and random bytes never do harm", arguments: 1...8)
    func random(seed: Int) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            math.randomseed(\(seed))
            local random = math.random
            local shared = {x = 1}; shared.me = shared
            local numbers = {}; for i = 1, 20 do numbers[i] = i + 0.5 end
            local whole = encode({1, {2, {3}}, 'text', {a = shared, b = shared, [shared] = {}}, numbers, 1e10})
            for round = 1, 4000 do
              local source
              if round % 2 == 0 then
                local bytes = {}
                for i = 1, random(1, 40) do bytes[i] = string.char(random(0, 255)) end
                source = table.concat(bytes)
              else
                source = whole
                for _ = 1, random(1, 4) do
                  local at = random(#source)
                  source = source:sub(1, at - 1) .. string.char(random(0, 255)) .. source:sub(at + 1)
                end
              end
              local _, message = decode(source)
              assert(not message or not tostring(message):find('leaves'), 'seed \(seed)')
            end
            """)
    }

    @Test("memory stays within the size of the bytes times a constant")
    func allocation() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            collectgarbage(); collectgarbage('stop')
            local claims = {
              '\\x9a\\x00\\x0f\\x00\\x00', '\\xba\\x00\\x07\\x00\\x00', '\\x9b\\x00\\x00\\x00\\x00\\x00\\x0f\\x00\\x00',
            }
            for _, claim in ipairs(claims) do
              local source = claim .. claim:rep(1000) .. ('\\x01'):rep(1 << 20)
              local before = collectgarbage('count')
              assert(not decode(source:sub(1, -2) .. '\\xff'))
              local used = (collectgarbage('count') - before) * 1024
              assert(used < #source * 100, used)
            end
            """)
    }
}
