import Glibc
import TestSupport
import Testing

/// Harm that a C library can do to the process that has loaded it.
@Suite(.hangLimit)
struct AccidentTests {
    /// A directory with `job.lua` and a module whose functions do harm.
    private func scratch(job: String) throws -> Scratch {
        let scratch = try Scratch(job: "local harm = require 'harm'\n" + job)
        try scratch.write(
            "harm.c",
            """
            #include <stdlib.h>
            #include <unistd.h>
            typedef struct lua_State lua_State;
            long long luaL_checkinteger(lua_State *, int);
            void lua_createtable(lua_State *, int, int);
            void lua_pushcclosure(lua_State *, int (*)(lua_State *), int);
            void lua_setfield(lua_State *, int, const char *);
            static int leave(lua_State *L) { exit(luaL_checkinteger(L, 1)); }
            static int vanish(lua_State *L) { _exit(luaL_checkinteger(L, 1)); }
            static int close_all(lua_State *L) { for (int i = luaL_checkinteger(L, 1); i < 1024; i++) close(i); return 0; }
            int luaopen_harm(lua_State *L) {
                lua_createtable(L, 0, 3);
                lua_pushcclosure(L, leave, 0); lua_setfield(L, -2, "leave");
                lua_pushcclosure(L, vanish, 0); lua_setfield(L, -2, "vanish");
                lua_pushcclosure(L, close_all, 0); lua_setfield(L, -2, "close_all");
                return 1;
            }
            """)
        let compiled = try run("cc -shared -fPIC harm.c -o harm.so", in: scratch)
        try #require(compiled.status == 0, "\(compiled.error)")
        return scratch
    }

    private func job(_ harm: String) -> String {
        """
        print("loaded")
        function examples() return 9 end
        function work(n)
          \(harm)
          return n
        end
        function summarize() print("all") end
        """
    }

    @Test(
        "a rank 0 that a library ends by exit is a failure that is told",
        arguments: ["dlp-lua", "dlp-lua -np 1", "dlp-lua -np 3", "ameexec -np 3 dlp-lua --mode round-robin"], [0, 7])
    func exit(_ command: String, _ status: Int) throws {
        let scratch = try scratch(job: job("while dlp.RANK > 0 do end harm.leave(\(status))"))
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.status == (status == 0 ? 3 : Int32(status)), "\(outcome.error)")
        #expect(outcome.output == String(repeating: "loaded\n", count: outcome.lines.count))
        #expect(outcome.error.contains("a C library has called exit(\(status)) before the job was done"))
    }

    @Test(
        "and so is one that ends by _exit, as far as a launcher can see", arguments: ["dlp-lua -np", "ameexec -np"],
        [1, 3])
    func immediateExit(_ launcher: String, _ size: Int) throws {
        let words =
            launcher.hasPrefix("ameexec") ? "\(launcher) \(size) dlp-lua job.lua" : "\(launcher) \(size) job.lua"
        let outcome = try run(words, in: scratch(job: job("while dlp.RANK > 0 do end harm.vanish(0)")))
        #expect(outcome.status == 3, "\(outcome.error)")
        #expect(outcome.error.contains("rank 0 (pid ") && outcome.error.contains("before the job was done"))
    }

    @Test("a worker is a lost rank", arguments: ["leave", "vanish"], ["map", "managed"])
    func worker(_ function: String, _ mode: String) throws {
        let scratch = try scratch(job: job("if dlp.RANK > 0 then harm.\(function)(0) end"))
        let outcome = try run("ameexec -np 2 dlp-lua --mode \(mode) job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.output.hasSuffix("all\n"), "\(outcome.error)")
        // If rank 0 has taken the example itself, no rank is lost.
        #expect(outcome.error.isEmpty || outcome.error.contains("lost rank 1 (host "), "\(outcome.error)")
    }

    @Test("os.exit, and what runs at the end of the state, is no accident", arguments: ["dlp-lua", "dlp-lua -np 2"])
    func ownExit(_ command: String) throws {
        let outcome = try run("\(command) -e", "if dlp.RANK == 0 then os.exit(7, true) end")
        #expect(outcome.status == 7 && outcome.error == "", "\(outcome.error)")
    }

    @Test(
        "a rank whose descriptors a library has closed ends, or its job does, and it can be interrupted",
        arguments: ["dlp-lua", "dlp-lua -np 1", "ameexec -np 2 dlp-lua", "ameexec -np 2 dlp-lua --root-works no"],
        ["return", "endless"])
    func closedDescriptors(_ command: String, _ end: String) throws {
        let after = end == "endless" ? "while true do end" : ""
        let scratch = try scratch(
            job: job("io.open('busy', 'w'):close() harm.close_all(3) \(after)"))
        let launched = try Launched(
            "\(command) --crash-limit 1 job.lua".split(separator: " ").map { String($0) }, in: scratch)
        if end == "endless" {
            try launched.reaches("it is busy") { scratch.names.contains("busy") }
            launched.signal(SIGTERM)
        }
        let outcome = try launched.finish()
        #expect(outcome.status == 0 ? outcome.output.hasSuffix("all\n") : !outcome.error.isEmpty, "\(outcome.error)")
        if end == "endless" { #expect(outcome.status != 0) }
    }
}
