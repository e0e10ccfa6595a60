import CLua
import CLuaHost
import DLP
import Testing

@testable import LuaHost

@Suite("The memory limit")
struct MemoryLimitTests {
    private static let limit = 4 << 20
    private static let message = "not enough memory: --memory allows this rank 4M"
    /// Lua code that allocates more and more, in small steps.
    private static let hog = "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end"

    private func limited(to limit: Int = limit) throws -> LoneRank {
        let rank = try LoneRank()
        rank.host.limitMemory(to: limit)
        return rank
    }

    @Test(
        "is an ordinary error of Lua, whatever wants too much",
        arguments: [
            hog, "local s = ('x'):rep(1 << 23)", "local s = 'x' while true do s = s .. s end",
            "local function f(n) return 1 + f({n}) end f()", "string.rep('x', 1 << 30)",
            "table.concat({('x'):rep(3 << 20)}, ('y'):rep(3 << 20))",
            "local t = table.pack(string.byte(('x'):rep(1 << 19), 1, -1))",
            "collectgarbage('stop') \(hog)", "coroutine.wrap(function() \(hog) end)()",
            "local t = {} while true do t = {coroutine.create(print), t} end",
            "dlp.map(function() \(hog) end, 3)", "dlp.allgather(('x'):rep(1 << 23))",
            "local t <close> = setmetatable({}, {__close = function() \(hog) end})",
            "assert(load(function() return ('x = 1 '):rep(1000) end))",
        ])
    func error(text: String) throws {
        let rank = try limited()
        let error = rank.error(text)
        #expect(
            error.message.contains("not enough memory") || error.message.contains("stack overflow"), "\(error.message)")
        // The rank has its memory back.
        try rank.run("collectgarbage('restart') local s = ('x'):rep(1 << 20)")
        try rank.run("assert(collectgarbage('count') < 3000)")
    }

    @Test("holds while a script is loaded")
    func loading() throws {
        let rank = try limited(to: 1 << 20)
        let error = rank.error("x = {" + String(repeating: "{1, 2, 3},", count: 40_000) + "}")
        #expect(error.message == "not enough memory: --memory allows this rank 1M")
    }

    @Test(
        "holds in every function of a job, and the job goes on after it",
        arguments: ["examples", "setup", "work", "collect", "summarize"])
    func phases(phase: String) throws {
        let rank = try limited()
        try rank.run(
            """
            count = 0
            local function hog(name, n) count = count + 1 if name == '\(phase)' and n ~= 2 then \(Self.hog) end end
            function examples() hog('examples', count) return 2 end
            function setup() hog('setup', 1) end
            function work(n) hog('work', n) return n end
            function collect(r, n) hog('collect', n) end
            function summarize() hog('summarize', 1) end
            """)
        let host = rank.host
        var failed: [String] = []
        func note(_ phase: String, _ body: () throws -> Void) {
            do { try body() } catch {
                let error = (error as? WorkError)?.error ?? (error as? ScriptError)
                #expect(error?.message == Self.message && error?.traceback == "")
                failed.append(phase)
            }
        }
        note("examples") { _ = try host.openJob(evaluate: true) }
        if phase == "examples" {
            try rank.run("count = 2")
            _ = try host.openJob(evaluate: true)
        }
        note("setup") { try host.setUp() }
        note("work") { _ = try rank.results(of: Chunk(first: 0, count: 1), .count(2)) }
        let results = try rank.results(of: Chunk(first: 1, count: 1), .count(2))
        note("collect") {
            try host.collect(ResultRun(first: 0, count: 1, results: results, rank: 0), of: .count(2), sent: nil)
        }
        let run = ResultRun(first: 1, count: 1, results: results, rank: 0)
        try host.collect(run, of: .count(2), sent: nil)
        note("summarize") { try host.summarize([run], count: 2, errors: []) }
        #expect(failed == [phase])
    }

    @Test("counts what is in use to the byte, whatever comes and goes, and keeps few free blocks", arguments: 1...10)
    func count(seed: Int) throws {
        let rank = try limited()
        lua_pushcclosure(rank.host.state, pushMemory, 0)
        lua_setglobal(rank.host.state, "memory")
        try rank.run(
            """
            math.randomseed(\(seed))
            local random, kept = math.random, {}
            local makers = {
              function(n) return ('x'):rep(n) .. random(n) end, function(n) return table.pack(('x'):rep(n):byte(1, -1)) end,
              function(n) local t = {} for i = 1, n // 8 do t['k' .. i] = i end return t end,
              function(n) return function() return n end end, function(n) return coroutine.create(print) end,
              function(n) return (('x'):rep(n):gsub('x', '%0%0')) end, function(n) return ('x'):rep(9000 * n // 300) end,
            }
            for round = 1, 3000 do
              kept[random(200)] = makers[random(#makers)](random(300))
              if random(300) == 1 then kept = {} end
            end
            for round = 1, 3 do
              local used, kept = memory()
              local counted = collectgarbage('count') * 1024
              if round > 1 then assert(used == counted and kept <= 256 << 10, used .. ', ' .. counted .. ', ' .. kept) end
              collectgarbage()
            end
            """)
    }

    @Test("holds to the same number of small things each time that these are made anew")
    func repeated() throws {
        let rank = try limited()
        try rank.run(
            """
            local function fill()
              local made = 0
              pcall(function()
                local t = {}
                while true do t[made + 1] = {made .. ('x'):rep(made % 300)} made = made + 1 end
              end)
              return made
            end
            fill()
            local first = fill()
            for round = 1, 30 do
              local made = fill()
              assert(made > 1000 and math.abs(made - first) < first / 100, made .. ' instead of ' .. first)
            end
            """)
    }

    @Test("can be caught, and the memory used again")
    func caught() throws {
        let rank = try limited()
        try rank.run(
            """
            for round = 1, 20 do
              local ok, message = pcall(function() \(Self.hog) end)
              assert(not ok and message == 'not enough memory')
              ok, message = coroutine.resume(coroutine.create(function() \(Self.hog) end))
              assert(not ok and message == 'not enough memory')
              assert(#('x'):rep(1 << 20) == 1 << 20)
            end
            """)
    }

    @Test("is reached by what is in use only, also where Lua's libraries ask for a buffer")
    func buffers() throws {
        let rank = try limited()
        try rank.run(
            """
            local kept = ('x'):rep(1 << 19)
            for round = 1, 200 do
              local garbage = {}
              for i = 1, round * 10 do garbage[i] = ('x'):rep(1000) .. i end
              garbage = nil
              assert(#(kept:sub(1, 1 << 18):gsub('x', 'yy')) == 1 << 19)
              assert(#table.concat({kept, 'z'}) == (1 << 19) + 1)
            end
            """)
    }

    @Test("does not bind what hands over results; what the script wants after that has to fit")
    func overdraft() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            seen = 0
            function examples() return 1 end
            function work() return ('x'):rep(8 << 20) end
            function summarize(results) seen = #results[1] end
            """)
        _ = try rank.host.openJob(evaluate: true)
        let results = try rank.results(of: Chunk(first: 0, count: 1), .count(1))
        try rank.run("collectgarbage()")
        rank.host.limitMemory(to: Self.limit)
        try rank.host.summarize([ResultRun(first: 0, count: 1, results: results, rank: 0)], count: 1, errors: [])
        #expect(rank.global("seen") == String(8 << 20))
        try rank.run("function summarize(results) local more = {results} end")
        #expect(throws: ScriptError.self) {
            try rank.host.summarize([ResultRun(first: 0, count: 1, results: results, rank: 0)], count: 1, errors: [])
        }
        // The memory beyond the limit is free again.
        try rank.run("local s = ('x'):rep(1 << 20)")
    }

    @Test("binds finalizers too, also those that run while host code works")
    func finalizers() throws {
        let rank = try limited()
        try rank.run(
            """
            tries, successes = 0, 0
            function litter()
              setmetatable({}, {__gc = function()
                tries = tries + 1
                kept = ('x'):rep(16 << 20)
                successes = successes + 1
              end})
            end
            """)
        // The host collects garbage after the error.
        for _ in 1...5 { #expect(rank.error("litter() \(Self.hog)").message == Self.message) }
        try rank.run("litter() dlp.map(function(i) litter() return {i} end, 2000) assert(tries > 5 and successes == 0)")
        try rank.run("for i = 1, 100 do litter() end")
        rank.host.close()
    }

    @Test("wherever it strikes, the script gets an error and nothing else happens", arguments: 0..<40)
    func everywhere(step: Int) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            collectgarbage()
            used = math.floor(collectgarbage('count') * 1024)
            local cyclic = {}; cyclic[1] = cyclic
            local calls = {
              function() return dlp.gather({1, {2}, ('x'):rep(300)}) end, function() return dlp.bcast({a = cyclic}) end,
              function() return dlp.allgather({1, 2, 3}) end, function() return dlp.reduce({1}, function(a) return a end) end,
              function() return dlp.gather(print) end, function() return dlp.call_on_root_and_broadcast(string.rep, 'x', 99) end,
              function() return dlp.map(function(i) return {i, tostring(i)} end, 10, {chunk = 3}) end,
              function() for v in dlp.split_managed({1, 2, 3}) do local t = {v, tostring(v)} end end,
              function() for v in dlp.split_round_robin(5) do local t = {v} end end,
              function() for v in dlp.map_unordered(tostring, 5) do local t = {v} end end,
              function() local d = dlp.collection.NestedDict() d.a.b.c = 1 d.x = {1} return d.gather() end,
              function() local l = dlp.collection.UnorderedList() l:append({1}) l:extend({2, 3}) return l:gather() end,
              function() return load('return {1, 2, 3}')() end, function() return require('dlp').version end,
              function() return coroutine.wrap(function(...) coroutine.yield({...}) end)(1, 2, 3) end,
              function() os.exit({}) end, function() error({message = ('x'):rep(50)}) end,
            }
            function exercise(round)
              local failures = 0
              for _, call in ipairs(calls) do
                local ok, message = pcall(call)
                if not ok and tostring(message):find('not enough memory', 1, true) then failures = failures + 1 end
              end
              return failures
            end
            exercise()
            collectgarbage()
            used = math.floor(collectgarbage('count') * 1024)
            """)
        let used = try #require(Int(rank.global("used")))
        rank.host.limitMemory(to: used + 40 * step)
        // The exercise may or may not have room, but it must leave the rank intact.
        try? rank.run("exercise()")
        rank.host.limitMemory(to: nil)
        try rank.run("assert(exercise() == 0 and dlp.gather({1})[1][1] == 1)")
    }

    @Test("none is set by default")
    func none() throws {
        try LoneRank().run("assert(#('x'):rep(64 << 20) == 64 << 20)")
    }
}

/// `memory()`: the bytes that the state uses, and the bytes that it keeps.
private let pushMemory: lua_CFunction = { state in
    guard let state else { return 0 }
    let memory = dlp_memory_of(state)
    lua_pushinteger(state, lua_Integer(memory.used))
    lua_pushinteger(state, lua_Integer(memory.kept))
    return 2
}
