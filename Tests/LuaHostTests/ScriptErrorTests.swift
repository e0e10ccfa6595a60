import DLP
import Testing

@testable import LuaHost

@Suite("Errors of a script")
struct ScriptErrorTests {
    @Test(
        "are told whatever value was raised",
        arguments: [
            ("error('boom')", "job.lua:1: boom"), ("error('boom', 0)", "boom"),
            ("error()", "the error has no value (error was called with nil)"), ("error(42)", "42"),
            ("error(1.5)", "1.5"),
            ("error(true)", "true"), ("error({code = 7})", "the error is a table: {\"code\":7}"),
            ("error({1, {2}})", "the error is a table: [1,[2]]"),
            ("error({print})", "the error is a table: it holds what"),
            ("error(setmetatable({}, {__tostring = function() return 'own' end}))", "own"),
            (
                "error(setmetatable({}, {__tostring = function() error('x') end}))",
                "a table value whose __tostring fails"
            ),
            ("error(setmetatable({}, {__tostring = function() return 1 end}))", "1"),
            ("error(setmetatable({}, {__name = 'Thing'}))", "the error is a table: []"), ("error(io.stdout)", "file ("),
            ("error(print)", "function: "), ("error(coroutine.create(print))", "thread: "),
            ("error('a\\0b', 0)", "a\0b"),
            ("error('\\xff', 0)", "\\xff"),
            ("local x; x.y = 1", "job.lua:1: attempt to index a nil value (local 'x')"),
            ("local s = ", "job.lua:1: unexpected symbol near <eof>"),
            ("x = 1 +* 2", "job.lua:1: unexpected symbol near '*'"),
            ("local function f() return f() + 1 end f()", "job.lua:1: stack overflow"),
            ("string.rep('x', 1 << 62)", "job.lua:1: "),
            ("('x'):bad()", "job.lua:1: attempt to call a nil value (method 'bad')"),
            ("local t <close> = setmetatable({}, {__close = function() error('closing', 0) end})", "closing"),
            ("coroutine.wrap(function() error('inside') end)()", "job.lua:1: job.lua:1: inside"),
            (
                "assert(coroutine.resume(coroutine.create(function() error('resumed') end)))",
                "job.lua:1: job.lua:1: resumed"
            ),
            ("require 'no.such.module'", "job.lua:1: module 'no.such.module' not found"),
        ])
    func message(text: String, message: String) throws {
        let rank = try LoneRank()
        let told = rank.error(text).message
        #expect(told.hasPrefix(message), "\(told)")
    }

    @Test(
        "a traceback names the functions from the one that failed outwards",
        arguments: ["local x; x.y = 1", "error('boom')"])
    func traceback(failing: String) throws {
        let rank = try LoneRank()
        let traceback = rank.error(
            """
            local function inner()
              \(failing)
            end
            function outer()
              inner()
              return 1
            end
            outer()
            """
        ).traceback
        let lines = traceback.split(separator: "\n").map(String.init)
        #expect(lines.first == "stack traceback:")
        let inner = lines.firstIndex {
            $0.contains("job.lua:2: in upvalue 'inner'") || $0.contains("job.lua:2: in local 'inner'")
        }
        let outer = lines.firstIndex { $0.contains("job.lua:5: in function 'outer'") }
        let chunk = lines.firstIndex { $0.contains("job.lua:8: in main chunk") }
        #expect(inner != nil && outer != nil && chunk != nil, "\(traceback)")
        #expect((inner ?? 0) < (outer ?? 0) && (outer ?? 0) < (chunk ?? 0))
        #expect(lines.last?.hasSuffix("[C]: in ?") == false)
    }

    @Test("the state is as good as new after any error")
    func recovery() throws {
        let rank = try LoneRank()
        for _ in 1...3 {
            _ = rank.error("local function f() return f() + 1 end f()")
            _ = rank.error("error({1})")
            _ = rank.error("local s = ")
        }
        try rank.run("answer = roundtrip({1, 2})[2]")
        #expect(rank.global("answer") == "2")
    }

    @Test("a deep recursion that communicates at its end is told from a crash")
    func communicationAtTheLimit() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local value = {1, {2, {3, x = {}}}}
            local function recurse(n)
              if n == 0 then return dlp.gather(value) end
              local r = recurse(n - 1)
              return r
            end
            local succeeded = 0
            for n = 1000, 199000, 6000 do
              local ok, r = pcall(recurse, n)
              if ok then succeeded = succeeded + 1; assert(r[1] == value) end
            end
            assert(succeeded > 3)
            local ok, message = pcall(recurse, 10000000)
            assert(not ok and message:find('stack overflow'))
            """)
    }
}
