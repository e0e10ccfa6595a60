import TestSupport
import Testing

/// `--timeout`, `--memory` and `--sandbox`.
@Suite(.hangLimit)
struct LimitTests {
    private static let commands = [
        "dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed",
        "ameexec -np 3 dlp-lua --mode round-robin", "dlp-lua -np 2 --root-works no --examples root",
    ]

    /// A job of nine examples that does `body` on the fifth.
    private static func job(_ body: String) -> String {
        "function examples() return 9 end\nfunction work(n)\nif n == 5 then \(body) end\nreturn n\nend"
    }

    @Test("an example that takes too long fails as one whose work raises", arguments: commands)
    func timeout(_ command: String) throws {
        let scratch = try Scratch(job: Self.job("while true do pcall(function() while true do end end) end"))
        let outcome = try run("\(command) --timeout 1 job.lua", in: scratch)
        #expect(
            outcome.isOneMessage("dlp-lua", with: "example 5 failed", "job.lua:3: the example takes longer than"),
            "\(outcome.error)")
        #expect(outcome.error.contains("--timeout allows, 1 s") && outcome.status == 1)
    }

    @Test("the other examples are done where the job goes on after errors", arguments: commands)
    func goesOn(_ command: String) throws {
        let scratch = try Scratch(job: Self.job("while true do end"))
        let outcome = try run("\(command) --timeout 1 --on-error continue job.lua", in: scratch)
        #expect(outcome.lines == ["1", "2", "3", "4", "null", "6", "7", "8", "9"], "\(outcome.error)")
        #expect(outcome.status == 4)
    }

    @Test("many examples that end about when their time is up do no harm to each other")
    func race() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 60 end
                function work(n)
                  local start, limit = os.clock(), n % 3 == 0 and 0.012 or n % 3 == 1 and 0.0105 or 0
                  repeat until os.clock() - start >= limit
                  return n
                end
                function summarize(results)
                  for i = 2, results.n, 3 do assert(results[i] == i) end
                  for i = 1, results.n do
                    local error = results.errors and results.errors[i]
                    assert(results[i] == i or error.message:find("takes longer than --timeout allows, 0.01 s", 1, true))
                  end
                  print("all there")
                end
                """)
        // On a busy machine, even trivial examples may take ten milliseconds; then they fail rightly.
        let outcome = try run("dlp-lua --timeout 0.01 --on-error continue --retries 5 job.lua", in: scratch)
        #expect(outcome.output == "all there\n", "\(outcome.error)")
    }

    @Test("on the root a C function that takes too long ends the job, with its example")
    func inCOnRoot() throws {
        let scratch = try Scratch(job: Self.job("string.find(('a'):rep(40), ('.-'):rep(20) .. 'b')"))
        let outcome = try run("dlp-lua --timeout 1 job.lua", in: scratch)
        #expect(
            outcome.isOneMessage(
                "dlp-lua", with: "example 5 failed: it takes longer than --timeout allows, in a C function"),
            "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test(
        "elsewhere the example has failed, the rank is given up, and no other one is tried",
        arguments: ["map --chunk 1", "map --chunk 9", "managed", "round-robin"])
    func inC(_ mode: String) throws {
        let scratch = try Scratch(job: Self.job("string.find(('a'):rep(40), ('.-'):rep(20) .. 'b')"))
        let outcome = try run(
            "ameexec -np 4 dlp-lua --root-works no --timeout 1 --on-error continue --mode \(mode) job.lua", in: scratch)
        #expect(outcome.lines == ["1", "2", "3", "4", "null", "6", "7", "8", "9"], "\(outcome.error)")
        let losses = outcome.complaints.filter { $0.contains("lost rank ") }
        #expect(losses.count == 1 && losses[0].contains("example 5 does not come back there"), "\(outcome.error)")
        #expect(outcome.error.contains("example 5 failed on rank") && outcome.error.contains("in a C function"))
        #expect(outcome.status == 4)
    }

    @Test("elsewhere, too, it ends the job with its example where failures do")
    func inCElsewhere() throws {
        let scratch = try Scratch(job: Self.job("string.find(('a'):rep(40), ('.-'):rep(20) .. 'b')"))
        let outcome = try run("ameexec -np 3 dlp-lua --root-works no --timeout 1 job.lua", in: scratch)
        #expect(
            outcome.isOneMessage("dlp-lua", with: "example 5 failed on rank", "in a C function"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test("a rank that is stopped before rank 0 is in the loop is lost, too")
    func stoppedEarly() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 3 end
                function work(n)
                  if dlp.RANK == 1 then os.execute("kill -STOP $PPID") end
                  return n
                end
                function summarize(results) print(#results) end
                """)
        let outcome = try run(
            "ameexec -np 2 dlp-lua --timeout 1 --progress on job.lua", in: scratch,
            environment: SlowRoot.environment(in: scratch))
        #expect(outcome.status == 0 && outcome.output == "3\n", "\(outcome.error)")
        #expect(outcome.error.contains("lost rank 1 (host "), "\(outcome.error)")
    }

    @Test("a rank that is stopped when the others want its results is lost, and they do its examples")
    func stoppedWithResults() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 2 end
                local function wait(name) while not io.open(name) do os.execute("sleep 0.05") end end
                function work(n)
                  if dlp.IS_ROOT then
                    io.open("root", "w"):close()
                    wait("stopped")
                  else
                    wait("root")
                    os.execute("(sleep 1; kill -STOP $PPID; : >stopped) >/dev/null 2>&1 &")
                  end
                  return n
                end
                function summarize(results) print(#results) end
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --timeout 10 --mode managed --chunk 1 job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.output == "2\n", "\(outcome.error)")
        #expect(outcome.isOneMessage("dlp-lua", with: "lost rank 1 (host ", "does not answer"), "\(outcome.error)")
    }

    @Test("memory that is not there is the example's error, and the rank goes on", arguments: commands)
    func memory(_ command: String) throws {
        let scratch = try Scratch(job: Self.job("local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end"))
        var outcome = try run("\(command) --memory 16M job.lua", in: scratch)
        #expect(
            outcome.isOneMessage(
                "dlp-lua", with: "example 5 failed", "not enough memory: --memory allows this rank 16M"),
            "\(outcome.error)")
        #expect(outcome.status == 1)
        outcome = try run("\(command) --memory 16M --on-error continue job.lua", in: scratch)
        #expect(outcome.lines == ["1", "2", "3", "4", "null", "6", "7", "8", "9"], "\(outcome.error)")
        #expect(outcome.status == 4)
    }

    @Test("the script's own limits count from when it is loaded, the command line's from the beginning")
    func scriptLimits() throws {
        let own = "dlp.options = {memory = '16M', timeout = 1} local s = ('x'):rep(32 << 20)\n"
        var scratch = try Scratch(job: own + Self.job("local s = ('x'):rep(32 << 20)"))
        var outcome = try run("dlp-lua job.lua", in: scratch)
        #expect(outcome.error.contains("example 5 failed: not enough memory"), "\(outcome.error)")
        outcome = try run("dlp-lua --memory 32M job.lua", in: scratch)
        #expect(outcome.error == "dlp-lua: not enough memory: --memory allows this rank 32M\n")
        scratch = try Scratch(job: own + Self.job("while true do end"))
        outcome = try run("dlp-lua job.lua", in: scratch)
        #expect(outcome.error.contains("--timeout allows, 1 s"), "\(outcome.error)")
    }

    @Test(
        "the sandbox keeps files and programs from the script",
        arguments: ["io.write('x')", "os.execute('true')", "require('cjson')", "debug.getinfo(1)", "dofile('job.lua')"])
    func sandbox(_ statement: String) throws {
        let scratch = try Scratch(job: "\n\n\(statement)")
        for command in ["dlp-lua", "ameexec -np 2 dlp-lua"] {
            let outcome = try run("\(command) --sandbox job.lua", in: scratch)
            #expect(outcome.isOneMessage("dlp-lua", with: "job.lua:3: "), "\(outcome.error)")
            #expect(outcome.status == 1 && outcome.output == "")
        }
    }

    @Test("a job in the sandbox is a job like any other", arguments: commands)
    func sandboxed(_ command: String) throws {
        let scratch = try Scratch(job: Self.job("print(dlp.RANK >= 0)") + " function summarize(r) print(#r) end")
        let outcome = try run("\(command) --sandbox job.lua", in: scratch)
        #expect(
            outcome.lines.sorted() == ["9", "true"] && outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test(
        "the script cannot leave the sandbox by its options",
        arguments: [
            ("sandbox = false", "sandbox"), ("output = 'stolen.csv'", "output"), ("journal = 'stolen.db'", "journal"),
            ("fresh = true", "fresh"), ("backend = 'none'", "backend"),
        ])
    func options(_ option: String, _ name: String) throws {
        let scratch = try Scratch(job: "dlp.options = {\(option)} function examples() return 1 end work = print")
        let outcome = try run("dlp-lua --sandbox job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "dlp.options", name), "\(outcome.error)")
        #expect(outcome.status == 2 && scratch.names == ["job.lua"])
    }

    @Test(
        "limits that are none are refused", arguments: ["--timeout 0", "--timeout soon", "--memory 12X", "--memory 0"])
    func usage(_ option: String) throws {
        let outcome = try run("dlp-lua \(option) -e x=1")
        #expect(outcome.isOneMessage("dlp-lua", with: "must be a number of"), "\(outcome.error)")
        #expect(outcome.status == 2)
    }
}
