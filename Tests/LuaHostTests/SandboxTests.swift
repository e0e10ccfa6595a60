import DLP
import Testing

@testable import LuaHost

@Suite("The sandbox")
struct SandboxTests {
    @Test(
        "has no way out",
        arguments: [
            "io", "debug", "package", "dofile", "loadfile", "os.execute", "os.remove", "os.rename", "os.tmpname",
            "os.getenv",
            "os.setlocale", "string.dump", "('').dump", "getmetatable('').__index.dump", "_G.io", "_ENV.debug",
            "_G._G.package", "require('_G').io", "require('os').execute", "require('string').dump",
            "pcall(require, 'io')", "pcall(require, 'debug')", "pcall(require, 'cjson')", "pcall(require, 'lfs')",
            "pcall(require, {})", "load('return io')()", "load('return debug', 'x', 't', _G)()",
            "select(2, pcall(load, 'return io', 'x', 't', {}))()",
            "load('\\27LuaT')", "load('\\27LuaT', 'x', 'b')", "load('\\27LuaT', 'x', 'bt')",
            "load('return 1', 'x', 'b')",
            "(function() local n = 0 return load(function() n = n + 1 return ({'\\27', 'LuaT'})[n] end) end)()",
            "load('\\27LuaT', 'x', setmetatable({}, {__tostring = function() return 'bt' end}))",
            "(function() string.find = function() return true end return load('\\27LuaT', 'x', 'b') end)()",
            "(function() _G.load = nil local f = require('_G').load return f end)()",
            "getmetatable(load)", "getmetatable(print)", "getmetatable(1)", "getmetatable(coroutine.create(print))",
            "(function() for k, v in pairs(_G) do if type(v) == 'userdata' then return v end end end)()",
            "coroutine.running().io", "select(2, xpcall(error, function() return debug end))", "arg.io",
            "dlp.core", "dlp.collection.core", "rawget(dlp, 'load')",
            "setmetatable({}, {__index = function(_, k) return _ENV[k] end}).package",
            "(function() local _ENV = {} return io end)()",
            "select(2, pcall(coroutine.wrap(function() local d <close> = setmetatable({}, {__close = function() seen = debug end}) end))) or seen",
            "load('goto x ::x:: return io or os.execute')()", "pcall(require, 'package')", "tostring(io) ~= 'nil'",
            "dlp.run{'true'}", "dlp.csv('/etc/passwd')", "dlp.lines('/etc/passwd'):all()", "dlp.jsonl('/dev/null')",
            "require('dlp').run{'true'}.status",
            "rawget(_G, 'package') or rawget(_G, 'dofile') or rawget(os, 'getenv')",
            "table.unpack({io, debug, package})",
            "coroutine.wrap(function() return io or os.execute or debug end)()",
            "select(2, coroutine.resume(coroutine.create(load), '\\27LuaT', 'x', 'b'))",
            "load(coroutine.wrap(function() coroutine.yield('return i') coroutine.yield('o') end))()",
            "(function() local seen setmetatable({}, {__gc = function() seen = io or debug or package end}) collectgarbage() return seen end)()",
            "(function() setmetatable(_G, {__index = function(_, k) local ok, m = pcall(require, k) return ok and m end}) return io end)()",
            "(function() local m = getmetatable('') local s = m.__index m.__index = function() return function() return 1 end end local f = load('\\27LuaT', 'x', 'b') m.__index = s return f end)()",
            "(function() getmetatable('').__index.find = function() return 1 end return load('\\27LuaT', 'x', 'b') end)()",
            "(function() tostring = function() return debug end string.format = function() return io end return (select(2, pcall(require, 'io'))) == io and io end)()",
            "(function() for k, v in pairs(dlp) do if type(v) == 'table' and v.open or k == 'io' then return k end end end)()",
            "(function() local ok, e = pcall(error, setmetatable({}, {__tostring = function() return debug end})) return e.traceback end)()",
            "load(string.format('%q', io or 0))", "os.exit.dump", "string.gsub('io', '%w+', _G) ~= 'io'",
        ])
    func escapes(expression: String) throws {
        let rank = try LoneRank(isSandboxed: true)
        try rank.run(
            "local ok, found = pcall(function() return \(expression) end) found = ok and found assert(not found)")
    }

    @Test("leaves what only computes, the clock, and the end of the job")
    func rest() throws {
        let rank = try LoneRank(isSandboxed: true)
        try rank.run(
            """
            assert(os.time() > 0 and os.clock() >= 0 and os.date('%Y', 0) and os.difftime(2, 1) == 1 and os.exit)
            assert(load('return ...')(7) == 7 and load('return x', 'x', 't', {x = 1})() == 1)
            assert(load('x = 1') and load('x = ', 'chunk') == nil and not load(function() end)())
            local parts = {'return ', '42'}
            assert(load(function() return table.remove(parts, 1) end)() == 42)
            assert(require 'dlp' == dlp and require 'math' == math and require '_G' == _G)
            assert(coroutine.wrap(function() return utf8.char(228) end)() == 'ä' and ('%d'):format(3) == '3')
            assert(table.concat({1, 2}) == '12' and math.pi > 3 and select('#', 1, 2) == 2 and tostring(1) == '1')
            assert(dlp.gather({1})[1][1] == 1 and #dlp.map(function(i) return i end, 3) == 3 and dlp.collection.UnorderedList())
            assert(collectgarbage('count') > 0 and pcall(error) == false and next({}) == nil and rawlen({1}) == 1)
            """)
    }

    @Test("takes no script in bytecode, which outside of it is as good as text")
    func bytecode() throws {
        let outside = try LoneRank()
        try outside.run(
            "hex = string.dump(load('answer = 42')):gsub('.', function(c) return ('%02x'):format(c:byte()) end)")
        let hex = Array(outside.global("hex").utf8)
        let code = stride(from: 0, to: hex.count, by: 2).map {
            UInt8(String(decoding: hex[$0..<($0 + 2)], as: UTF8.self), radix: 16) ?? 0
        }
        let script = Script(chunkName: "@job.luac", source: Bytes(code), name: "job.luac", arguments: [])
        try outside.host.run(script)
        #expect(outside.global("answer") == "42")
        let inside = try LoneRank(isSandboxed: true)
        do throws(ScriptError) {
            try inside.host.run(script)
            Issue.record("the bytecode runs")
        } catch { #expect(error.message.contains("attempt to load a binary chunk"), "\(error.message)") }
    }

    @Test(
        "memory bombs of every kind are an error of Lua where there is a limit",
        arguments: [
            "local t = {} for i = 1, 1e9 do t[i] = i end", "local s = 'xx' while true do s = s .. s end",
            "local s = ('x'):rep(1 << 20) return table.concat({s, s, s, s, s, s, s, s})",
            "return ('x'):rep(1e6):gsub('x', ('y'):rep(1e6))", "return ('x'):rep(1 << 20, ('y'):rep(1 << 10))",
            "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
            "local t = {} while true do t = {t, setmetatable({}, {__gc = type})} end",
        ])
    func bombs(statement: String) throws {
        let rank = try LoneRank(isSandboxed: true)
        rank.host.limitMemory(to: 4 << 20)
        #expect(rank.error(statement).message.contains("not enough memory"))
        try rank.run("assert(#('x'):rep(1000) == 1000)")
    }

    @Test("says of a module that it is kept away, with the script's line")
    func module() throws {
        let rank = try LoneRank(isSandboxed: true)
        #expect(
            rank.error("\nrequire 'cjson'").message
                == "job.lua:2: module 'cjson' not found: under --sandbox there are dlp and Lua's own libraries only")
    }

    @Test("keeps memory and time limits, also against finalizers")
    func limits() throws {
        let rank = try LoneRank(isSandboxed: true)
        rank.host.limitMemory(to: 4 << 20)
        #expect(rank.error("local s = ('x'):rep(1 << 30)").message.hasPrefix("not enough memory"))
        try rank.run(
            "setmetatable({}, {__gc = function() kept = ('x'):rep(1 << 30) end}) collectgarbage() assert(not kept)")
        _ = try rank.open("function examples() return 1 end function work(n) while n == 1 do pcall(error) end end")
        try rank.host.limitTime(to: 0.05) { _ in }
        #expect(rank.workError(1)?.message.hasSuffix(LuaHost.lateMessage(0.05)) == true)
    }
}
