import TestSupport
import Testing

/// Modules that a script requires.
@Suite(.hangLimit)
struct ModuleTests {
    @Test("a Lua module is found through LUA_PATH on every rank", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func luaModule(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                local double = require "double"
                function examples() return 5 end
                function work(n) return require("double")(n) + (double == require "double" and 0 or 1) end
                """)
        try scratch.write("double.lua", "return function(n) return 2 * n end")
        for environment in [[:], ["LUA_PATH": "\(scratch.path)/?.lua"], ["LUA_PATH_5_4": "\(scratch.path)/?.lua;;"]] {
            let outcome = try run("\(command) job.lua", in: scratch, environment: environment)
            #expect(outcome.lines == ["2", "4", "6", "8", "10"], "\(environment)")
            #expect(outcome.error == "" && outcome.status == 0, "\(environment)")
        }
    }

    @Test("a module that is not there is an error with the line and where it was looked for")
    func missing() throws {
        let scratch = try Scratch(job: "\nrequire 'no.such.module'\n")
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        #expect(outcome.error.contains("job.lua:2: module 'no.such.module' not found"), "\(outcome.error)")
        #expect(outcome.error.hasPrefix("dlp-lua: ") && outcome.tracebackCount == 1 && outcome.status == 1)
    }

    @Test(
        "what lua-cjson decodes is a result",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed"])
    func cjson(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples()
                  return {'{"a": [1, 2.5, {"b": "text"}], "z": true}', '[]', '"\\\\u00e9"', '[1, [2, [3]]]', '12'}
                end
                function work(text) return require("cjson").decode(text) end
                """)
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(
            outcome.lines == [#"{"a":[1.0,2.5,{"b":"text"}],"z":true}"#, "[]", "\"é\"", "[1.0,[2.0,[3.0]]]", "12.0"])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("cjson.null is light userdata: an error that names its place")
    func null() throws {
        let scratch = try Scratch(
            job:
                "local cjson = require 'cjson' function examples() return 1 end function work() return cjson.decode('[{\"a\": null}]') end"
        )
        let outcome = try run("ameexec -np 2 dlp-lua job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "result of example 1", "[1].a is a"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test("lua-lpeg works on every rank", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func lpeg(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                local lpeg = require "lpeg"
                local sum = lpeg.P {"sum", number = lpeg.R("09") ^ 1 / tonumber,
                  sum = lpeg.Cf(lpeg.V "number" * (lpeg.P "+" * lpeg.V "number") ^ 0, function(a, b) return a + b end)}
                function examples() return {"1", "1+2", "10+20+30"} end
                function work(text) return sum:match(text) end
                """)
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.lines == ["1", "3", "60"])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("the module dlp is global and can be required")
    func dlp() throws {
        let outcome = try run(
            "ameexec -np 2 dlp-lua -e",
            "assert(require 'dlp' == dlp) print(dlp.SIZE, dlp.IS_ROOT == (dlp.RANK == 0), dlp.backend)")
        #expect(outcome.lines == ["2\ttrue\tame", "2\ttrue\tame"])
        #expect(outcome.error == "" && outcome.status == 0)
    }
}
