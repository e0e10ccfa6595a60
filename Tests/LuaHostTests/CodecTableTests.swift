import Testing

@testable import LuaHost

@Suite("Tables that travel")
struct CodecTableTests {
    @Test(
        "comes back with the same keys and values",
        arguments: [
            "{}", "{1, 2, 3}", "{nil, 2}", "{1, nil, 3}", "{1, 2, x = 3}", "{[0] = 'a', 'b'}", "{[-1] = 1, [-2] = 2}",
            "{[1.5] = 'a', [-0.5] = 'b', [1e300] = 'c'}", "{[true] = 1, [false] = 2}",
            "{[{id = 1}] = 'a', [{id = 2}] = 'b'}",
            "{{}, {{}}, {{{}}}}", "{[math.maxinteger] = 1, [math.mininteger] = 2}", "{[2^53] = 1}",
            "{['\\xff'] = '\\0'}",
            "{a = {b = {c = {d = {}}}}}", "{1, 2.0, 3}", "{[{id = 1, [{id = 2}] = 3}] = {[{id = 4}] = {}}}",
            "{0/0, -0.0}",
        ])
    func roundTrip(expression: String) throws {
        let rank = try LoneRank()
        try rank.run("local v = \(expression); assert(same(v, roundtrip(v)))")
    }

    @Test("a cycle comes back as a cycle")
    func cycles() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local own = {}; own.me = own
            local r = roundtrip(own); assert(r.me == r)

            local list = {}; list[1] = list; list[2] = {list}
            r = roundtrip(list); assert(r[1] == r and r[2][1] == r)

            local a, b = {name = 'a'}, {name = 'b'}; a.other, b.other = b, a
            r = roundtrip(a); assert(r.other.other == r and r.other.name == 'b')

            local key = {id = 1}; key[key] = key
            r = roundtrip(key); assert(r[r] == r)

            local through = {id = 2}; through[{id = 3, back = through}] = true
            r = roundtrip(through); assert(next(r) ~= nil and same(r, through))
            for k in pairs(r) do if type(k) == 'table' then assert(k.back == r) end end
            """)
    }

    @Test("a table that occurs twice is one table again")
    func sharing() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local s, t = {1}, {}
            local r = roundtrip({s, s, {s, x = {y = s}}, [t] = t, again = t})
            assert(r[1] == r[2] and r[3][1] == r[1] and r[3].x.y == r[1])
            assert(r[r.again] == r.again and r.again ~= r[1])

            local numbers = {}; for i = 1, 100 do numbers[i] = i end
            r = roundtrip({numbers, {numbers}, n = numbers})
            assert(r[1] == r[2][1] and r.n == r[1] and #r.n == 100)

            local many = {}; for i = 1, 1000 do many[i] = {i} end
            r = roundtrip({many, table.move(many, 1, 1000, 1, {})})
            for i = 1, 1000 do assert(r[1][i] == r[2][i] and r[1][i][1] == i) end

            -- Equal tables that are not the same one stay two.
            r = roundtrip({{1}, {1}}); assert(r[1] ~= r[2])
            """)
    }

    @Test("sharing is found anew for every value that one encoder appends")
    func sharingAcrossValues() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            values = dlp.map(function(i) local s = {i}; return {s, s} end, 50, {chunk = 50})
            for i = 1, 50 do assert(values[i][1] == values[i][2] and values[i][1][1] == i) end
            """)
    }

    @Test("nesting is bounded by memory alone", arguments: [100_000, 1_000_000])
    func depth(levels: Int) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local levels = \(levels)
            local arrays, maps, keys = {}, {}, {}
            for i = 1, levels do arrays = {arrays}; maps = {m = maps} end
            local r, depth = roundtrip(arrays), 0
            while r[1] do r = r[1]; depth = depth + 1 end
            assert(depth == levels); arrays = nil
            r, depth = roundtrip(maps), 0
            while r.m do r = r.m; depth = depth + 1 end
            assert(depth == levels); maps = nil
            for i = 1, 100000 do keys = {[keys] = i} end
            r, depth = roundtrip(keys), 0
            while next(r) do r = next(r); depth = depth + 1 end
            assert(depth == 100000)
            """)
    }

    @Test("a deep table that contains itself comes back")
    func deepCycle() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local root = {}
            local t = root
            for i = 1, 400000 do t[1] = {}; t = t[1] end
            t[1] = root
            local r = roundtrip(root)
            local depth, u = 0, r
            repeat u = u[1]; depth = depth + 1 until u == r
            assert(depth == 400001)
            """)
    }

    @Test(
        "a run of numbers comes back, whatever their width",
        arguments: [
            "i % 100", "-i", "i * 100", "-i * 100", "i * 100000", "-i * 100000", "i * 2^40 // 1 | 0",
            "math.mininteger + i",
            "math.maxinteger - i", "i + 0.5", "i * 1.0", "(i == 3) and 0/0 or -0.0", "(i % 2 == 0) and i or i + 0.5",
            "(i == 1) and -129 or 127", "(i == 2) and 32768 or 0", "(i == 2) and 2147483648 or 0",
        ], [15, 16, 17, 300])
    func numbers(element: String, count: Int) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local v = {}
            for i = 1, \(count) do v[i] = \(element) end
            assert(same(v, roundtrip(v)))
            """)
    }

    @Test("a run of numbers is a typed array from 16 on, as narrow as its numbers allow")
    func typedArrays() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local function run(n, f) local t = {}; for i = 1, n do t[i] = f(i) end; return encode(t) end
            local function tag(text) return text:byte(1) == 0xd8 and text:byte(2) end
            assert(not tag(run(15, function(i) return i end)))
            assert(tag(run(16, function(i) return i end)) == 72)
            assert(tag(run(16, function(i) return i == 1 and -129 or 0 end)) == 77)
            assert(tag(run(16, function(i) return i == 9 and 32768 or 0 end)) == 78)
            assert(tag(run(16, function(i) return i == 16 and 1 << 31 or 0 end)) == 79)
            assert(tag(run(16, function(i) return i + 0.0 end)) == 86)
            assert(not tag(run(16, function(i) return i == 5 and 5.0 or i end)))
            assert(not tag(run(16, function(i) return i == 5 and 'x' or i end)))
            """)
    }

    @Test("random tables come back", arguments: 1...40)
    func random(seed: Int) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            math.randomseed(\(seed))
            local random, tables = math.random, {}
            local make
            local scalars = {
              function() return random(0) end, function() return random(-300, 300) end, function() return random() end,
              function() return random() < 0.5 end, function() return ('s'):rep(random(0, 30)) end,
              function() return string.pack('j', random(0)) end, function() return 0/0 end, function() return -0.0 end,
            }
            local function key()
              local kind = random(4)
              if kind == 1 then return random(-5, 40) end
              if kind == 2 then return 'k' .. random(50) end
              if kind == 3 then return random() end
              local t = {id = #tables + 1}
              tables[#tables + 1] = t
              return t
            end
            function make(depth)
              if #tables > 0 and random() < 0.1 then return tables[random(#tables)] end
              if depth == 0 or random() < 0.5 then return scalars[random(#scalars)]() end
              local t = {id = #tables + 1}
              tables[#tables + 1] = t
              for i = 1, random(0, 12) do t[i] = make(depth - 1) end
              for _ = 1, random(0, 6) do t[key()] = make(depth - 1) end
              return t
            end
            local v = {id = 0}
            for i = 1, 20 do v[i] = make(6) end
            assert(same(v, roundtrip(v)), 'seed \(seed)')
            """)
    }
}
