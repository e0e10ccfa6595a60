import CLuaHost
import DLP
import Glibc
import TestSupport
import Testing

@testable import LuaHost

/// `dlp.run`, and the module's other functions for programs.
@Suite("Programs that a script runs")
struct RunTests {
    @Test("leave status, signal, outputs and what they have taken")
    func outcome() throws {
        try LoneRank().run(
            """
            local r = dlp.run{"sh", "-c", "echo out; echo err >&2; exit 3"}
            assert(r.status == 3 and r.signal == nil and r.stdout == "out\\n" and r.stderr == "err\\n")
            assert(r.seconds > 0 and r.cpu >= 0 and math.type(r.peak) == "integer" and r.peak > 0 and r.timed_out == nil)
            r = dlp.run{"sh", "-c", "kill -9 $$"}
            assert(r.status == 137 and r.signal == 9 and r.stdout == "" and r.stderr == "")
            assert(dlp.run{"sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"}.cpu > 0.01)
            assert(dlp.run{"head", "-c", 300 << 20, "/dev/zero", stdout = "discard"}.stdout == nil)
            local words = dlp.run{"printf", "%s|", "a b", "", "$HOME", "*", 3, 2.5, "\\xff"}.stdout
            assert(words == "a b||$HOME|*|3|2.5|\\xff|", words)
            """)
    }

    @Test("get what they are given to read, and nothing where that is nothing")
    func input() throws {
        try LoneRank().run(
            """
            local text = ("0123456789abcde\\n"):rep(640 * 1024)
            assert(dlp.run{"cat", stdin = text}.stdout == text)
            assert(dlp.run{"cat", stdin = "a\\0b"}.stdout == "a\\0b" and dlp.run{"cat", stdin = ""}.stdout == "")
            assert(dlp.run{"cat"}.stdout == "" and dlp.run{"readlink", "/proc/self/fd/0"}.stdout == "/dev/null\\n")
            -- Who does not read all is no failure, and nobody is killed.
            assert(dlp.run{"true", stdin = text}.status == 0)
            assert(dlp.run{"head", "-c", "3", stdin = text}.stdout == "012")
            assert(dlp.run{"sh", "-c", "exec <&-; sleep 0.05; echo on", stdin = text}.stdout == "on\\n")
            """)
    }

    @Test("may write to both outputs at once, as much as they like")
    func large() throws {
        try LoneRank().run(
            """
            local script = [[
              head -c 50000000 /dev/zero | tr '\\0' e >&2 &
              head -c 50000000 /dev/zero | tr '\\0' o
              wait
            ]]
            local r = dlp.run{"sh", "-c", script}
            assert(r.status == 0 and #r.stdout == 50000000 and #r.stderr == 50000000)
            assert(not r.stdout:find("[^o]") and not r.stderr:find("[^e]"))
            """)
    }

    @Test("write where they are told to")
    func outputs() throws {
        let directory = try TemporaryDirectory()
        try LoneRank().run(
            """
            local path = ...
            local function text() return io.open(path):read("a") end
            local both = {"sh", "-c", "echo out; echo err >&2"}
            local function run(options) return dlp.run(table.move(both, 1, 3, 1, options)) end
            local r = run{stderr = "stdout"}
            assert(r.stdout == "out\\nerr\\n" and r.stderr == nil)
            r = run{stdout = {file = path}}
            assert(r.stdout == nil and r.stderr == "err\\n" and text() == "out\\n")
            r = run{stdout = {file = path}, stderr = "stdout"}
            assert(r.stdout == nil and r.stderr == nil and text() == "out\\nerr\\n")
            r = run{stdout = "discard", stderr = {file = path}}
            assert(r.stdout == nil and r.stderr == nil and text() == "err\\n")
            r = run{stdout = "capture", stderr = "capture"}
            assert(r.stdout == "out\\n" and r.stderr == "err\\n")
            """, arguments: [SystemString("\(directory.path)/file")])
    }

    @Test("begin in the directory, and with the environment, that they are given")
    func surroundings() throws {
        let directory = try TemporaryDirectory()
        try LoneRank().run(
            """
            local directory = ...
            assert(dlp.run{"pwd", cwd = directory}.stdout == directory .. "\\n")
            local env = "\\n" .. dlp.run{"env", env = {DLP_TEST_RUN = "a=b c", DLP_TEST_RUN_N = 5, PATH = false}}.stdout
            assert(env:find("\\nDLP_TEST_RUN=a=b c\\n") and env:find("\\nDLP_TEST_RUN_N=5\\n") and not env:find("\\nPATH="))
            env = "\\n" .. dlp.run{"env"}.stdout
            assert(env:find("\\nPATH=") and not env:find("DLP_TEST_RUN", 1, true) and not os.getenv("DLP_TEST_RUN"))
            -- A program is looked for in the PATH that it gets, and one with a slash from where it begins.
            local file = io.open(directory .. "/mine", "w")
            file:write("echo mine $1\\n")
            file:close()
            assert(dlp.run{"chmod", "+x", directory .. "/mine"}.status == 0)
            assert(dlp.run{"mine", "own", env = {PATH = "/nowhere:" .. directory}}.stdout == "mine own\\n")
            assert(dlp.run{"./mine", "too", cwd = directory}.stdout == "mine too\\n")
            """, arguments: [SystemString(directory.path)])
    }

    @Test("inherit neither descriptors nor signals")
    func inheritance() throws {
        let directory = try TemporaryDirectory()
        // As a library may leave the signals.
        var (mask, before) = (sigset_t(), sigset_t())
        sigemptyset(&mask)
        sigaddset(&mask, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &mask, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try LoneRank().run(
            """
            local file = io.open(..., "w")
            local names = dlp.run{"ls", "/proc/self/fd"}.stdout
            assert(names == "0\\n1\\n2\\n3\\n", names) -- The last is that of the directory.
            local mask = dlp.run{"grep", "SigBlk", "/proc/self/status"}.stdout
            assert(mask:find("^SigBlk:%s*0+\\n$"), mask)
            file:close()
            """, arguments: [SystemString("\(directory.path)/file")])
        var present = sigset_t()
        pthread_sigmask(SIG_SETMASK, nil, &present)
        #expect(sigismember(&present, SIGTERM) == 1 && sigismember(&present, SIGURG) == 0)
        #expect(sigismember(&present, SIGPIPE) == 0)
    }

    @Test("are not waited for by what they leave behind")
    func behind() throws {
        try LoneRank().run(
            """
            local began = dlp.time()
            local r = dlp.run{"sh", "-c", "sleep 600 & echo $!; printf all"}
            assert(dlp.time() - began < 500)
            local left, text = r.stdout:match("^(%d+)\\n(.*)$")
            assert(text == "all" and dlp.run{"kill", left}.status == 0)
            """)
    }

    @Test("end when their time is up, with all that they have started, and that is told")
    func timeout() throws {
        try LoneRank().run(
            """
            for _, script in ipairs{"exec sleep 600", "sleep 600; sleep 600", "trap '' TERM; sleep 600; sleep 600",
              "(trap '' TERM; sleep 600; sleep 600) & exec sleep 600", "kill -STOP $$"} do
              local r = dlp.run{"sh", "-c", "echo begun; " .. script, timeout = 0.2}
              assert(r.timed_out and r.status ~= 0 and r.seconds < 500)
            end
            local ok, message = pcall(dlp.run, {"sleep", 600, timeout = 0.1, check = true})
            assert(not ok and message == "run: sleep took longer than its timeout, 0.1 s", message)
            assert(not dlp.run{"true", timeout = 600}.timed_out)
            """)
    }

    @Test(
        "that fail are errors where they are checked, which say how and why",
        arguments: [
            ("'sh', '-c', 'echo why >&2; exit 2'", "sh ended with status 2: why"),
            ("'false'", "false ended with status 1"),
            ("'sh', '-c', 'kill -SEGV $$'", "sh was ended by signal 11 (SIGSEGV)"),
            (
                "'sh', '-c', 'printf \"a\\\\nb\\\\n\\\\n\" >&2; exit 9'",
                "sh ended with status 9; the end of what it said:\n  a\n  b"
            ),
            ("'sh', '-c', 'echo merged; exit 1', stderr = 'stdout'", "sh ended with status 1: merged"),
            ("'sh', '-c', 'seq 100000 >&2; exit 1'", "sh ended with status 1; the end of what it said:\n  99991\n"),
        ])
    func check(_ command: String, _ says: String) throws {
        let rank = try LoneRank()
        #expect(rank.error("\ndlp.run{\(command), check = true}").message.hasPrefix("job.lua:2: run: \(says)"))
        try rank.run("assert(dlp.run{'true', check = true}.status == 0) assert(dlp.run{\(command)}.status > 0)")
    }

    @Test(
        "that cannot be run are errors at the script's line",
        arguments: [
            ("{'no-such-program'}", "there is no program no-such-program in PATH"),
            ("{'./no-such-program'}", "cannot start ./no-such-program: No such file or directory"),
            ("{'/etc/passwd'}", "cannot start /etc/passwd: Permission denied"),
            ("{'true', ('x'):rep(1 << 20)}", "cannot start true: Argument list too long"),
            ("{'true', cwd = '/no-such'}", "cannot change to /no-such: No such file or directory"),
            ("{'true', stdout = {file = '/no-such/x'}}", "cannot write to /no-such/x: No such file or directory"),
            ("{'true', stderr = {file = '/'}}", "cannot write to /: Is a directory"),
            ("'true'", "expected a table {\"program\", \"argument\", ...}, got \"true\""),
            ("{}", "which program? The first element of the table is its name"),
            ("{''}", "which program? The first element of the table is its name"),
            ("{true}", "the program is true; expected a string or a number"),
            ("{'true', {}}", "argument 1 is table"), ("{'true', nil, 'x'}", "the word before [3] is nil"),
            ("{'true', 'a\\0b'}", "argument 1 has a NUL byte in it"),
            ("{'true', stdot = 1}", "there is no option stdot; is stdout meant?"),
            ("{'true', colour = 1}", "there is no option colour"),
            ("{'true', stdin = 5}", "stdin is 5; expected a string"),
            ("{'true', stdout = 'discrad'}", "stdout is \"discrad\"; is discard meant?"),
            ("{'true', stdout = 'stdout'}", "stdout is \"stdout\"; expected \"capture\", \"inherit\""),
            ("{'true', stdout = {fil = 'x'}}", "stdout: there is no option fil; expected"),
            ("{'true', stdout = {}}", "stdout.file is nil; expected a string or a number"),
            ("{'true', check = 1}", "check must be true or false, not 1"),
            ("{'true', timeout = 0}", "timeout must be a number of seconds above 0, not 0"),
            ("{'true', timeout = '1'}", "timeout must be a number of seconds above 0, not \"1\""),
            ("{'true', env = 'A=1'}", "env is \"A=1\"; expected a table of names and values"),
            ("{'true', env = {['A=B'] = 1}}", "env: \"A=B\" cannot be the name of a variable"),
            ("{'true', env = {A = {}}}", "env.A is table"), ("{'true', cwd = false}", "cwd is false; expected"),
        ])
    func refused(_ command: String, _ says: String) throws {
        let error = try LoneRank().error("\ndlp.run(\(command))")
        #expect(error.message.hasPrefix("job.lua:2: run: \(says)"), "\(error.message)")
    }

    @Test("are an error where the memory limit does not hold what they write, and it can be used again")
    func memory() throws {
        let rank = try LoneRank()
        rank.host.limitMemory(to: 8 << 20)
        let message = "not enough memory: --memory allows this rank 8M"
        #expect(rank.error("dlp.run{'head', '-c', 1 << 30, '/dev/zero'}").message == message)
        #expect(rank.error("dlp.run{'sh', '-c', 'head -c 6000000 /dev/zero >&2; sleep 0.1'}").message == message)
        try rank.run(
            """
            for i = 1, 20 do
              assert(not pcall(dlp.run, {"cat", "/dev/zero"}))
              assert(#dlp.run{"head", "-c", 2 << 20, "/dev/zero"}.stdout == 2 << 20)
            end
            assert(dlp.run{"head", "-c", 1 << 30, "/dev/zero", stdout = "discard"}.status == 0)
            """)
    }

    @Test("wherever memory ends, the script gets an error and nothing else happens", arguments: 0..<20)
    func everywhere(step: Int) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            function exercise()
              pcall(dlp.run, {"sh", "-c", "echo some; exit 1", stdin = ("x"):rep(99), env = {A = 1}, check = true})
              pcall(dlp.run, {"no-such-program", cwd = "/tmp", stdout = {file = "/dev/null"}})
            end
            exercise()
            collectgarbage()
            used = math.floor(collectgarbage("count") * 1024)
            """)
        let used = try #require(Int(rank.global("used")))
        rank.host.limitMemory(to: used + 150 * step)
        try? rank.run("exercise()")
        rank.host.limitMemory(to: nil)
        try rank.run("assert(dlp.run{'echo', 'sound'}.stdout == 'sound\\n')")
    }

    @Test(
        "end with an example whose time is up, which then fails, and so does a pause",
        arguments: [
            "dlp.run{'sleep', 600}", "pcall(dlp.run, {'sh', '-c', 'sleep 600; sleep 600'})", "dlp.sleep(600)",
            "dlp.run{'sh', '-c', 'trap \"\" TERM; sleep 600; sleep 600', check = true}", "pcall(dlp.sleep, math.huge)",
            "while true do dlp.run{'true'} end", "coroutine.wrap(function() dlp.sleep(600) end)()",
        ])
    func late(_ waits: String) throws {
        let rank = try LoneRank()
        _ = try rank.open("function examples() return 10 end function work(n) if n == 2 then \(waits) end end")
        // Here, nothing else ends the programs either.
        try rank.host.limitTime(to: 0.2) { _ in }
        #expect(rank.workError(2)?.message == "job.lua:1: " + LuaHost.lateMessage(0.2))
        try rank.host.limitTime(to: nil) { _ in }
        #expect(rank.workError(3) == nil)
    }

    @Test("are none under --sandbox; the clock and pauses are")
    func sandbox() throws {
        let rank = try LoneRank(isSandboxed: true)
        #expect(rank.error("\ndlp.run{'true'}").message == "job.lua:2: run: under --sandbox there are no programs")
        try rank.run("dlp.sleep(0) assert(dlp.time() > 0 and dlp.quote('x') == \"'x'\")")
    }

    @Test("the time goes on during a pause")
    func pauses() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local began = dlp.time()
            assert(math.type(began) == "float" and math.abs(began - os.time()) < 60)
            dlp.sleep(0.05)
            dlp.sleep(0)
            -- The clock may be set, but not often.
            local took = dlp.time() - began
            assert(took >= 0.04 and took < 500)
            """)
        for value in ["-1", "0/0", "'x'", "nil", "{}"] {
            let message = rank.error("\ndlp.sleep(\(value))").message
            #expect(message.hasPrefix("job.lua:2: sleep: expected a number of seconds from 0 on, got "))
        }
    }

    @Test("a quoted text is one word for the shell")
    func quote() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local every = {}
            for byte = 1, 255 do every[byte] = string.char(byte) end
            for _, text in ipairs{"", "'", "a'b''c", "$(rm x) `x` \\"x\\" \\\\ !", "-n", "a\\n", table.concat(every)} do
              local r = dlp.run{"sh", "-c", "printf %s " .. dlp.quote(text)}
              assert(r.stdout == text, text)
            end
            assert(dlp.quote(5) == "'5'")
            """)
        #expect(rank.error("\ndlp.quote('a\\0b')").message == "job.lua:2: quote: the text has a NUL byte in it")
        #expect(rank.error("\ndlp.quote({})").message.hasPrefix("job.lua:2: quote: the text is table"))
    }
}
