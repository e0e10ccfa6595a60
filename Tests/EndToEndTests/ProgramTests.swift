import Glibc
import TestSupport
import Testing

/// Signals to ranks that wait for programs that the script has started.
@Suite(.hangLimit)
struct ProgramTests {
    @Test(
        "Ctrl-C ends a job whose ranks wait for programs, and nothing goes on from what it did to these",
        arguments: WaitingJob.calls, [WaitingJob.script, "wait() dlp.barrier() print('never')"])
    func interrupt(_ call: WaitingJob.Call, _ script: String) throws {
        for waits in ["os.execute(PROGRAM)", "io.popen(PROGRAM):read('a')"] {
            try WaitingJob.interrupt(call, script, waits: waits)
        }
    }

    @Test(
        "an example whose program SIGTERM has ended, too, stays undone", arguments: WaitingJob.calls,
        ["map", "managed", "round-robin", "map --on-error continue"])
    func terminate(_ call: WaitingJob.Call, _ mode: String) throws {
        for waits in [
            "io.popen(PROGRAM):close()", "local n = 1 + io.popen(PROGRAM):read('n')", "os.execute(PROGRAM)",
            "pcall(os.execute, PROGRAM)",
            "os.execute('sh -c \"' .. PROGRAM .. '\"; exit $?')",
        ] {
            try WaitingJob.terminate(call, mode: mode, waits: waits)
        }
    }

    @Test("a program that does not heed SIGTERM is waited for", arguments: WaitingJob.calls)
    func finish(_ call: WaitingJob.Call) throws {
        try WaitingJob.finish(call, waits: #"assert(os.execute("trap '' TERM;" .. PROGRAM))"#)
    }

    @Test(
        "an example whose program takes longer than --timeout fails as any other, and its rank lives on",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua --mode managed", "ameexec -np 2 dlp-lua --root-works no"],
        [
            "os.execute('sleep 60')", "pcall(os.execute, 'sleep 60; sleep 60')", "io.popen('sleep 60'):read()",
            "local out = io.popen('cat >/dev/null; sleep 60', 'w') out:write('x') out:close()",
            "os.execute(\"sh -c 'trap : TERM; sleep 60; sleep 60; exit 0'; exit 0\")",
        ])
    func late(_ command: String, _ waits: String) throws {
        let scratch = try Scratch(
            job: """
                local helper
                function setup() helper = io.popen("cat >helped." .. dlp.RANK, "w") end
                function examples() return 9 end
                function work(n)
                  if n == 5 then \(waits) end
                  helper:write(n, "\\n")
                  return n
                end
                """)
        let outcome = try run("\(command) --timeout 0.5 --on-error continue --chunk 1 job.lua", in: scratch)
        #expect(outcome.lines == ["1", "2", "3", "4", "null", "6", "7", "8", "9"])
        #expect(outcome.status == 4 && !outcome.error.contains("lost"), "\(outcome.error)")
        let helped = scratch.names.filter { $0.hasPrefix("helped.") }.compactMap { scratch.read($0) }.joined()
        #expect(helped.split(separator: "\n").count == 8, "what was started before the example is left alone")
    }

    @Test("a program of dlp.run ends with its rank, whatever ends that", arguments: [1, 3])
    func killed(_ size: Int) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 3 end
                function work(n)
                  if io.open("again") then return n end
                  dlp.run{"sh", "-c", "echo $$ > program." .. dlp.RANK .. "; exec sleep 1000"}
                end
                """)
        let job = try Launched(
            (size == 1 ? ["dlp-lua"] : ["ameexec", "-np", "3", "dlp-lua"]) + ["job.lua"], in: scratch)
        let file = "program.\(size - 1)"
        try job.reaches("each rank waits for a program") {
            (0..<size).allSatisfy { scratch.read("program.\($0)")?.hasSuffix("\n") == true }
        }
        let program = try #require(scratch.read(file).flatMap { pid_t($0.dropLast()) })
        try #require(kill(program, 0) == 0)
        try scratch.write("again", "")
        if size == 1 { job.signal(SIGKILL) } else { try job.signal(SIGKILL, rank: 2) }
        try eventually("the program has ended") { kill(program, 0) != 0 }
        for other in 0..<size - 1 {
            scratch.read("program.\(other)").flatMap { pid_t($0.dropLast()) }.map { _ = kill($0, SIGTERM) }
        }
        let outcome = try job.finish()
        #expect(size == 1 ? outcome.status == 137 : outcome.error.contains("lost rank 2"), "\(outcome)")
    }

    @Test("os.execute and io.popen do what Lua's own do")
    func asInLua() throws {
        let script = """
            print(os.execute(), os.execute("exit 3"))
            print(os.execute("true"))
            print(os.execute("kill -9 $$"))
            print(pcall(os.execute, {}))
            io.write("before ")
            local out = io.popen("cat", "w")
            out:write("within\\n")
            print(io.type(out), out:close())
            print(io.type(out), pcall(out.close, out))
            local lines = {}
            for line in io.popen("printf 'a\\nb\\n'; exit 7"):lines() do lines[#lines + 1] = line end
            print(table.concat(lines, " "))
            local nothing = io.popen("cat; exit 7")
            print(nothing:read("a"), nothing:close())
            print(pcall(io.popen, "true", "rw"))
            local many = {}
            for i = 1, 40 do many[i] = io.popen("echo " .. i) end
            local sum = 0
            for i = 1, 40 do sum = sum + many[i]:read("n") many[i]:close() end
            print(sum)
            io.popen("exit 1")
            collectgarbage()
            """
        let outcome = try run("dlp-lua -e", script)
        #expect(
            outcome.lines == [
                "true\tnil\texit\t3", "true\texit\t0", "nil\tsignal\t9",
                "false\tbad argument #1 to 'os.execute' (string expected, got table)", "before within",
                "file\ttrue\texit\t0", "closed file\tfalse\tattempt to use a closed file", "a b", "\tnil\texit\t7",
                "false\tbad argument #2 to 'io.popen' (invalid mode)", "820",
            ], "\(outcome.output)")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a program's own end by a signal is the script's business")
    func own() throws {
        let outcome = try run(
            "dlp-lua -np 2 -e",
            """
            function examples() return 2 end
            function work(n) return select(2, os.execute('kill -' .. (n == 1 and 'INT' or 'TERM') .. ' $$')) end
            function summarize(results) print(table.concat(results, ' ')) end
            """)
        #expect(outcome.output == "signal signal\n" && outcome.error == "" && outcome.status == 0)
    }
}
