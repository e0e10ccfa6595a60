import CLua
import CLuaHost
import DLP
import Testing

@testable import LuaHost

@Suite("Digests of tables that are not encoded")
struct FlatDigestTests {
    /// Compares the direct digest of a global table with that of its encoding.
    private func compare(_ rank: LoneRank, _ name: String) throws -> Bool {
        let state = rank.host.state
        lua_getglobal(state, name)
        defer { pop(state) }
        let encoder = LuaEncoder()
        try encoder.append(state, -1)
        let top = lua_gettop(state)
        let flat = Digest(ofFlatTable: -1, state)
        #expect(lua_gettop(state) == top)
        let encoded = try encoder.take().withUnsafeBytes { try Digest(of: $0) }
        #expect(flat == nil || flat == encoded)
        return flat != nil
    }

    @Test(
        "are those of their encodings",
        arguments: [
            "{}", "{1, 2, 3}", "{nil, 2}", "{1, 2, x = 3}", "{[0] = 'a', 'b'}", "{[1.5] = 'a', [-0.5] = 'b'}",
            "{name = 'a', value = 1}", "{[true] = 1, [false] = 2.5}", "{math.mininteger, math.maxinteger, -1, 0}",
            "{0/0, -0.0, 1e300, 1/0}", "{'', 'ä', '\\xff', ('x'):rep(15), ('x'):rep(16), ('x'):rep(33)}",
            "{['\\xff'] = '\\0', ['ä'] = true}", "{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}",
            "{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 'x'}",
        ])
    func same(expression: String) throws {
        let rank = try LoneRank()
        try rank.run("t = \(expression)")
        #expect(try compare(rank, "t"))
        dlp_overlook_tables(rank.host.state)
        #expect(try compare(rank, "t"))
    }

    @Test("are left to the encoder where there are many scalars")
    func many() throws {
        let rank = try LoneRank()
        try rank.run("t, u = {}, {}; for i = 1, 256 do t[i] = 'x'; u[i] = 'x' end; u[257] = 'x'")
        #expect(try compare(rank, "t"))
        #expect(try !compare(rank, "u"))
    }

    @Test("a look ahead changes nothing, wherever it is made")
    func lookAhead() throws {
        let rank = try LoneRank()
        let state = rank.host.state
        try rank.run("t = {}; for i = 1, 40 do t[i] = i % 3 == 0 and {id = i, 'a', 'b'} or i % 3 == 1 and {} or i end")
        lua_getglobal(state, "t")
        for element in [0, 7, 20, 39, 40, 1000, Int.max - 20] { dlp_look_ahead(state, -1, element) }
        for element in 0..<40 { dlp_look_ahead(state, -1, element) }
        dlp_overlook_tables(state)
        dlp_look_ahead(state, -1, 0)
        pop(state)
        #expect(try !compare(rank, "t"))
    }

    @Test(
        "are left to the encoder where a table, or a long run of numbers, is in it",
        arguments: [
            "{{}}", "{x = {1}}", "{[{}] = 1}", "{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}", "'text'", "1",
        ])
    func others(expression: String) throws {
        let rank = try LoneRank()
        try rank.run("t = \(expression)")
        #expect(try !compare(rank, "t"))
    }

    @Test("of random tables are those of their encodings", arguments: 1...20)
    func random(seed: Int) throws {
        let rank = try LoneRank()
        // Half of them are read by Lua's functions.
        if seed % 2 == 0 { dlp_overlook_tables(rank.host.state) }
        try rank.run(
            """
            math.randomseed(\(seed))
            local random = math.random
            local makers = {
              function() return random(0) end, function() return random(-300, 300) end, function() return random() end,
              function() return random(2) == 1 end, function() return ('x'):rep(random(0, 40)) end,
              function() return string.char(random(0, 255), random(0, 255)) end, function() return random(9) + 0.0 end,
            }
            local function value() return makers[random(#makers)]() end
            for n = 1, 100 do
              local t = {}
              for i = 1, random(0, 20) do if random(2) == 1 then t[#t + 1] = value() else t[value()] = value() end end
              _G['t' .. n] = t
            end
            """)
        for n in 1...100 { #expect(try compare(rank, "t\(n)")) }
    }
}
