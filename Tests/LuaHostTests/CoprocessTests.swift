import DLP
import Glibc
import TestSupport
import Testing

@testable import LuaHost

/// `dlp.coprocess`, in the state of one rank.
@Suite("A program that answers a script", .hangLimit)
struct CoprocessTests {
    /// `python(text)`: a coprocess whose function `work` is defined by the text, in Python.
    private static let python = """
        local directory = ...
        function python(text, timeout)
          return dlp.coprocess{
            "python3", "-c", "from dlp_worker import serve\\nimport os, sys\\n" .. text .. "\\nserve(work)",
            env = {PYTHONPATH = directory}, timeout = timeout}
        end

        """

    private func run(_ text: String, _ rank: LoneRank) throws {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        try rank.run(Self.python + text, arguments: [SystemString("\(root)/scripts/coprocess")])
    }

    private func run(_ text: String) throws { try run(text, LoneRank()) }

    private static let values = """
        local values = {
          true, false, 0, 1, -1, math.maxinteger, math.mininteger, 0.0, -0.0, 1.0, 0.1, -2.5e-300, 1e300, 2^53,
          math.huge, -math.huge, "", "a", "two\\nlines \\"quoted\\" \\\\ \\0 \\u{e9}\\u{1f600}\\u{2028}\\r\\t\\x7f",
          "no UTF-8: \\xff\\xfe\\xed\\xa0\\x80", {1, 2, 3}, {1.0, 2.0}, {"x", {{}}}, {a = 1, b = {c = {d = "e"}}}, {[""] = 1},
          {["\\xff"] = 1}, {1, n = 3}, {nil, nil, 3, n = 3}, {nil, {nil, 1, n = 2}, n = 2}, {n = 2}, {{a = {1, 2}}, {a = {}}},
        }

        """

    @Test("gets the values that are sent, and the script those that come back, in a line each")
    func echo() throws {
        try run(
            Self.values + """
                for _, co in ipairs{dlp.coprocess{"cat"}, python("def work(x): return x")} do
                  for i, value in ipairs(values) do assert(same(co(value), value), i) end
                  assert(co(nil) == nil and co() == nil and co(0/0) ~= co(0/0))
                end
                """)
    }

    @Test("values are what they should be in Python")
    func inPython() throws {
        try run(
            """
            local co = python("def work(x): return repr(x)")
            for value, text in pairs{
              [true] = "True", [1] = "1", [1.5] = "1.5", ["a\\u{e9}"] = "'a\\u{e9}'", ["\\xff"] = [['\\udcff']],
              [math.huge] = "inf", [math.mininteger] = tostring(math.mininteger) } do
              assert(co(value) == text, text)
            end
            assert(co(nil) == "None" and co(2.0 ^ 53) == "9007199254740992.0" and co(-(0/0)) == "nan")
            assert(co{1, nil, 3, n = 3} == "[1, None, 3]" and co{a = {1}} == "{'a': [1]}")
            co = python("def work(x): return eval(x)")
            assert(co"b'\\\\xff\\\\0'" == "\\xff\\0" and same(co"(1, None)", {1, n = 2}) and co"10 ** 400 * 1.0 if 0 else 2.0" == 2.0)
            assert(same(co"{'a': (1.0, None, [None])}", {a = {1.0, nil, {n = 1}, n = 3}}))
            assert(co"10 ** 30" == 1e30 and math.type(co"10 ** 18") == "integer")
            """)
    }

    @Test(
        "an exception is an error at the script's line, with the traceback of the other side, and the program goes on")
    func exceptions() throws {
        let rank = try LoneRank()
        try run(
            """
            co = python[[
            def inner(x): raise ValueError("no " + x)
            def work(x): return os.getpid() if x is None else {1} if x == "set" else inner(x)]]
            local before = co()
            local ok, message = pcall(function() local value = co("good") return value end)
            assert(not ok and message:find("^job.lua:%d+: python3 %-c: ValueError: no good\\nTraceback "), message)
            assert(message:find('File "<string>", line 3, in inner', 1, true) and not message:find("dlp_worker"), message)
            ok, message = pcall(function() return co("set") end)
            assert(message:find("what it returns cannot go back: a value of type set has no JSON", 1, true), message)
            assert(co() == before)
            """, rank)
    }

    @Test("one that dies fails the call and is started anew for the next, also when it has died in between")
    func death() throws {
        try run(
            """
            local co = python("def work(x): return eval(x)")
            local function pid() return co"os.getpid()" end
            local before = pid()
            for program, how in pairs{["os._exit(3)"] = "ended with status 3", ["sys.exit()"] = "ended with status 0",
              ["os.kill(os.getpid(), 9)"] = "was ended by signal 9 (SIGKILL)"} do
              local ok, message = pcall(co, program)
              assert(not ok and message:find("python3 %-c " .. how:gsub("%p", "%%%0") .. ", and has not answered$"), message)
              local now = pid()
              assert(now ~= before)
              before = now
            end
            assert(dlp.run{"kill", "-9", before}.status == 0)
            repeat until dlp.run{"ps", "-o", "stat=", "-p", before}.stdout:find("^Z")
            assert(pid() ~= before)
            """)
    }

    @Test("one that takes too long is ended, and so is one that cannot answer any more")
    func timeout() throws {
        try run(
            """
            local co = dlp.coprocess{
              "sh", "-c", "while read line; do [ $line != null ] || sleep 600; echo $$; done", timeout = 5}
            local before = co(0)
            local ok, message = pcall(co)
            assert(not ok and message == "sh -c took longer than its timeout, 5 s", message)
            local next = co(0)
            assert(next ~= before and next == co(0))
            for _, closes in ipairs{"exec >&-; read line; sleep 600", "exec <&- >&-; trap '' TERM; sleep 600; sleep 600"} do
              ok, message = pcall(dlp.coprocess{"sh", "-c", closes}, ("x"):rep(1 << 20))
              assert(message == "sh -c has closed its standard input or output, and does not answer", message)
            end
            """)
    }

    @Test("an answer that is none is an error, and nothing of it is taken for the next answer")
    func disorder() throws {
        let rank = try LoneRank()
        for (program, says) in [
            ("read line; echo hello", "its answer is no JSON: expected a value, got 'h'"),
            ("read line; echo", "its answer is no JSON"),
            ("read line; printf '1\\n2\\n'; read line", "wrote more than the one line that is the answer"),
            ("echo 1; sleep 600", "answered before it had read its whole line"),
            ("read line; printf 1", "ended with status 0, and has not answered"),
            ("read line; echo '!\"oops\"'; read line", "oops"), ("read line; echo '!oops'", "its answer is no JSON"),
        ] {
            let text = "\ndlp.coprocess{'sh', '-c', [[\(program)]]}(('x'):rep(1 << 20))"
            let message = rank.error(text).message
            #expect(message.hasPrefix("job.lua:2: sh -c") && message.contains(says), "\(message)")
        }
        try rank.run(
            """
            local co = dlp.coprocess{"sh", "-c", "read line; echo 1; read line; echo 2; echo 3; touch $0; read line", os.tmpname()}
            assert(co() == 1)
            -- What is written too late to be seen with the answer is seen before the next.
            local ok, answer = pcall(co)
            if ok then
              dlp.sleep(0.5)
              ok, answer = pcall(co)
            end
            assert(not ok and answer:find("wrote more than the one line"), answer)
            assert(co() == 1)
            """)
    }

    @Test("values of any size go both ways at once")
    func large() throws {
        try run(
            """
            local co = dlp.coprocess{"cat"}
            local text = ("0123456789abcdef"):rep(100 << 16)
            assert(co(text) == text)
            local list = {}
            for i = 1, 200000 do list[i] = i end
            local back = co(list)
            assert(#back == #list and back[200000] == 200000)
            text = text:sub(1, 20 << 20)
            assert(python("def work(x): return x + x")(text) == text .. text)
            """)
    }

    @Test("an answer counts against the memory limit")
    func memory() throws {
        let rank = try LoneRank()
        try run("co = python('def work(x): return \"x\" * x') assert(co(5) == 'xxxxx')", rank)
        rank.host.limitMemory(to: 8 << 20)
        #expect(rank.error("co(1 << 30)").message == "not enough memory: --memory allows this rank 8M")
        try rank.run("for i = 1, 4 do assert(not pcall(co, 20 << 20) and #co(1 << 20) == 1 << 20) end")
    }

    @Test("wherever memory ends, the script gets an error and nothing else happens", arguments: 0..<20)
    func everywhere(step: Int) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local command = {"sh", "-c", "while read line; do echo $line; done", env = {A = 1}}
            function exercise()
              local co <close> = dlp.coprocess(command)
              for i = 1, 3 do pcall(co, ("x"):rep(99 * i)) end
              pcall(dlp.coprocess{"no-such-program", cwd = "/tmp"})
            end
            exercise()
            collectgarbage()
            used = math.floor(collectgarbage("count") * 1024)
            """)
        let used = try #require(Int(rank.global("used")))
        rank.host.limitMemory(to: used + 150 * step)
        try? rank.run("exercise()")
        rank.host.limitMemory(to: nil)
        try rank.run("local co = dlp.coprocess{'cat'} assert(co('sound') == 'sound')")
    }

    @Test("one ends when nobody can call it any more, when it is closed, and with the state")
    func ends() throws {
        let rank = try LoneRank()
        try run(
            """
            function runs(pid) return dlp.run{"kill", "-0", pid}.status == 0 end
            co = python("def work(x): return os.getpid()")
            local first = co()
            assert(runs(first))
            co:close()
            co:close()
            assert(not runs(first))
            local second = co()
            assert(second ~= first and runs(second))
            local third
            do
              local closed <close> = python("def work(x): return os.getpid()")
              third = closed()
            end
            assert(not runs(third) and runs(second))
            co = nil
            collectgarbage()
            assert(not runs(second))
            -- Neither heeds the end of its input.
            for _, heeds in ipairs{"", "trap '' TERM;"} do
              local deaf = dlp.coprocess{"sh", "-c", heeds .. "read line; echo $$; while :; do sleep 600; done"}
              local pid = deaf()
              deaf:close()
              assert(not runs(pid))
            end
            co = python("def work(x): return os.getpid()")
            last = co()
            """, rank)
        let last = try #require(pid_t(rank.global("last")))
        #expect(kill(last, 0) == 0)
        rank.host.close()
        #expect(kill(last, 0) != 0)
    }

    @Test("one that an example waits for ends when its time is up, and is there again for the next")
    func late() throws {
        let rank = try LoneRank()
        try rank.run(
            "co = dlp.coprocess{'sh', '-c', 'while read n; do [ $n != 2 ] || sleep 600; echo $$; done'}")
        _ = try rank.open("function examples() return 10 end function work(n) pid = co(n) end")
        try rank.host.limitTime(to: 5) { _ in }
        #expect(rank.workError(1) == nil)
        let first = rank.global("pid")
        #expect(rank.workError(2)?.message.hasSuffix(LuaHost.lateMessage(5)) == true)
        #expect(rank.workError(3) == nil)
        #expect(rank.global("pid") != first && first != "nil")
    }

    @Test("gets three descriptors, no blocked signal, and the directory and variables that it is given")
    func surroundings() throws {
        try run(
            """
            local file = io.tmpfile()
            local first = dlp.coprocess{"cat"}
            assert(first(1) == 1)
            local others = dlp.coprocess{
              "sh", "-c", "read line; for n in $(seq 3 20); do [ ! -e /proc/$$/fd/$n ] || others=$n; done; echo ${others:-0}"}()
            assert(others == 0, others)
            local mask = dlp.coprocess{"sh", "-c", [[read line; set -- $(grep SigBlk /proc/self/status); echo "\\"$2\\""]]}()
            assert(mask == "0000000000000000", mask)
            local place = dlp.coprocess{"sh", "-c", [[read line; echo "\\"$PWD $DLP_TEST_X\\""]], cwd = "/", env = {DLP_TEST_X = 5}}
            assert(place() == "/ 5")
            assert(first(2) == 2)
            """)
    }

    @Test("a finalizer that calls it while it waits for an answer gets an error")
    func finalizer() throws {
        let rank = try LoneRank()
        rank.host.limitMemory(to: 64 << 20)
        try run(
            """
            local co = python("def work(x): return 'x' * x if x else 0")
            local said
            setmetatable({}, {__gc = function() local _, message = pcall(co, 0) said = message end})
            -- The answer has no room until garbage is collected.
            local garbage = ("x"):rep(30 << 20)
            garbage = nil
            assert(#co(20 << 20) == 20 << 20)
            assert(said == 0 or said:find("waits for the answer to another call"), said)
            assert(co(0) == 0)
            """, rank)
    }

    @Test(
        "one that cannot be is an error at the script's line",
        arguments: [
            ("dlp.coprocess{}", "coprocess: which program? The first element of the table is its name"),
            ("dlp.coprocess('cat')", "coprocess: expected a table {\"program\", \"argument\", ...}, got \"cat\""),
            ("dlp.coprocess{'cat', stdin = 'x'}", "coprocess: there is no option stdin"),
            ("dlp.coprocess{'cat', timout = 1}", "coprocess: there is no option timout; is timeout meant?"),
            ("dlp.coprocess{'cat', timeout = 0}", "coprocess: timeout must be a number of seconds above 0, not 0"),
            ("dlp.coprocess{'cat', env = {['A=B'] = 1}}", "coprocess: env: \"A=B\" cannot be the name of a variable"),
            ("dlp.coprocess{'cat', cwd = {}}", "coprocess: cwd is table"),
            ("dlp.coprocess{'no-such-program'}(1)", "there is no program no-such-program in PATH"),
            ("dlp.coprocess{'cat', cwd = '/no-such'}(1)", "cannot change to /no-such: No such file or directory"),
            ("dlp.coprocess{'cat'}(1, 2)", "coprocess: it takes one value, not 2; put them into a table"),
            ("dlp.coprocess{'cat'}(print)", "cat: value is a function, which JSON has no text for"),
            ("dlp.coprocess{'cat'}{a = {b = print}}", "cat: value.a.b is a function, which JSON has no text for"),
        ])
    func refused(_ text: String, _ says: String) throws {
        let message = try LoneRank().error("\n\(text)").message
        #expect(message.hasPrefix("job.lua:2: \(says)"), "\(message)")
    }

    @Test("is none under --sandbox")
    func sandbox() throws {
        let rank = try LoneRank(isSandboxed: true)
        #expect(
            rank.error("\ndlp.coprocess{'cat'}").message
                == "job.lua:2: coprocess: under --sandbox there are no programs")
    }
}
