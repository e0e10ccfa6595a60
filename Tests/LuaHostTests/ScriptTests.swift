import DLP
import Testing

@testable import LuaHost

@Suite("The script contract")
struct ScriptTests {
    /// Returns the results of `work` on all examples, as one Lua expression would show them.
    private func results(of text: String, seed: Int64 = 0) throws -> String {
        let rank = try LoneRank(seed: seed)
        try rank.run(
            text
                + "\nfunction summarize(r) answer = r.n .. ':' for i = 1, r.n do answer = answer .. ' ' .. tostring(r[i]) end end"
        )
        let examples = try rank.host.openJob(evaluate: true)
        var runs: [ResultRun] = []
        var count = 0
        if case .iterator = examples {
            while case .example(let example) = try rank.host.nextExample(count) {
                let chunk = Chunk(first: count, count: 1)
                runs.append(ResultRun(chunk, results: try rank.results(of: chunk, examples, sent: example), rank: 0))
                count += 1
            }
        } else {
            count = examples.count ?? 0
            let chunk = Chunk(first: 0, count: count)
            runs.append(ResultRun(chunk, results: try rank.results(of: chunk, examples), rank: 0))
        }
        try rank.host.summarize(runs, count: count, errors: [])
        return rank.global("answer")
    }

    @Test(
        "examples may be a table, a number or an iterator",
        arguments: [
            ("return {3, 1, 4}", "3: 4 3 7"), ("return 3", "3: 2 4 6"), ("return 3.0", "3: 2 4 6"), ("return 0", "0:"),
            ("return {}", "0:"), ("return ipairs {5, 6}", "2: 2 4"),
            ("local i = 0 return function() i = i + 1; if i < 4 then return i * 10 end end", "3: 11 22 33"),
            ("return function(state, control) if control < state then return control + 1 end end, 3, 0", "3: 2 4 6"),
            (
                "local i = 0 return setmetatable({}, {__call = function() i = i + 1; if i < 3 then return i end end})",
                "2: 2 4"
            ),
            (
                "return setmetatable({}, {__len = function() return 3 end, __index = function(_, i) return 7 end})",
                "3: 8 9 10"
            ),
            (
                "return setmetatable({1}, {__len = function() return 2 end, __index = function(_, i) return 5 end})",
                "2: 2 7"
            ),
        ])
    func examples(body: String, expected: String) throws {
        #expect(
            try results(of: "function examples() \(body) end function work(e, i) return math.tointeger(e + i) end")
                == expected)
    }

    @Test(
        "examples of any other kind are refused",
        arguments: [
            ("return 'x'", "examples() returned a string; it must return a table, a whole number or an iterator"),
            (
                "return {a = 1}",
                "examples() returned a table that has keys, but no first example, [1]; it must return a"
            ),
            ("return {[2] = 1}", "examples() returned a table that has keys, but no first example"),
            ("", "examples() returned nothing"), ("return true", "examples() returned a boolean"),
            ("return -1", "examples() returned a number that is not a whole one from 0 on"),
            ("return 1.5", "examples() returned a number that is not"),
            ("return 0/0", "examples() returned a number that"),
            ("return io.stdout", "attempt to get length of a FILE* value"), ("error('none')", "job.lua:1: none"),
            (
                "return setmetatable({}, {__len = function() return -5 end})",
                "examples() returned a value whose length is -5"
            ),
            ("return setmetatable({}, {__len = function() return 'x' end})", "object length is not an integer"),
            ("return setmetatable({}, {__len = function() error('len', 0) end})", "len"),
        ])
    func badExamples(body: String, message: String) throws {
        let rank = try LoneRank()
        try rank.run("function examples() \(body) end function work() end")
        do {
            _ = try rank.host.openJob(evaluate: true)
            Issue.record("these examples are taken")
        } catch { #expect(error.message.hasPrefix(message), "\(error.message)") }
    }

    @Test("without examples the lines of standard input are the examples")
    func lines() throws {
        let rank = try LoneRank()
        try rank.run("function work() end")
        #expect(try rank.host.openJob(evaluate: true) == .input)
    }

    @Test(
        "math.random in work is that of plain Lua after math.randomseed(seed, index)", arguments: [0, 1, -7, Int64.max])
    func seeds(seed: Int64) throws {
        let draws = try results(
            of: "function examples() return 5 end function work() return math.random(0) .. '/' .. math.random() end",
            seed: seed)
        let rank = try LoneRank()
        try rank.run(
            """
            answer = '5:'
            for i = 1, 5 do
              math.randomseed(\(seed == .min ? "math.mininteger" : String(seed)), i)
              answer = answer .. ' ' .. math.random(0) .. '/' .. math.random()
            end
            """)
        #expect(draws == rank.global("answer"))
    }

    /// Every bit of the index counts, even if it is not the next index.
    @Test("seeds of any index are those of plain Lua", arguments: [0, 9, Int64.min])
    func distantSeeds(seed: Int64) throws {
        let rank = try LoneRank(seed: seed)
        for index in [1, 2, 0, 3, 255, 256, 1 << 31, .max, 7] {
            rank.host.seedRandom(index: index)
            try rank.run("drawn = math.random(0)")
            try rank.run(
                "math.randomseed(\(seed == .min ? "math.mininteger" : String(seed)), \(index)); plain = math.random(0)")
            #expect(rank.global("drawn") == rank.global("plain"), "index \(index)")
        }
    }

    @Test("an example's random numbers do not depend on what was drawn before it")
    func seedsAlone() throws {
        let rank = try LoneRank(seed: 3)
        try rank.run(
            "function examples() return 9 end function work(e) for _ = 1, e do x = math.random(0) end return x end")
        let examples = try rank.host.openJob(evaluate: true)
        let all = try rank.results(of: Chunk(first: 0, count: 9), examples)
        var single = ByteWriter()
        for index in 0..<9 {
            single.append(try rank.results(of: Chunk(first: index, count: 1), examples))
        }
        let whole = single.take()
        #expect(all == whole)
        let strided = try rank.results(of: Chunk(first: 1, count: 3, stride: 3), examples)
        var chosen = ByteWriter()
        for index in [1, 4, 7] {
            chosen.append(try rank.results(of: Chunk(first: index, count: 1), examples))
        }
        let spread = chosen.take()
        #expect(strided == spread)
    }

    @Test("work that fails is told with its example, its line and what was done before; then the rest is done")
    func failingWork() throws {
        let rank = try LoneRank()
        try rank.run(
            "function examples() return 9 end\nfunction work(e) if e % 3 == 0 then error('no ' .. e) end return e end")
        let examples = try rank.host.openJob(evaluate: true)
        var told: [String] = []
        let last = try rank.host.work(Chunk(first: 0, count: 8), of: examples, sent: nil) { report, error in
            told.append("\(report.done.first)+\(report.done.count) \(report.results.array) \(error.index)")
            #expect(error.error.message == "job.lua:2: no \(error.index + 1)")
            #expect(error.error.traceback.contains("job.lua:2: in function 'work'"))
        }
        #expect(told == ["0+2 [1, 2] 2", "3+2 [4, 5] 5"])
        #expect(last?.done == Chunk(first: 6, count: 2) && last?.results == Bytes([7, 8]))
    }

    @Test("nothing is left to tell of a chunk whose last example fails")
    func failingLast() throws {
        let rank = try LoneRank()
        try rank.run("function examples() return 2 end function work(e) error() end")
        let examples = try rank.host.openJob(evaluate: true)
        var failures = 0
        let last = try rank.host.work(Chunk(first: 0, count: 2), of: examples, sent: nil) { _, _ in failures += 1 }
        #expect(last == nil && failures == 2)
    }

    @Test("sent examples are not mixed up by one that fails")
    func failingSent() throws {
        let rank = try LoneRank()
        try rank.run("function work(e) if e == 4 then error() end return e end")
        let examples = try rank.host.openJob(evaluate: true)
        var done: [UInt8] = []
        let last = try rank.host.work(
            Chunk(first: 0, count: 4), of: examples, sent: Bytes([3, 4, 5, 6])
        ) { report, _ in done += report.results.array }
        #expect(done + (last?.results.array ?? []) == [3, 5, 6])
    }

    @Test("summarize sees what failed")
    func errors() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            function work() end
            function summarize(r)
              answer = r.n .. tostring(r[1]) .. tostring(r[2])
              local e = r.errors and r.errors[2]
              if e then answer = answer .. e.message .. e.traceback .. e.rank .. e.attempts .. tostring(r.errors[1]) end
            end
            """)
        _ = try rank.host.openJob(evaluate: true)
        let run = ResultRun(first: 0, count: 1, results: Bytes([7]), rank: 0)
        try rank.host.summarize([run], count: 1, errors: [])
        #expect(rank.global("answer") == "17nil")
        var fault = Fault(phase: .work, message: "m", traceback: "t", example: 2, rank: 5, host: "h")
        fault.attempts = 3
        try rank.host.summarize([run], count: 2, errors: [fault])
        #expect(rank.global("answer") == "27nilmt53nil")
    }

    @Test("a result that cannot travel is told with its example and path")
    func unfitResult() throws {
        let rank = try LoneRank()
        try rank.run("function examples() return 2 end function work(e) return {model = {loss = print}} end")
        let examples = try rank.host.openJob(evaluate: true)
        var messages: [String] = []
        _ = try rank.host.work(Chunk(first: 1, count: 1), of: examples, sent: nil) { messages.append($1.error.message) }
        #expect(messages == ["result of example 2: .model.loss is a function, which cannot travel to the root"])
    }

    @Test("work may use the module: what it begins is its own affair")
    func moduleInWork() throws {
        #expect(
            try results(
                of: """
                    function examples() return 4 end
                    function work(e)
                      local sum = 0
                      for v in dlp.map_unordered(function(x) return x * e end, 3) do sum = sum + v end
                      for v in dlp.split_managed(2) do sum = sum + v end
                      for v in dlp.split_round_robin(2) do sum = sum + v end
                      return sum + dlp.bcast(e) + #dlp.map(function(x) return x end, 5)
                    end
                    """) == "4: 18 25 32 39")
    }

    @Test(
        "options are plain values by name",
        arguments: [
            ("{mode = 'managed', retries = 2}", "mode=managed retries=2"), ("{root_works = false}", "root-works=no"),
            ("{root_works = true}", "root-works=yes"), ("{timeout = 1.5, chunk = 4.0}", "chunk=4 timeout=1.5"),
            ("{}", ""),
            ("nil", ""),
        ])
    func options(table: String, expected: String) throws {
        let rank = try LoneRank()
        try rank.run("dlp.options = \(table)")
        #expect(try rank.host.scriptOptions().map { "\($0.name)=\($0.value.text)" }.joined(separator: " ") == expected)
    }

    @Test(
        "options of another shape are refused",
        arguments: [
            ("3", "dlp.options must be a table"), ("{'managed'}", "dlp.options has a key that is no string"),
            ("{mode = {}}", "dlp.options.mode must be a string, a number or a boolean, not a table"),
            ("{mode = print}", "dlp.options.mode must be"),
        ])
    func badOptions(table: String, message: String) throws {
        let rank = try LoneRank()
        try rank.run("dlp.options = \(table)")
        do {
            _ = try rank.host.scriptOptions()
            Issue.record("these options are taken")
        } catch { #expect(error.message.hasPrefix(message), "\(error.message)") }
    }

    @Test("arg and ... hold the arguments as under the stock lua")
    func arguments() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            assert(select('#', ...) == 3 and select(2, ...) == 'two words' and select(3, ...) == '')
            assert(#arg == 3 and arg[0] == 'job.lua' and arg[1] == 'ä' and arg[3] == '' and arg[-1] == 'dlp-lua')
            """, arguments: ["ä", "two words", ""])
    }

    @Test(
        "a first line for the shell and a byte order mark are left out, and lines are counted as they stand",
        arguments: ["#!/usr/bin/env dlp-lua\n", "# comment\n", "\u{FEFF}\n", "\u{FEFF}#!/usr/bin/env dlp-lua\n"])
    func firstLine(start: String) throws {
        let rank = try LoneRank()
        try rank.run(start + "answer = 'read'")
        #expect(rank.global("answer") == "read")
        #expect(rank.error(start + "error('x')").message == "job.lua:2: x")
        try rank.run("#!only this line")
    }

    @Test("bytecode is a script too", arguments: ["", "#!/usr/bin/env dlp-lua\n"])
    func bytecode(start: String) throws {
        let rank = try LoneRank()
        try rank.run(
            "code = ''; string.dump(load('answer = (...) .. \"!\"')):gsub('.', function(c) code = code .. c:byte() .. ' ' end)"
        )
        let code = rank.global("code").split(separator: " ").compactMap { UInt8($0) }
        try rank.host.run(
            Script(
                chunkName: "@job.luac", source: Bytes(Array(start.utf8) + code), name: "job.luac", arguments: ["ran"]))
        #expect(rank.global("answer") == "ran!")
    }

    @Test("the module is global and can be required")
    func module() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local m = require 'dlp'
            assert(m == dlp and m.RANK == 0 and m.SIZE == 1 and m.ROOT == 0 and m.MASTER == 0)
            assert(m.IS_ROOT == true and m.IS_MASTER == true and m.backend == 'none' and m.version == 'test')
            assert(type(m.hostname) == 'string' and #m.hostname > 0)
            """)
    }

    @Test(
        "a script that interferes with the globals is told, not crashed",
        arguments: ["work = 3", "work = {}", "work = 'x'"])
    func strangeGlobals(text: String) throws {
        let rank = try LoneRank()
        try rank.run(text)
        #expect(throws: ScriptError.self) { try rank.host.isFunction("work") }
    }

    @Test("a global that is an error where it is not declared is not there")
    func undeclaredGlobals() throws {
        let rank = try LoneRank()
        try rank.run("setmetatable(_G, {__index = function(_, k) error('no ' .. k, 0) end})")
        #expect(try !rank.host.isFunction("work"))
        try rank.run("setmetatable(_G, {__index = {work = print}})")
        #expect(try rank.host.isFunction("work"))
    }

    @Test("a callable table can be work")
    func callableWork() throws {
        #expect(
            try results(
                of:
                    "function examples() return 2 end work = setmetatable({}, {__call = function(_, e) return e * 3 end})"
            )
                == "2: 3 6")
    }
}
