import Testing

@testable import LuaHost

@Suite("Values that cannot travel")
struct CodecErrorTests {
    @Test(
        "the error names the path to the value",
        arguments: [
            ("print", "it is a function"), ("coroutine.create(print)", "it is a thread"),
            ("io.stdout", "it is a userdata"),
            ("{f = print}", ".f is a function"), ("{1, {2, print}}", "[2][2] is a function"),
            ("{model = {loss = print}}", ".model.loss is a function"), ("{['a b'] = print}", "[\"a b\"] is a function"),
            ("{[''] = print}", "[\"\"] is a function"), ("{[7.5] = print}", "[7.5] is a function"),
            ("{[-3] = print}", "[-3] is a function"), ("{[true] = io.stdout}", "[true] is a userdata"),
            ("{[{}] = print}", "[a table] is a function"), ("{[print] = 1}", "[a function] is a function"),
            ("{[{x = print}] = 1}", "[a table].x is a function"),
        ])
    func path(value: String, message: String) throws {
        let rank = try LoneRank()
        try rank.run("local value, message = encode(\(value)); text = message; assert(value == nil)")
        #expect(rank.global("text") == message)
    }

    @Test("the encoder is as before, whatever failed in it")
    func recovery() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local good = {1, {2}}; good.me = good
            local before = encode(good)
            local deep = {print}
            for i = 1, 300000 do deep = {x = deep} end
            for _, bad in ipairs {{good, good, print}, {good, {x = {[io.stdout] = good}}}} do
              for _ = 1, 100 do
                assert(not encode(bad))
                assert(encode(good) == before)
              end
            end
            assert(not encode(deep))
            assert(encode(good) == before)
            """)
    }
}
