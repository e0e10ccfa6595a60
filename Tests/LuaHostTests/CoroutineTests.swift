import Testing

@testable import LuaHost

/// The functions that switch between coroutines are our own, and must behave like those of Lua.
@Suite("Coroutines")
struct CoroutineTests {
    @Test(
        "behave as under the stock interpreter",
        arguments: [
            "local co = coroutine.create(function(...) return select('#', ...), coroutine.yield(...) end) assert(select('#', coroutine.resume(co, 1, nil, 3)) == 4) local ok, n, v = coroutine.resume(co, 'x') assert(ok and n == 3 and v == 'x' and coroutine.status(co) == 'dead')",
            "local ok, m = coroutine.resume(coroutine.create(function() error({7}) end)) assert(not ok and m[1] == 7)",
            "local co = coroutine.create(print) coroutine.close(co) local ok, m = coroutine.resume(co) assert(not ok and m == 'cannot resume dead coroutine')",
            "local f = coroutine.wrap(function() return 1, nil end) assert(select('#', f()) == 2) local ok, m = pcall(f) assert(m:find('cannot resume dead coroutine', 1, true))",
            "local f f = coroutine.wrap(function() f() end) local ok, m = pcall(f) assert(m:find('cannot resume non-suspended coroutine', 1, true))",
            "local ok, m = pcall(coroutine.resume, 1) assert(m == \"bad argument #1 to 'resume' (coroutine expected)\" or m:find('coroutine expected', 1, true))",
            "assert(not pcall(coroutine.wrap, 1) and not pcall(coroutine.close))",
            "local ok, m = pcall(coroutine.close, coroutine.running()) assert(m == 'cannot close a running coroutine')",
            "local co co = coroutine.create(function() coroutine.wrap(function() local ok, m = pcall(coroutine.close, co) assert(m == 'cannot close a normal coroutine') end)() end) assert(coroutine.resume(co))",
            "local closed local co = coroutine.create(function() local c <close> = setmetatable({}, {__close = function() closed = true end}) coroutine.yield() end) coroutine.resume(co) assert(coroutine.close(co) and closed and coroutine.close(co))",
            "local co = coroutine.create(function() local c <close> = setmetatable({}, {__close = function() error('c', 0) end}) coroutine.yield() end) coroutine.resume(co) local ok, m = coroutine.close(co) assert(not ok and m == 'c' and coroutine.close(co))",
            "local closed local f = coroutine.wrap(function() local c <close> = setmetatable({}, {__close = function() closed = true end}) error({1}) end) local ok, m = pcall(f) assert(not ok and m[1] == 1 and closed)",
            "local co = coroutine.create(function() error('x') end) coroutine.resume(co) local ok, m = coroutine.close(co) assert(not ok and m:find('x$'))",
            "local co = coroutine.wrap(function() pcall(function() coroutine.yield(1) error('x') end) coroutine.yield(2) end) assert(co() == 1 and co() == 2)",
            "for v in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do last = v end assert(last == 3)",
            "local function nest(n) return n == 0 and 0 or 1 + coroutine.wrap(nest)(n - 1) end assert(nest(60) == 60) assert(not pcall(nest, 1000))",
            "local co = coroutine.create(function() return table.unpack({}, 1, 1e5) end) assert(select('#', coroutine.resume(co)) == 100001)",
            "local t = coroutine.create(function() coroutine.yield(coroutine.isyieldable(), coroutine.running()) end) local _, y, r = coroutine.resume(t) assert(y and r == t and coroutine.status(t) == 'suspended')",
        ])
    func stock(text: String) throws {
        try LoneRank().run(text)
    }
}
