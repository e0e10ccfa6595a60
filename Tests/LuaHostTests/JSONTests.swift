import DLP
import Testing

@testable import LuaHost

/// `dlp.json`.
@Suite("JSON in scripts")
struct JSONTests {
    @Test(
        "is read as RFC 8259 has it, integers and floats apart",
        arguments: [
            ("1", "1"), ("1.0", "1.0"), ("-0", "0"), ("-0.0", "-0.0"), ("1e3", "1000.0"), ("1E+2", "100.0"),
            ("25e-1", "2.5"),
            ("9223372036854775807", "math.maxinteger"), ("-9223372036854775808", "math.mininteger"),
            ("9223372036854775808", "2.0 ^ 63"), ("-9223372036854775809", "-2.0 ^ 63"),
            ("18446744073709551616", "2.0 ^ 64"),
            ("123456789012345678901234567890", "123456789012345678901234567890.0"),
            ("0.1", "0.1"), ("5e-324", "5e-324"), ("2.2250738585072011e-308", "0x0.fffffffffffffp-1022"),
            ("179769313486231570000e288", "1.7976931348623157e308"), ("1e400", "math.huge"), ("1e-400", "0.0"),
            ("0.30000000000000004", "0.1 + 0.2"), ("9007199254740993.0", "9007199254740992.0"),
            ("null", "nil"), (" true\t", "true"), ("\r\nfalse\n", "false"),
            (#""""#, "''"), (#""a\/\\\"\b\f\n\r\t""#, #""a/\\\"\b\f\n\r\t""#),
            (#""\u0000\u00e4\u20AC\ud83d\ude00""#, #""\0\u{e4}\u{20ac}\u{1f600}""#), (#""ä€😀""#, #""ä€😀""#),
            ("[]", "{}"), ("{}", "{}"), ("[ ]", "{}"), ("[[],{}]", "{{}, {}}"), ("[1,[2,3],4]", "{1, {2, 3}, 4}"),
            (#"{"a":{"b":[true]},"c":"d"}"#, "{a = {b = {true}}, c = 'd'}"), (#"{"1":2}"#, "{['1'] = 2}"),
            // Holes, and nulls.
            ("[null]", "{n = 1}"), ("[1,null,3]", "{1, nil, 3, n = 3}"),
            ("[[null,2],null]", "{{nil, 2, n = 2}, n = 2}"),
            (#"{"a":null,"b":1}"#, "{b = 1}"),
            // Of two values for one key, the last counts.
            (#"{"a":1,"a":[2]}"#, "{a = {2}}"), (#"{"a":1,"a":null}"#, "{}"),
            // Some programs put a byte order mark in front.
            ("\u{feff}[1]", "{1}"),
        ])
    func decodes(text: String, value: String) throws {
        try LoneRank().run(
            """
            local value = dlp.json.decode(...)
            local expected = \(value)
            assert(same(value, expected), tostring(value))
            """, arguments: [SystemString(text)])
    }

    @Test("a finalizer that encodes something while a text is made gets its own")
    func reentrant() throws {
        try LoneRank().run(
            """
            local wrong, ended = 0, 0
            local meta = {__gc = function()
              ended = ended + 1
              if dlp.json.encode {"inner"} ~= '["inner"]' then wrong = wrong + 1 end
            end}
            local list = {}
            for i = 1, 1000 do list[i] = "a long text " .. i end
            for _ = 1, 300 do
              setmetatable({}, meta)
              dlp.json.encode(list)
            end
            collectgarbage()
            assert(ended > 100 and wrong == 0, wrong .. " of " .. ended)
            """)
    }

    @Test(
        "that is none is an error with its place",
        arguments: [
            ("", "1, column 1: expected a value, and the text ends"),
            ("{\"a\":\n1", "2, column 2: expected ',' or '}'"),
            ("[1,]", "1, column 4: expected a value, got ']'"), ("[1 2]", "1, column 4: expected ',' or ']', got '2'"),
            ("[1,\n 2,\n  oops]", "3, column 3: expected a value, got 'o'"), ("{a:1}", "1, column 2: expected a key"),
            (#"{"a" 1}"#, "1, column 6: expected ':', got '1'"),
            (#"{"a":1,}"#, "1, column 8: expected a key in quotes"),
            ("01", "1, column 2: expected nothing more, got '1'"), ("1 2", "1, column 3: expected nothing more"),
            ("1.", "1, column 3: expected a digit"), (".5", "1, column 1: expected a value"),
            ("-", "1, column 2: expected a digit"), ("1e+", "1, column 4: expected a digit"),
            ("+1", "1, column 1: expected a value"), ("0x10", "1, column 2: expected nothing more, got 'x'"),
            ("NaN", "1, column 1: expected a value"), ("nul", "1, column 1: expected a value"),
            ("'a'", "1, column 1: expected a value"), (#"["abc"#, "1, column 2: a string that never ends"),
            (#""\"#, "1, column 1: a string that never ends"), ("\"a\nb\"", "1, column 3: a control character"),
            (#""\x""#, "1, column 2: an escape that JSON does not have"), (#""\u12g4""#, "four hexadecimal digits"),
            (#""\ud800""#, "half of a surrogate pair"), (#""\udc00\ud800""#, "half of a surrogate pair"),
            (#""\ud800\u0041""#, "half of a surrogate pair"), ("[1]]", "1, column 4: expected nothing more, got ']'"),
            ("[}", "1, column 2: expected a value"), (#"{"a":}"#, "1, column 6: expected a value, got '}'"),
        ])
    func refuses(text: String, message: String) throws {
        let rank = try LoneRank()
        let error = #expect(throws: ScriptError.self) {
            try rank.run("\nlocal v = dlp.json.decode(...)", arguments: [SystemString(text)])
        }
        #expect(
            error?.message.hasPrefix("job.lua:2: json.decode: line ") == true
                && error?.message.contains(message) == true,
            "\(error?.message ?? "")")
    }

    @Test("in bytes that nobody would expect is refused, not believed")
    func hostile() throws {
        try LoneRank().run(
            #"""
            local function refuses(text, message)
              local ok, found = pcall(dlp.json.decode, text)
              assert(not ok and found:find(message, 1, true), found)
            end
            for _, bytes in ipairs{"\xff", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80", "\xf8\x88\x80\x80\x80"} do
              refuses('["' .. bytes .. '"]', "column 3: bytes that are not UTF-8")
              refuses('{"' .. ("x"):rep(20) .. bytes .. '":1}', "column 23: bytes that are not UTF-8")
            end
            refuses("1\0", "expected nothing more, got byte 0")
            refuses('"a\0b"', "a control character")
            refuses("\0", "expected a value, got byte 0")
            for _, open in ipairs{"[", '{"a":', '[{"a":'} do refuses(open:rep(1000000), "nested deeper than 10000 levels") end
            refuses(("["):rep(10000), "and the text ends")
            refuses(("]"):rep(10000), "expected a value")
            assert(#dlp.json.decode('"' .. ("x"):rep(50000000) .. '"') == 50000000)
            assert(#dlp.json.decode("[" .. ("1,"):rep(1000000) .. "1]") == 1000001)
            assert(dlp.json.decode(("1"):rep(100000)) == math.huge)
            local decode = dlp.json.decode
            for _, value in ipairs{1, true, {}, print} do
              local ok, message = pcall(function() return decode(value) end)
              assert(not ok and message == "job.lua:20: json.decode: expected a string, got " .. type(value), message)
            end
            -- The locale of a script is nobody's affair; it may not be there.
            os.setlocale("de_DE.UTF-8")
            assert(decode("0.12345678901234567") == 0x1.f9add3746f65ep-4)
            """#)
    }

    @Test("is written as results are, and what was written comes back")
    func encodes() throws {
        try LoneRank().run(
            #"""
            local encode, decode = dlp.json.encode, dlp.json.decode
            assert(encode(nil) == "null" and encode() == "null" and encode(1) == "1" and encode(1.0) == "1.0")
            assert(encode{} == "[]" and encode{1, {}} == "[1,[]]" and encode(0/0) == "null" and encode(-1/0) == "null")
            assert(encode{b = 1, a = {2.5, true}} == '{"a":[2.5,true],"b":1}')
            assert(encode("ä\n\0\x7f\"\\") == '"ä\\n\\u0000\x7f\\"\\\\"')
            assert(encode("\xff") == '"_w"' and encode{1, nil, 3} == '{"1":1,"3":3}')
            local shared = {1}
            assert(encode{shared, shared} == "[[1],[1]]")
            local values = {
              {1, 2.0, -0.0, 1e100, 5e-324, math.mininteger, math.maxinteger, "text", true, {a = {b = {c = {}}}}},
              {name = "x", list = {{id = 1}, {id = 2.5}}, ["key with \"quotes\""] = "\0"},
              {0.1, 1/3, 2.0 ^ 53, 2.0 ^ 63, -123456.789e-30},
            }
            for _, value in ipairs(values) do
              assert(same(decode(encode(value)), value))
              assert(encode(decode(encode(value))) == encode(value))
            end
            local deep = ("["):rep(10000) .. ("]"):rep(10000)
            assert(encode(decode(deep)) == deep)
            local co = coroutine.wrap(function() return encode(decode('{"a":[1]}')) end)
            assert(co() == '{"a":[1]}')
            """#)
    }

    @Test(
        "has no text for everything",
        arguments: [
            ("{a = {print}}", "value.a[1] is a function, which JSON has no text for"),
            ("print", "value is a function, which JSON has no text for"),
            ("(function() local t = {} t.t = t return t end)()", "a value that contains itself"),
            ("{[1] = 1, ['1'] = 2, x = 3}", "two keys that are both \"1\""),
            ("{[{}] = 1}", "a key that is not a string"),
        ])
    func cannotEncode(value: String, message: String) throws {
        let error = try LoneRank().error("\nlocal text = dlp.json.encode(\(value))")
        #expect(
            error.message.hasPrefix("job.lua:2: json.encode: ") && error.message.contains(message), "\(error.message)")
    }

    @Test("is bound by the memory limit, and no worse for it")
    func memory() throws {
        let rank = try LoneRank()
        rank.host.limitMemory(to: 64 << 20)
        try rank.run(
            """
            for i = 1, 5 do
              local text = "[" .. ("[1,2],"):rep(2000000) .. "1]"
              local ok, message = pcall(dlp.json.decode, text)
              assert(not ok and tostring(message):find("not enough memory"), message)
              text = nil
              assert(#dlp.json.decode("[1,2]") == 2)
            end
            """)
    }
}
