import DLP
import Glibc
import TestSupport
import Testing

@testable import LuaHost

@Suite("What examples meet")
struct TrackingTests {
    /// What a script's examples enter and open, by example from 1: names of functions, and of files.
    private struct Traces {
        var entered: [Int: Set<String>] = [:]
        var files: [Int: [String]] = [:]
        /// The number of files for examples of which nothing else is known.
        var opened: [Int: Int] = [:]
        var kept: String?
    }

    /// Does the examples of a script one after another, and then reports on all of them together.
    private func traces(_ text: String, hasBetween: Bool = false) throws -> Traces {
        let rank = try LoneRank()
        try rank.run(text)
        let examples = try rank.host.openJob(evaluate: true)
        let reach = rank.host.reachOfWork(tracks: true)
        try rank.host.setUp()
        rank.host.beginTracking(hasBetween: hasBetween)
        _ = try rank.host.work(Chunk(first: 0, count: try #require(examples.count)), of: examples, sent: nil) { _, _ in
        }
        let report = try #require(rank.host.takeTraces())
        #expect(report.reach == reach.digest)
        var found = Traces(kept: report.kept)
        for run in report.runs where run.trace >= 0 {
            let trace = try #require(ExampleTrace(encoded: report.traces[run.trace]))
            guard !trace.isOpen else {
                for index in run.first..<run.first + run.count { found.opened[index + 1] = trace.files.count }
                continue
            }
            let names = reach.parts.indices.filter { trace.hasEntered($0) }.map { reach.parts[$0].name }
            for index in run.first..<run.first + run.count {
                found.entered[index + 1] = Set(names)
                found.files[index + 1] = trace.files.map { String(decoding: $0.path, as: UTF8.self) }
            }
        }
        return found
    }

    @Test(
        "a function counts where it is entered, however that comes",
        arguments: [
            "if x == 2 then f() end", "if x == 2 then return f() end", "if x == 2 then pcall(f) end",
            "if x == 2 then coroutine.wrap(f)() end", "if x == 2 then table.sort({1, 2}, f) end",
            "if x == 2 then ('a'):gsub('a', f) end",
            "if x == 2 then local t <close> = setmetatable({}, {__close = f}) end",
            "if x == 2 then return setmetatable({}, {__index = f}).a end",
            "if x == 2 then return #setmetatable({}, {__len = f}) end",
            "if x == 2 then for _ in f do end end", "if x == 2 then xpcall(error, f) end",
            "if x == 2 then f() error('no') end", "if x == 2 then T.f() end", "if x == 2 then G() end",
            "if x == 2 then require 'm'.f() end", "if x == 2 then local g = f g() end",
            "if x == 2 then ('a'):tag() end",
        ])
    func entered(body: String) throws {
        let found = try traces(
            """
            package.preload.m = function() return {f = F} end
            local function f() return nil end
            F, G, T = f, f, {f = f}
            require 'm'
            function string.tag(s) return f() end
            function examples() return 3 end
            function work(x) \(body) return x end
            """)
        let names = found.entered.mapValues { $0.subtracting(["tag", "string.tag"]).count }
        #expect(names == [1: 1, 2: 2, 3: 1], "\(found.entered)")
        #expect(found.kept == nil)
    }

    @Test("what is made while it runs counts as the function that has it in it")
    func closures() throws {
        let found = try traces(
            """
            local function outer(x) return function(y) return x + y end end
            local function other(f) return f(1) end
            function examples() return 2 end
            function work(x) if x == 2 then return other(outer(x)) end return x end
            """)
        #expect(found.entered == [1: ["work"], 2: ["work", "outer", "other"]])
    }

    @Test(
        "what an example leaves counts for those that follow",
        arguments: [
            ("local n = 0", "n = 1", "n"), ("n = 0", "n = 1", "n"), ("local n = {}", "n[1] = 1", "n"),
            ("local n = {{}}", "n[1].a = 'b'", "n"), ("local n = {}", "setmetatable(n, {})", "n"),
            ("local n = {1, 2}", "n[1], n[2] = n[2], n[1]", "n"), ("n = nil", "n = {}", "n"),
            ("local n = {a = 'x'}", "n.a = 'y'", "n"), ("local n = {1}", "n[1] = 1.0", "n"),
            ("local n", "n = coroutine.wrap(print)", "n"), ("n = {}", "string.n = n", "string"),
            ("local n = (function() local m = 0 return function() m = m + 1 end end)()", "n()", "n"),
        ])
    func left(before: String, change: String, name: String) throws {
        let found = try traces(
            """
            \(before)
            local function f() \(change) end
            function examples() return 4 end
            function work(x) if x == 2 then f() end local s = string.rep return n and s and x end
            """)
        #expect(found.entered[1] == ["work"])
        for index in 2...4 { #expect(found.entered[index]?.isSuperset(of: ["work", "f"]) == true, "\(index)") }
        // A variable is named after the first function that uses it.
        #expect([name, "work", "f", "m"].contains(found.kept), "\(found.kept ?? "nothing")")
    }

    @Test(
        "where an example leaves nothing, others have nothing of it",
        arguments: [
            "local t = {} t.a = f()", "local n = n n = 5 f()", "T.a = 1 f() T.a = nil", "g = 7 f() g = 5",
            "for i = 1, 3 do local u = i .. f() end", "string.format('%d', f())", "other = f()",
        ])
    func nothingLeft(body: String) throws {
        let found = try traces(
            """
            local n, T = 3, {}
            g = 5
            local function f() return 1 end
            function examples() return 3 end
            function work(x) if x == 2 then \(body) end return n and T and g end
            """)
        #expect(found.entered == [1: ["work"], 2: ["work", "f"], 3: ["work"]])
        #expect(found.kept == nil)
    }

    @Test("what setup has made is watched, and what it enters is nobody's")
    func setup() throws {
        let found = try traces(
            """
            local function f() return 1 end
            local function fill(x) cache[x] = f() end
            function setup() f() cache = {} end
            function examples() return 4 end
            function work(x) if x == 3 then fill(x) end return #cache end
            """)
        #expect(found.entered[1] == ["work"] && found.entered[2] == ["work"])
        #expect(found.entered[3]?.isSuperset(of: ["fill", "f"]) == true)
        #expect(found.entered[4]?.isSuperset(of: ["fill", "f"]) == true)
    }

    @Test("files that are read are known by size and time, and those that are written are not")
    func files() throws {
        let scratch = try TemporaryDirectory()
        try scratch.write("in.txt", bytes: Array("1\n2\n".utf8))
        let found = try traces(
            """
            local dir = "\(scratch.path)/"
            function examples() return 6 end
            function work(x)
              if x == 2 then io.open(dir .. "in.txt"):close() end
              if x == 3 then for _ in io.lines(dir .. "in.txt") do end end
              if x == 4 then io.open(dir .. "out.txt", "w"):close() end
              if x == 5 then io.open(dir .. "missing.txt") end
              if x == 6 then for _ in dlp.lines(dir .. "in.txt") do end io.open(dir .. "in.txt", "r+"):close() end
            end
            """)
        let path = scratch.path
        #expect(
            found.files == [
                1: [], 2: ["\(path)/in.txt"], 3: ["\(path)/in.txt"], 4: [], 5: ["\(path)/missing.txt"],
                6: ["\(path)/in.txt"],
            ])
    }

    @Test(
        "of an example that may have met anything nothing is known",
        arguments: [
            "os.execute('true')", "io.popen('true'):close()", "dlp.run{'true'}", "io.lines()", "io.read(0)",
            "io.input(io.stdin)",
        ])
    func anything(body: String) throws {
        let found = try traces(
            """
            function examples() return 3 end
            function work(x) if x == 2 then \(body) end end
            """)
        #expect(Set(found.entered.keys) == [1, 3] || found.entered.keys.sorted() == [1])
        #expect(found.entered[2] == nil)
    }

    @Test("a module that is loaded on the way keeps what nobody can watch")
    func modules() throws {
        let scratch = try TemporaryDirectory()
        try scratch.write("late.lua", bytes: Array("local n = 0 return function(x) n = n + x return n end".utf8))
        let found = try traces(
            """
            package.path = "\(scratch.path)/?.lua"
            local function f(x) return require 'late'(x) end
            function examples() return 3 end
            function work(x) if x == 2 then return f(x) end return x end
            """)
        #expect(found.entered == [1: ["work"], 2: ["work", "f"], 3: ["work", "f"]])
    }

    @Test("coroutines that were made before have the hook, too")
    func coroutines() throws {
        let found = try traces(
            """
            local function f() return 1 end
            function setup()
              co = coroutine.wrap(function(g) while true do g = coroutine.yield(g()) end end)
              co(f)
            end
            function examples() return 2 end
            local function h() return 2 end
            function work(x) return co(x == 2 and h or f) end
            """)
        #expect(found.entered[2]?.isSuperset(of: ["work", "h"]) == true, "\(found.entered)")
    }

    @Test("a table that two examples have in common is one in which they may leave something")
    func common() throws {
        let found = try traces(
            """
            local function make() return 1 end
            function examples() local s = {} return {{s = s}, {s = s}, {}} end
            function work(e) if not e.s then return 0 end e.s.v = e.s.v or make() return e.s.v end
            """)
        #expect(found.entered[2] == ["work", "make"] && found.entered[3] == ["work", "make"])
    }

    @Test("what other code has left between examples makes that nobody knows")
    func between() throws {
        let script = """
            local memo = {}
            local function get(x) memo[x] = memo[x] or x return memo[x] end
            local i = 0
            function examples() return 3 end
            function cost(x) CALL return 1 end
            function work(x) return memo[x] or get(x) end
            """
        // Without the call, what the first example leaves cannot be told apart.
        #expect(try traces(script.replacing("CALL", with: ""), hasBetween: true).entered.keys.sorted() == [1])
        let rank = try LoneRank()
        try rank.run(script.replacing("CALL", with: "get(x)"))
        let examples = try rank.host.openJob(evaluate: true)
        _ = rank.host.reachOfWork(tracks: true)
        try rank.run("cost(1)")
        try rank.host.setUp()
        rank.host.beginTracking(hasBetween: false)
        _ = try rank.host.work(Chunk(first: 0, count: 3), of: examples, sent: nil) { _, _ in }
        #expect(rank.host.takeTraces() == nil)
    }

    @Test("a file that is written while examples are done is none that can be compared")
    func written() throws {
        let scratch = try TemporaryDirectory()
        let found = try traces(
            """
            local path = "\(scratch.path)/cache"
            function examples() return 2 end
            function work(x)
              local f = io.open(path)
              if not f then f = io.open(path, "w") f:write("1") f:close() f = io.open(path) end
              return f:read("n")
            end
            """)
        #expect(found.entered.isEmpty)
    }

    @Test("a script that has a hook of its own keeps it, and is not tracked")
    func ownHook() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            debug.sethook(function() error("too many steps") end, "", 100000)
            function examples() return 1 end
            function work(x) while true do end end
            """)
        let examples = try rank.host.openJob(evaluate: true)
        _ = rank.host.reachOfWork(tracks: true)
        rank.host.beginTracking(hasBetween: false)
        #expect(throws: WorkError.self) { try rank.results(of: Chunk(first: 0, count: 1), examples) }
        #expect(rank.host.takeTraces() == nil)
    }
}
