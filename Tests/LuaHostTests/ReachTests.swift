import DLP
import Testing

@testable import LuaHost

@Suite("What work reaches")
struct ReachTests {
    /// Returns what `work` reaches in a script.
    private func reach(_ text: String) throws -> Reach {
        let rank = try LoneRank()
        try rank.run(text)
        _ = try rank.host.openJob(evaluate: true)
        return rank.host.reachOfWork()
    }

    /// Returns the names of the parts of `after` that differ from those in `before`.
    private func changes(_ before: Reach, _ after: Reach) -> [String] {
        let digests = Dictionary(grouping: before.parts, by: \.name)
        return after.parts.filter { part in !(digests[part.name] ?? []).contains { $0.digest == part.digest } }.map(
            \.name)
    }

    private static let base = """
        local rate = 2
        local config = {steps = {1, 2, 3}, name = "a", ratio = 0.5}
        limit = 10
        local function helper(x) return x * rate end
        local function unused(x) return -x end
        local Point = {}
        Point.__index = Point
        function Point:sum() return self.x + 1 end
        function examples() return 3 end
        function setup() ready = 1 end
        function collect(r) print(r) end
        function work(x)
          local p = setmetatable({x = x}, Point)
          if x > limit then return "big" end
          return helper(x) + #config.steps + p:sum() + math.floor(ready)
        end
        """

    @Test(
        "what work does not reach changes nothing",
        arguments: [
            ("local rate", "-- a comment\n\nlocal rate"), ("unused(x) return -x", "unused(x) return -x - 1"),
            ("print(r)", "print(r, r)"), ("return 3 end", "return 4 end"),
            ("helper(x) return x * rate", "helper(y)\nreturn y * rate"),
            ("local p = ", "\n\n  local p =  "),
            ("local p = setmetatable({x = x}, Point)", "local q = setmetatable({x = x}, Point)"),
            ("local function unused(x) return -x end", ""), ("limit = 10", "limit, other = 10, 11"),
        ])
    func unrelated(old: String, new: String) throws {
        let edited = Self.base.replacing(old, with: new).replacing(
            "+ p:sum", with: new.contains("local q") ? "+ q:sum" : "+ p:sum")
        #expect(edited != Self.base)
        let (before, after) = (try reach(Self.base), try reach(edited))
        #expect(before.digest == after.digest)
        #expect(before.obstacles.isEmpty && after.obstacles.isEmpty)
    }

    @Test(
        "what work reaches is named where it changes",
        arguments: [
            ("rate = 2", "rate = 3", "rate"), ("rate = 2", "rate = 2.0", "rate"), ("{1, 2, 3}", "{1, 2, 4}", "config"),
            ("name = \"a\"", "name = \"b\"", "config"), ("ratio = 0.5", "ratio = -0.5", "config"),
            ("limit = 10", "limit = 11", "limit"), ("x * rate", "x + rate", "helper"),
            ("self.x + 1", "self.x + 2", "Point.sum"),
            ("ready = 1", "ready = 2", "setup"), ("\"big\"", "\"BIG\"", "work"), ("math.floor", "math.ceil", "work"),
            ("local rate = 2", "local rate = 2 math.floor = function(x) return x end", "math.floor"),
            (
                "local rate = 2", "local rate = 2 setmetatable(_G, {__index = function() return 1 end})",
                "the metatable of the globals"
            ),
            ("local rate = 2", "local rate = 2 debug.setmetatable(1, {__index = {}})", "the metatable of numbers"),
            ("local rate = 2", "local rate = 2 function string.upper(s) return s end", "string.upper"),
            ("local rate = 2", "local rate = 2 dlp.depends('v2')", "value 1 of dlp.depends"),
        ])
    func related(old: String, new: String, name: String) throws {
        let edited = Self.base.replacing(old, with: new)
        #expect(edited != Self.base)
        let (before, after) = (try reach(Self.base), try reach(edited))
        #expect(before.digest != after.digest)
        #expect(changes(before, after).contains(name), "\(changes(before, after))")
        #expect(after.obstacles.isEmpty)
    }

    @Test(
        "what nobody can know beforehand is told with its line",
        arguments: [
            ("return load('return ' .. x)()", "calls load (job.lua:2)"),
            ("return _ENV[x]", "may read any global (job.lua:2)"),
            ("local e = _G\n  return e[x]", "may read any global (job.lua:2)"),
            ("debug.setupvalue(work, 1, x)", "uses debug.setupvalue (job.lua:2)"),
            ("package.path = x", "may use all of package (job.lua:2)"),
            ("return package.path", "uses package.path (job.lua:2)"),
            ("return string.dump(work)", "uses string.dump (job.lua:2)"),
            ("return debug.getinfo(1)", "uses debug.getinfo (job.lua:2)"),
            ("return io.open(x)", "reads a file by io.open, which no dlp.depends names (job.lua:2)"),
            ("return io.open(x, 'r')", "reads a file by io.open, which no dlp.depends names (job.lua:2)"),
            ("return io.open(x, 'w+')", "reads a file by io.open, which no dlp.depends names (job.lua:2)"),
            ("return io.open(x, x)", "reads a file by io.open, which no dlp.depends names (job.lua:2)"),
            (
                "local f = io.open(x, x and 'r' or 'w')",
                "reads a file by io.open, which no dlp.depends names (job.lua:2)"
            ),
            (
                "local o = io.open local s = o(x) local t = print(s, 'w')",
                "reads a file by io.open, which no dlp.depends names (job.lua:2)"
            ),
            ("return io.open((print(x, 'w')))", "reads a file by io.open, which no dlp.depends names (job.lua:2)"),
            (
                "for l in io.lines('f') do return l end",
                "reads a file by io.lines, which no dlp.depends names (job.lua:2)"
            ),
            ("return dlp.csv('f.csv')[1]", "reads a file by dlp.csv, which no dlp.depends names (job.lua:2)"),
            ("return require('m' .. x)", "calls require with a name that is made when it runs (job.lua:2)"),
            ("return require('m', x)", "calls require with a name that is made when it runs (job.lua:2)"),
            ("return require 'nowhere'", "requires nowhere, which is not found (job.lua:2)"),
            ("local l = io\n  return l.read()", "may use all of io (job.lua:2)"),
            ("return (function() return load(x) end)()", "calls load (job.lua:2)"),
            ("return co", "reaches a coroutine in co (job.lua:2)"),
            ("return by_key", "reaches by_key, whose keys are tables or functions (job.lua:2)"),
            ("return file", "reaches an open file in file (job.lua:2)"),
        ])
    func obstacles(body: String, clause: String) throws {
        let text = """
            function work(x)
              \(body)
            end
            co = coroutine.create(print)
            by_key = {[{}] = 1}
            file = io.tmpfile()
            function examples() return 1 end
            """
        let reach = try reach(text)
        #expect(reach.obstacles + reach.inputs == [clause])
    }

    @Test("who says what results depend on may read files")
    func depends() throws {
        let text = "function examples() return 1 end function work(x) return io.open('f') end"
        #expect(try reach(text).inputs.count == 1)
        let told = try reach("dlp.depends(1) \(text)")
        #expect(told.obstacles.isEmpty && told.inputs.isEmpty)
        // This holds for any number of files.
        let calls = (1...30).map { "io.open('f\($0)')\n" }.joined()
        let hidden = try reach("dlp.depends(1) function examples() return 1 end function work(x) \(calls) load(x) end")
        #expect(hidden.obstacles.count == 1 && hidden.obstacles.first?.hasPrefix("calls load") == true)
    }

    @Test(
        "a file that is only written is none that is read",
        arguments: ["io.open(x, 'w')", "io.open(x .. '.out', 'ab')", "assert(io.open('f', 'w')):write(x)"])
    func written(call: String) throws {
        for text in [
            "function work(x) return \(call) end", "local io = io function work(x) local f = \(call) return f end",
        ] {
            #expect(try reach("function examples() return 1 end \(text)").inputs.isEmpty)
        }
    }

    @Test("functions of libraries count by name, wherever they are called from")
    func libraries() throws {
        let names = [
            "string.format", "print", "math.random", "os.time", "coroutine.wrap", "io.write", "dlp.run",
            "dlp.json.encode",
            "debug.traceback", "table.concat", "os.execute", "dlp.RANK", "io.stderr",
        ]
        for name in names {
            let direct = try reach("function examples() return 1 end function work(x) return \(name) end")
            #expect(direct.obstacles.isEmpty, "\(name): \(direct.obstacles)")
            let local = try reach("local f = \(name) function examples() return 1 end function work(x) return f end")
            #expect(local.obstacles.isEmpty, "\(name): \(local.obstacles)")
        }
    }

    @Test("modules count by what they returned, or would return")
    func modules() throws {
        func text(_ value: Int, _ when: String) -> String {
            """
            package.preload.m = function() return {f = function() return \(value) end} end
            \(when == "before" ? "local m = require 'm'" : "")
            function examples() return 1 end
            function work(x) \(when == "before" ? "" : "local m = require 'm'") return m.f() end
            """
        }
        for when in ["before", "at work"] {
            let (before, after) = (try reach(text(1, when)), try reach(text(2, when)))
            #expect(before.obstacles.isEmpty)
            #expect(before.digest != after.digest)
            #expect(try reach(text(1, when)).digest == before.digest)
        }
    }

    @Test(
        "what a script puts into libraries and metatables counts",
        arguments: [
            ("dlp.rate = N", "dlp.rate * x"), ("dlp.cfg = {rate = N}", "dlp.cfg.rate"),
            ("dlp.options = {retries = N}", "dlp.options.retries"),
            ("dlp.json.decode = function() return N end", "dlp.json.decode(x)"),
            ("dlp.collection.more = function() return N end", "dlp.collection.more()"),
            ("dlp.helper = function() return N end local k = 'helper'", "dlp[k](x)"),
            ("setmetatable(dlp, {__index = {more = N}})", "dlp.more"), ("string.rate = N", "('').rate"),
            ("math.cfg = {rate = N} local k = 'cfg'", "math[k].rate"),
            ("setmetatable(math, {__index = {tau = N}})", "math.tau"), ("math.pi = N", "math.pi"),
            ("getmetatable('').__add = function() return N end", "'1' + x"),
            ("getmetatable(io.stdout).__index.more = function() return N end", "io.stdout:more()"),
            ("setmetatable(_G, {__newindex = function() rawset(_G, 'v', N) end})", "v"),
            ("local t = {1, 2, nil, nil, N}", "#t"),
            ("local P = {} P.__index = P function P.area() return N end list = {setmetatable({}, P)}", "x:area()"),
            ("local inner = setmetatable({}, {__index = {n = N}}) list = {{a = {b = inner}}}", "x.a.b.n"),
            ("debug.setmetatable(coroutine.create(print), {__index = {n = N}})", "coroutine.running().n"),
        ])
    func additions(definition: String, use: String) throws {
        func text(_ value: Int) -> String {
            "list = {1} \(definition.replacing("N", with: "\(value)"))\nfunction examples() return list end function work(x) return \(use) end"
        }
        let first = try reach(text(2))
        #expect(first.digest != (try reach(text(3))).digest)
        #expect(first.digest == (try reach(text(2))).digest)
    }

    @Test(
        "functions of libraries that are put in each other's places count",
        arguments: [
            "local m = getmetatable('') m.__add, m.__sub = m.__sub, m.__add", "print = io.write",
            "dlp.time = string.upper", "math.random = math.floor",
            "local m = getmetatable(io.stdout).__index m.seek = m.write",
            "math.random = coroutine.wrap(function() while true do coroutine.yield(1) end end)",
        ])
    func places(edit: String) throws {
        let text =
            "function examples() return 1 end function work(x) return '1' + x, print, dlp.time, math.random(x), io.stdout:seek() end"
        #expect(try reach(text).digest != (try reach("pcall(function() \(edit) end) " + text)).digest)
    }

    @Test("a library whose function is put in the place of another is not what it was", arguments: ["table", "_G"])
    func swapped(library: String) throws {
        let text = """
            EDIT
            function examples() return 1 end
            function work(x) return math.floor(x), table.concat({x}), tostring(x) end
            """
        let edit = library == "table" ? "table.concat = table.unpack" : "tostring = tonumber"
        let (before, after) = (
            try reach(text.replacing("EDIT", with: "")), try reach(text.replacing("EDIT", with: edit))
        )
        #expect(before.digest != after.digest)
    }

    @Test("two variables with the same value are not one that is shared")
    func sharing() throws {
        let shared = """
            local n = 0
            local function bump() n = n + 1 end
            function examples() return 1 end
            function work(x) bump() return n end
            """
        let apart = shared.replacing(
            "local function bump() n = n + 1 end", with: "local m = 0 local function bump() m = m + 1 end")
        #expect(try reach(shared).digest != reach(apart).digest)
        let table = "local a = {} local b = B function examples() return 1 end function work(x) a.x = x return b.x end"
        #expect(
            try reach(table.replacing("= B", with: "= a")).digest != reach(table.replacing("= B", with: "= {}")).digest)
    }

    @Test("cycles, deep and large values end, and keys in any order are the same")
    func large() throws {
        let text = """
            local ring = {}
            ring.self = {ring = ring}
            local chain = {}
            for i = 1, 20000 do chain = {next = chain, i} end
            local names = {}
            for i = FIRST, LAST, STEP do names["k" .. i] = i; names[i + 0.5] = i end
            function examples() return 1 end
            function work(x) return ring, chain, names, work end
            """
        func version(_ first: Int, _ last: Int, _ step: Int) throws -> Reach {
            try reach(
                text.replacing("FIRST", with: "\(first)").replacing("LAST", with: "\(last)").replacing(
                    "STEP", with: "\(step)"))
        }
        let (up, down) = (try version(1, 5000, 1), try version(5000, 1, -1))
        #expect(up.digest == down.digest)
        #expect(up.obstacles.isEmpty)
        #expect(try version(1, 4999, 1).digest != up.digest)
        #expect(up.parts.allSatisfy { $0.name.utf8.count < 200 })
    }

    @Test("a function with more than 256 constants is seen through all the same")
    func manyConstants() throws {
        let constants = (0..<300).map { "x = x + \($0).25" }.joined(separator: "\n")
        func text(_ value: Int) -> String {
            "function examples() return 1 end function late() return \(value) end function work(x)\n\(constants)\nreturn late() + math.abs(x) end"
        }
        let (before, after) = (try reach(text(1)), try reach(text(2)))
        #expect(before.obstacles.isEmpty)
        #expect(before.digest != after.digest)
        #expect(changes(before, after) == ["late"])
    }

    @Test("the walk leaves nothing on the stack, and work goes on as before")
    func clean() throws {
        let rank = try LoneRank()
        try rank.run(Self.base + "\nfunction setup() ready = 1 end")
        let examples = try rank.host.openJob(evaluate: true)
        let first = rank.host.reachOfWork()
        #expect(rank.host.reachOfWork().digest == first.digest)
        try rank.host.setUp()
        let results = try rank.results(of: Chunk(first: 0, count: 3), examples)
        #expect(results.count == 3)
    }
}
