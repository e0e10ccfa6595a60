import Glibc
import TestSupport
import Testing

/// Jobs whose work is done by programs that live as long as the ranks.
@Suite("A coprocess", .hangLimit)
struct CoprocessTests {
    private static let worker = """
        from dlp_worker import serve
        import os, time

        def inner(x):
            raise ValueError("no %d" % x)

        def work(x):
            print("at", x)
            os.system("echo child %d" % x)
            return inner(x) if x == 3 else {"square": x * x, "none": [None, x / 2]}

        serve(work)
        """

    private static let job = """
        local co = dlp.coprocess{"python3", "worker.py"}
        function examples() return 4 end
        function work(x) return co(x) end
        """

    /// A directory with a job and its worker in Python.
    private func scratch(_ job: String = job, _ worker: String = worker) throws -> Scratch {
        let scratch = try Scratch(job: job)
        try scratch.write("worker.py", worker)
        return scratch
    }

    @Test(
        "does the work, what it prints stays apart, and its exceptions are those of examples",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua", "mpiexec.hydra -n 2 dlp-lua"])
    func works(_ command: String) throws {
        let outcome = try run("\(command) --on-error continue job.lua", in: scratch())
        #expect(
            outcome.lines == [
                #"{"none":{"2":0.5,"n":2},"square":1}"#, #"{"none":{"2":1.0,"n":2},"square":4}"#, "null",
                #"{"none":{"2":2.0,"n":2},"square":16}"#,
            ])
        #expect(outcome.status == 4)
        for part in ["at 1\n", "child 4\n", "python3 worker.py: ValueError: no 3 ...\n"] {
            #expect(outcome.error.contains(part), "\(outcome.error)")
        }
        let stopped = try LostWords.mayGo(LostWords(command: command)) { try run("\(command) job.lua", in: scratch()) }
        #expect(stopped.status == 1 && stopped.error.contains("line 5, in inner\n"), "\(stopped.error)")
    }

    @Test("finds its other side where it was installed")
    func installed() throws {
        let script = """
            \(Program.scripts)/install "$PWD/there" >/dev/null
            PYTHONPATH=/some/where there/bin/dlp-lua job.lua
            rm -r there
            """
        let worker = """
            from dlp_worker import serve
            import os, sys
            serve(lambda x: ["/some/where" in sys.path, os.path.exists(os.environ["DLP_WORKER_R"])])
            """
        let job = Self.job.replacing("4", with: "1")
        let outcome = try run("bash -euo pipefail -c", script, in: scratch(job, worker))
        #expect(outcome.output == "[true,true]\n" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("is started by ranks that call it, and by no other")
    func lazy() throws {
        let worker = """
            from dlp_worker import serve
            import os
            open("started.%d" % os.getpid(), "w")
            serve(lambda x: x)
            """
        let scratch = try scratch(Self.job, worker)
        let outcome = try run("ameexec -np 3 dlp-lua --chunk 4 --root-works no job.lua", in: scratch)
        #expect(outcome.lines == ["1", "2", "3", "4"] && outcome.error == "" && outcome.status == 0)
        #expect(scratch.names.count { $0.hasPrefix("started.") } == 1)
    }

    @Test("thousands of calls leave no more behind than one does")
    func calls() throws {
        let job = """
            local function count(command)
              assert(os.execute("(" .. command .. ") >count"))
              for line in io.lines("count") do return tonumber(line) end
            end
            local function descriptors() return count("ls /proc/$PPID/fd | wc -l") end
            local function children() return count("ps --ppid $PPID --no-headers | wc -l") end
            local function resident() return count("awk '/VmRSS/ {print $2}' /proc/$PPID/status") end
            local open, none = descriptors(), children()
            local co = dlp.coprocess{"python3", "worker.py"}
            co(1)
            local used, memory = descriptors(), resident()
            for i = 1, 10000 do assert(co(i) == i) end
            for i = 1, 20 do pcall(co, -1) end
            co(1)
            assert(descriptors() == used and children() == none + 1)
            assert(resident() < memory + 20000, "memory grows")
            co:close()
            assert(descriptors() == open and children() == none, children())
            print("done")
            """
        let worker = """
            from dlp_worker import serve
            import os
            serve(lambda x: x if x > 0 else os._exit(1))
            """
        let outcome = try run("dlp-lua job.lua", in: scratch(job, worker))
        #expect(outcome.output == "done\n" && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("what it takes of a processor counts for its example, and only there")
    func processorTime() throws {
        let worker = """
            from dlp_worker import serve
            import time

            def work(x):
                end = time.process_time() + (0.5 if x == 2 else 0)
                while time.process_time() < end: pass

            serve(work)
            """
        let scratch = try scratch(Self.job, worker)
        #expect(try run("dlp-lua --chunk 1 --journal run.db job.lua", in: scratch).status == 0)
        let outcome = try run(
            "sqlite3 run.db", "select example, cpu >= 0.5, cpu < 5 from results order by 1", in: scratch)
        #expect(outcome.lines.dropFirst() == ["2|1|1", "3|0|1", "4|0|1"], "\(outcome.output)\(outcome.error)")
    }

    @Test(
        "that takes longer than --timeout is ended with its example, and the rank goes on with a new one",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua --mode managed"])
    func late(_ command: String) throws {
        let job = Self.job.replacing(
            #""python3", "worker.py""#, with: #""sh", "-c", "while read n; do [ $n != 2 ] || sleep 600; echo $n; done""#
        )
        let outcome = try run("\(command) --timeout 5 --on-error continue --chunk 1 job.lua", in: Scratch(job: job))
        #expect(outcome.lines == ["1", "null", "3", "4"])
        #expect(outcome.status == 4 && !outcome.error.contains("lost"), "\(outcome.error)")
        #expect(outcome.error.contains("takes longer than --timeout allows, 5 s"), "\(outcome.error)")
    }

    /// A coprocess that does not answer in time.
    private static let waits = "dlp.coprocess{'sh', '-c', PROGRAM}(1)"

    @Test("Ctrl-C ends a job whose ranks wait for answers, and nothing is left", arguments: WaitingJob.calls)
    func interrupt(_ call: WaitingJob.Call) throws {
        try WaitingJob.interrupt(call, WaitingJob.script, waits: Self.waits)
    }

    @Test("an example whose coprocess SIGTERM has ended, too, stays undone", arguments: WaitingJob.calls)
    func terminate(_ call: WaitingJob.Call) throws {
        try WaitingJob.terminate(call, mode: "map", waits: "pcall(function() \(Self.waits) end)")
    }

    @Test("SIGTERM lets examples finish that wait for answers", arguments: WaitingJob.calls)
    func finish(_ call: WaitingJob.Call) throws {
        try WaitingJob.finish(
            call,
            waits: #"assert(dlp.coprocess{'sh', '-c', 'trap "" TERM; (' .. PROGRAM .. '); echo 1; read line'}(1) == 1)"#
        )
    }

    @Test("nothing is left of one when its rank is killed, whether it is at work or not", arguments: ["1", "2"])
    func killed(_ example: String) throws {
        let job = """
            local co = dlp.coprocess{"python3", "worker.py"}
            function examples() return {\(example)} end
            function work(x) co(x) io.open("idle", "w"):close() repeat until false end
            """
        let worker = """
            from dlp_worker import serve
            import signal, time

            def work(x):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                if x == 2:
                    open("busy", "w")
                    time.sleep(600)

            serve(work)
            """
        let launched = try Launched(["dlp-lua", "job.lua"], in: scratch(job, worker))
        try launched.reaches("it is there") {
            launched.scratch.names.contains(example == "1" ? "idle" : "busy")
        }
        launched.signal(SIGKILL)
        #expect(try launched.finish().status == 137)
    }

    @Test("in R gets the values that are sent, and the script those that come back")
    func inR() throws {
        let job = """
            local function same(a, b)
              if type(a) ~= "table" or type(b) ~= "table" then
                return math.type(a) == math.type(b) and (a == b or a ~= a and b ~= b)
              end
              for key, value in pairs(a) do if not same(value, b[key]) then return false end end
              for key in pairs(b) do if a[key] == nil then return false end end
              return true
            end
            local co = dlp.coprocess{"Rscript", "worker.R"}
            local long = {}
            for i = 1, 10000 do long[i] = i + 0.5 end
            for i, value in ipairs{
              true, 1, -2147483647, 2.0, 0.1, -1e300, math.huge, -math.huge, 0/0, "", "a\\u{e9}\\u{1f600} \\"\\\\\\n\\t\\1",
              {1, 2, 3}, {1.5, 2.0}, {"a", "b\\n"}, {true, false}, {1, nil, 3, n = 3}, {"a", {1, 2}, {b = "c"}}, {{}, {}},
              {a = 1, b = {c = {1, 2}}}, {[""] = "x"}, ("x"):rep(1000000), long,
            } do
              local back = co{"echo", value}
              assert(same(back, value), i)
            end
            assert(co{"echo", nil, n = 2} == nil)
            assert(math.type(co{"echo", 1 << 40}) == "float" and co{"echo", 1 << 40} == 2.0 ^ 40)
            assert(same(co{"eval", "matrix(1:4, 2)"}, {{1, 3}, {2, 4}}) and same(co{"eval", "I(5)"}, {5.0}))
            assert(same(co{"eval", "data.frame(x = 1:2, y = c('a', NA))"}, {x = {1, 2}, y = {"a", n = 2}}))
            assert(same(co{"eval", "c(a = 1, b = 2)"}, {a = 1.0, b = 2.0}) and co{"eval", "factor('f')"} == "f")
            assert(co{"eval", "{print('printed'); 1L}"} == 1)
            for text, says in pairs{
              ["f <- function(x) stop('bad ', x); f(2)"] = "bad 2\\nCalls, the innermost last:\\n", ["quote(x)"] = "cannot go back",
            } do
              local ok, message = pcall(co, {"eval", text})
              assert(not ok and message:find("Rscript worker.R: ", 1, true) and message:find(says, 1, true), message)
            end
            local ok, message = pcall(co, {"eval", "quit(status = 7)"})
            assert(not ok and message:find("ended with status 7, and has not answered"), message)
            print(co{"echo", "done"})
            """
        let scratch = try Scratch(job: job)
        try scratch.write(
            "worker.R",
            """
            source(Sys.getenv("DLP_WORKER_R"))
            serve(function(x) if (x[[1]] == "echo") x[[2]] else eval(parse(text = x[[2]])))

            """)
        let outcome = try run("dlp-lua job.lua", in: scratch)
        #expect(outcome.output == "done\n" && outcome.status == 0, "\(outcome.error)")
        #expect(outcome.error == "[1] \"printed\"\n")
    }
}
