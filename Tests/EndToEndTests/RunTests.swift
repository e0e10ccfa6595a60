import Glibc
import TestSupport
import Testing

/// `dlp.run` and `dlp.sleep` in jobs that are ended, and the processes that are left.
@Suite(.hangLimit)
struct RunTests {
    private static let waits = [
        "dlp.run{'sh', '-c', 'echo $PPID >rank.' .. dlp.RANK .. '; sleep 600; sleep 600'}",
        "pcall(dlp.run, {'sh', '-c', 'echo $PPID >rank.' .. dlp.RANK .. '; exec sleep 600', check = true})",
        "dlp.run{'sh', '-c', 'echo $PPID', stdout = {file = 'rank.' .. dlp.RANK}} dlp.sleep(600)",
    ]
    @Test(
        "Ctrl-C ends a job whose ranks wait, its programs, and nothing goes on from what it did to these",
        arguments: WaitingJob.calls, [WaitingJob.script, "wait() dlp.barrier() print('never')"])
    func interrupt(_ call: WaitingJob.Call, _ script: String) throws {
        for waits in Self.waits { try WaitingJob.interrupt(call, script, waits: waits) }
    }

    @Test(
        "an example whose program SIGTERM has ended, too, stays undone", arguments: WaitingJob.calls,
        ["map", "managed", "round-robin", "map --on-error continue"])
    func terminate(_ call: WaitingJob.Call, _ mode: String) throws {
        // A program that handles the signal ends in its own way.
        let heeds = """
            local script = "trap 'exit 1' TERM; echo $PPID >rank.$0; while :; do sleep 0.05; done"
            dlp.run{"sh", "-c", script, dlp.RANK, check = true}
            """
        for waits in Self.waits.prefix(2) + [heeds] {
            try WaitingJob.terminate(call, mode: mode, waits: waits)
        }
    }

    @Test("a program that SIGTERM does not reach may finish with its example", arguments: WaitingJob.calls)
    func finish(_ call: WaitingJob.Call) throws {
        try WaitingJob.finish(
            call,
            waits: "dlp.run{'sh', '-c', 'trap \"\" TERM; echo $PPID >rank.' .. dlp.RANK .. '; sleep 0.7', check = true}"
        )
    }

    @Test(
        "an example that takes longer than --timeout fails as any other, and its rank lives on",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua --mode managed", "ameexec -np 2 dlp-lua --root-works no"],
        [
            "dlp.run{'sleep', 600}", "pcall(dlp.run, {'sh', '-c', 'sleep 600; sleep 600'})", "dlp.sleep(600)",
            "dlp.run{'sh', '-c', 'trap \"\" TERM; sleep 600; sleep 600', stdin = ('x'):rep(1 << 20), check = true}",
            "while true do pcall(dlp.run, {'sleep', 0.01}) end",
        ])
    func late(_ command: String, _ waits: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 9 end
                function work(n)
                  if n == 5 then \(waits) end
                  return n
                end
                """)
        let outcome = try run("\(command) --timeout 0.5 --on-error continue --chunk 1 job.lua", in: scratch)
        #expect(outcome.lines == ["1", "2", "3", "4", "null", "6", "7", "8", "9"])
        #expect(outcome.status == 4 && !outcome.error.contains("lost"), "\(outcome.error)")
        #expect(outcome.error.contains("longer than --timeout allows, 0.5 s"), "\(outcome.error)")
    }

    @Test(
        "programs and pauses end with the job", arguments: ["dlp-lua -np 2", "mpiexec.hydra -n 2 dlp-lua"],
        [
            "os.execute('touch waits; sleep 600; sleep 600')",
            "dlp.run{'sh', '-c', 'touch waits; sleep 600; sleep 600'}", "dlp.run{'touch', 'waits'} dlp.sleep(600)",
        ])
    func jobEnds(_ command: String, _ waits: String) throws {
        let job = """
            function examples() return 2 end
            function work(n)
              if n == 1 then \(waits) end
              repeat until io.open("waits")
              error("boom")
            end
            """
        let outcome = try LostWords.mayGo(LostWords(command: command)) {
            try run("\(command) --mode managed --chunk 1 job.lua", in: Scratch(job: job))
        }
        #expect(outcome.error.contains("example 2 failed") && outcome.output == "", "\(outcome.error)")
    }

    @Test("2,000 runs leave no process, descriptor or memory behind, however they end")
    func many() throws {
        let job = """
            local pid = io.open("/proc/self/stat"):read("n")
            local function lines(path)
              -- Its input ends when all that this rank opens for it alone is closed.
              local names = dlp.run{"sh", "-c", "cat >&2; ls $0", path, stdin = "x", check = true}.stdout
              return select(2, names:gsub("\\n", ""))
            end
            local function state()
              collectgarbage()
              collectgarbage()
              local resident = io.open("/proc/self/status"):read("a"):match("VmRSS:%s*(%d+)")
              local children = io.open(("/proc/%d/task/%d/children"):format(pid, pid)):read("a")
              return lines(("/proc/%d/fd"):format(pid)), tonumber(resident), children
            end
            local function some(count)
              for i = 1, count do
                assert(dlp.run{"true"}.status == 0)
                if i % 50 == 0 then
                  assert(not pcall(dlp.run, {"no-such-program", stdin = "x"}))
                  assert(not pcall(dlp.run, {"true", cwd = "/no-such", stderr = {file = "/dev/null"}}))
                  assert(not pcall(dlp.run, {"true", stdout = {file = "/no-such/x"}}))
                  assert(dlp.run{"false", stdin = ("x"):rep(1e5), stderr = "stdout"}.status == 1)
                  assert(#dlp.run{"head", "-c", 100000, "/dev/zero", stderr = "discard"}.stdout == 100000)
                end
                if i % 100 == 0 then dlp.run{"sleep", 600, timeout = 0.01} end
              end
            end
            some(100)
            local descriptors, resident = state()
            some(2000)
            local after, grown, children = state()
            print(after - descriptors, children, grown - resident < 4000 or grown - resident)
            """
        let outcome = try run("dlp-lua job.lua", in: Scratch(job: job))
        #expect(outcome.output == "0\t\ttrue\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "a program has neither the job's key nor its sockets nor the rank's standard input", arguments: WaitingJob.calls
    )
    func secrets(_ call: WaitingJob.Call) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 2 end
                function work()
                  local env = dlp.run{"env"}.stdout
                  return {env:match("AME_%w*") or env:match("PMI_FD") or "no key", dlp.run{"ls", "/proc/self/fd"}.stdout,
                    dlp.run{"cat"}.stdout}
                end
                """)
        let outcome = try run("\(call.command) job.lua", in: scratch, input: "ours\n")
        #expect(outcome.lines == Array(repeating: #"["no key","0\n1\n2\n3\n",""]"#, count: 2))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("what a program inherits comes where the script's own prints do, and in their order")
    func inherits() throws {
        let outcome = try run(
            "dlp-lua -e",
            """
            io.write("before ")
            dlp.run{"sh", "-c", "echo within; echo told >&2", stdout = "inherit", stderr = "inherit"}
            print("after")
            """)
        #expect(outcome.output == "before within\nafter\n" && outcome.error == "told\n" && outcome.status == 0)
    }

    @Test("runs while a script is loaded, in setup, examples, work, collect and summarize", arguments: WaitingJob.calls)
    func everywhere(_ call: WaitingJob.Call) throws {
        let scratch = try Scratch(
            job: """
                local function say(word) return dlp.run{"echo", word, check = true}.stdout:match("%a+") end
                local loaded, set, collected = say("load")
                function setup() set = say("setup") end
                function examples() return {say("example"), say("another")} end
                function work(word) return loaded .. set .. say(word) end
                function collect(result) collected = say("collect") end
                function summarize(results) print(results[1], results[2], collected, say("summarize")) end
                """)
        let outcome = try run("\(call.command) job.lua", in: scratch)
        #expect(outcome.output == "loadsetupexample\tloadsetupanother\tcollect\tsummarize\n", "\(outcome.output)")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a program that writes more than --memory allows fails its example, and no other")
    func memory() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 4 end
                function work(n) return #dlp.run{"head", "-c", n == 2 and 1 << 30 or 1 << 20, "/dev/zero"}.stdout end
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --memory 16M --on-error continue job.lua", in: scratch)
        #expect(outcome.lines == ["1048576", "null", "1048576", "1048576"] && outcome.status == 4)
        #expect(outcome.error.contains("not enough memory"), "\(outcome.error)")
    }

    @Test(
        "works where whoever started the rank left it in a strange state",
        arguments: [
            "env --ignore-signal=CHLD", "env --ignore-signal=PIPE", "env --block-signal=CHLD,TERM,PIPE,URG",
            "sh -c 'exec \"$@\" <&- ' sh", "sh -c 'exec \"$@\" 2>&- <&-' sh",
        ])
    func strange(_ prefix: String) throws {
        let script = """
            local r = dlp.run{"sh", "-c", "echo out; echo err >&2; cat; exit 3", stdin = ("x"):rep(9)}
            local late = dlp.run{"sleep", 600, timeout = 0.05}
            print(r.stdout, r.stderr, r.status, late.timed_out, dlp.run{"true", stdin = ("x"):rep(1 << 20)}.status)
            """
        let outcome = try run("bash -c", "\(prefix) dlp-lua -e \"$0\"", script)
        #expect(outcome.output == "out\nxxxxxxxxx\terr\n\t3\ttrue\t0\n" && outcome.status == 0, "\(outcome)")
    }

    @Test("a program that heeds no SIGTERM ends with an interrupted job", arguments: WaitingJob.calls)
    func deaf(_ call: WaitingJob.Call) throws {
        let job = try WaitingJob(
            call.command, call.ranks,
            waits: """
                local script = "trap '' TERM INT; echo $PPID >rank.$0; sleep 600; sleep 600"
                dlp.run{"sh", "-c", script, dlp.RANK}
                """)
        job.launched.signal(SIGINT)
        let outcome = try job.launched.finish()
        #expect(outcome.isOneMessage("dlp-lua", with: "interrupted after 0 of 100 examples"), "\(outcome.error)")
        #expect(!job.hasGoneOn && outcome.status == 130)
    }
}
