import CLua
import CLuaHost
import Testing

@testable import LuaHost

@Suite("Tables read where they lie in memory")
struct TableSightTests {
    @Test("this Lua's tables are where we look for them")
    func isPossible() throws {
        let rank = try LoneRank()
        #expect(dlp_sees_tables(rank.host.state))
        dlp_overlook_tables(rank.host.state)
        #expect(!dlp_sees_tables(rank.host.state))
    }

    @Test("tables of any history travel as the same bytes as by Lua's functions", arguments: 1...40)
    func isTheSame(seed: Int) throws {
        let rank = try LoneRank()
        lua_pushcclosure(rank.host.state, overlook, 0)
        lua_setglobal(rank.host.state, "overlook")
        try rank.run(
            """
            math.randomseed(\(seed))
            local random = math.random
            local values = {
              function() return random() end, function() return random(-100, 100) end, function() return random(0) end,
              function() return random(-40000, 40000) end, function() return random(2) == 1 and random() or 1 end,
              function() return 'text' .. random(9) end, function() return {random(9)} end,
            }
            local makers = {
              function() return {} end, function() return {1.5, 2.5, 3.5} end, function() return {x = 1, y = 2} end,
              function() return table.pack(string.byte(('x'):rep(random(0, 40)), 1, -1)) end,
              function(value) local t = {}; for i = 1, random(0, 70) do t[i] = value() end; return t end,
              function(value) local t = {}; for i = random(0, 40), 1, -1 do t[i] = value() end; return t end,
            }
            local changes = {
              function(t, value) t[random(-2, 70)] = value() end, function(t) t[random(-2, 70)] = nil end,
              function(t, value) t[#t + 1] = value() end, function(t) t[#t] = nil end,
              function(t, value) t['key' .. random(20)] = value() end, function(t) t['key' .. random(20)] = nil end,
              function(t, value) t[random()] = value() end, function(t) t.n = nil end,
            }
            local tables, encoded = {}, {}
            for i = 1, 200 do
              local value = values[random(#values)]
              local t = makers[random(#makers)](value)
              for _ = 1, random(0, 12) do changes[random(#changes)](t, value) end
              tables[i], encoded[i] = t, encode(t)
              assert(same(t, decode(encoded[i])), 'seed \(seed), table ' .. i)
            end
            overlook()
            for i, t in ipairs(tables) do
              assert(encode(t) == encoded[i], 'seed \(seed), table ' .. i)
              assert(same(t, decode(encoded[i])), 'seed \(seed), table ' .. i)
            end
            """)
    }
}

private let overlook: lua_CFunction = { state in
    guard let state else { return 0 }
    dlp_overlook_tables(state)
    return 0
}
