import TestSupport
import Testing

/// Examples that fail, and a job that goes on, or tries again.
@Suite(.hangLimit)
struct FailureTests {
    private static let arrangements = [
        "dlp-lua", "dlp-lua --mode managed", "dlp-lua --mode round-robin",
        "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed", "ameexec -np 3 dlp-lua --mode round-robin",
        "ameexec -np 4 dlp-lua --chunk 7 --examples root",
        "ameexec -np 4 dlp-lua --mode managed --examples root --root-works no",
        "ameexec -np 4 dlp-lua --mode round-robin --examples root --root-works no",
    ]

    /// Every seventh of 100 examples fails.
    ///
    /// Its message shows a random number, which must not depend on the rank that tries it.
    private static let job = """
        function examples() return 100 end
        function work(n)
          local drawn = math.random(1000000)
          if n % 7 == 0 then error("no " .. n .. " " .. drawn) end
          return {n, drawn}
        end
        function summarize(results)
          for n = 1, results.n do
            local failure = results.errors and results.errors[n]
            if failure then
              print(n, results[n], failure.message, failure.attempts, (failure.traceback:gsub("\\n", "|")))
            else
              print(n, results[n][1], results[n][2])
            end
          end
        end
        """

    @Test("results and errors are the same on any number of ranks and in every mode", arguments: arrangements, [0, 2])
    func same(_ arrangement: String, _ retries: Int) throws {
        let scratch = try Scratch(job: Self.job)
        let options = "--on-error continue --retries \(retries)"
        let expected = try run("dlp-lua \(options) job.lua", in: scratch)
        #expect(expected.lines.count == 100 && expected.lines[6].hasPrefix("7\tnil\tjob.lua:4: no 7 "))
        #expect(expected.lines[6].contains("\t\(retries + 1)\tstack traceback:|"))
        let outcome = try run("\(arrangement) \(options) job.lua", in: scratch)
        #expect(outcome.output == expected.output)
        #expect(
            outcome.isOneMessage(
                "dlp-lua", with: "14 of 100 examples failed", "example 7 (job.lua:4: no 7 ", "results.errors"),
            "\(outcome.error)")
        #expect(outcome.status == 4)
    }

    @Test("the script may say what becomes of failures, and errors are nil where there are none")
    func scriptOptions() throws {
        let scratch = try Scratch(
            job: """
                dlp.options = {on_error = "continue", retries = 1}
                function examples() return 3 end
                function work(n) if n == tonumber(arg[1]) then error("no") end return n end
                function summarize(results) print(results.errors and results.errors[2].attempts) end
                """)
        let failing = try run("ameexec -np 2 dlp-lua job.lua 2", in: scratch)
        #expect(failing.output == "2\n" && failing.status == 4)
        let clean = try run("ameexec -np 2 dlp-lua job.lua 4", in: scratch)
        #expect(clean.output == "nil\n" && clean.status == 0 && clean.error == "")
        let stopped = try run("ameexec -np 2 dlp-lua --on-error stop job.lua 2", in: scratch)
        #expect(stopped.output == "" && stopped.status == 1)
    }

    @Test("a failed example's line is null, and the first ten are listed", arguments: arrangements)
    func lines(_ arrangement: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() return 30 end function work(n) if n % 2 == 0 then error('odd\\nmore') end return n end"
        )
        let outcome = try run("\(arrangement) --on-error continue job.lua", in: scratch)
        #expect(outcome.lines == (1...30).map { $0 % 2 == 0 ? "null" : "\($0)" })
        let lines = outcome.error.split(separator: "\n")
        try #require(lines.count == 12, "\(outcome.error)")
        for (number, line) in lines.prefix(10).enumerated() {
            #expect(line.hasPrefix("dlp-lua: example \(2 * number + 2) failed") && line.contains("job.lua:1: odd"))
        }
        #expect(lines[10] == "dlp-lua: and 5 more")
        #expect(lines[11].hasPrefix("dlp-lua: 15 of 30 examples failed, first example 2 (job.lua:1: odd"))
        #expect(outcome.status == 4)
    }

    @Test(
        "files keep a row for each example",
        arguments: [
            ("jsonl", "[1]\nnull\n[3]\n"), ("json", "[\n[1]\n,\nnull\n,\n[3]\n]\n"),
            ("csv", "index,1\r\n1,1\r\n2,\r\n3,3\r\n"),
        ], ["dlp-lua", "ameexec -np 3 dlp-lua --mode round-robin", "ameexec -np 3 dlp-lua --mode managed"])
    func files(_ file: (format: String, text: String), _ command: String) throws {
        let scratch = try Scratch(
            job: "function examples() return 3 end function work(n) if n == 2 then error('no') end return {n} end")
        let outcome = try run("\(command) --on-error continue --output results.\(file.format) job.lua", in: scratch)
        #expect(outcome.status == 4)
        #expect(scratch.read("results.\(file.format)")?.filter { $0 != "\n" } == file.text.filter { $0 != "\n" })
    }

    @Test("collect is not called for what failed", arguments: arrangements)
    func collect(_ arrangement: String) throws {
        let scratch = try Scratch(
            job: """
                function work(line, n) if n % 3 == 0 then error(line) end return n end
                local sum, lines = 0, ""
                function collect(result, n, line) sum = sum + result lines = lines .. line end
                function summarize(results) print(sum, #lines, results.errors[3].message, results.errors[9].attempts) end
                """)
        let outcome = try run(
            "\(arrangement.replacing(" --examples root", with: "")) --on-error continue --retries 1 job.lua",
            in: scratch,
            input: "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n")
        #expect(outcome.output == "37\t7\tjob.lua:1: c\t2\n", "\(outcome.error)")
        #expect(outcome.status == 4)
    }

    @Test(
        "what fails once is tried again on another rank, and is then a result like any other",
        arguments: ["map", "managed", "round-robin"])
    func retry(_ mode: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 40 end
                function work(n)
                  local drawn = math.random(1000000)
                  if n % 9 ~= 0 then return {drawn, -1} end
                  local file = io.open("failed." .. n)
                  if file then return {drawn, tonumber(file:read("a")), dlp.RANK} end
                  io.open("failed." .. n, "w"):write(dlp.RANK):close()
                  error("the first time")
                end
                function summarize(results)
                  for n = 1, results.n do
                    assert(results[n][2] ~= results[n][3])
                    print(results[n][1])
                  end
                end
                """)
        let plain = try Scratch(
            job: "function examples() return 40 end function work() return math.random(1000000) end")
        let outcome = try run("ameexec -np 3 dlp-lua --mode \(mode) --retries 1 job.lua", in: scratch)
        #expect(outcome.output == (try run("dlp-lua job.lua", in: plain)).output)
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "without --on-error continue the job ends with the last attempt, whose number is told",
        arguments: [
            "dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed",
            "ameexec -np 3 dlp-lua --mode round-robin", "ameexec -np 3 dlp-lua --root-works no",
        ])
    func stop(_ command: String) throws {
        let scratch = try Scratch(
            job: "function examples() return 50 end function work(n) if n == 17 then error('boom') end return n end")
        let outcome = try run("\(command) --retries 2 job.lua", in: scratch)
        #expect(
            outcome.isOneMessage("dlp-lua", with: "example 17 failed", "after 3 attempts: job.lua:1: boom"),
            "\(outcome.error)")
        #expect(outcome.tracebackCount == 1 && outcome.status == 1)
    }

    @Test("an example that waits for its next attempt holds nobody up")
    func resting() throws {
        // Example 1 fails until all others are done. If an attempt held them up, it would always come too early.
        let scratch = try Scratch(
            job: """
                function examples() return 60 end
                function work(n)
                  if n > 1 then io.open("done." .. n, "w"):close() return n end
                  for other = 2, 60 do
                    local file = io.open("done." .. other)
                    if not file then error("too early") end
                    file:close()
                  end
                  return "last"
                end
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --retries 50 --chunk 1 job.lua", in: scratch)
        #expect(outcome.lines == ["\"last\""] + (2...60).map { "\($0)" })
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "an error in summarize is told beside the failures that led to it",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func summarize(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 3 end
                function work(n) if n == 2 then error("no") end return n end
                function summarize(results) print(results[1] + results[2]) end
                """)
        let outcome = try run("\(command) --on-error continue job.lua", in: scratch)
        #expect(outcome.error.hasPrefix("dlp-lua: 1 of 3 examples failed, first example 2 "), "\(outcome.error)")
        #expect(outcome.error.contains("dlp-lua: summarize() failed"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test("the progress line counts what failed", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua --mode managed"])
    func progress(_ command: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() return 20 end function work(n) if n < 4 then error('no') end end function summarize() end"
        )
        let outcome = try run("\(command) --on-error continue --progress on job.lua", in: scratch)
        #expect(outcome.error.contains("20/20  3 failed"), "\(outcome.error)")
        #expect(outcome.error.contains("; 3 failed"), "\(outcome.error)")
    }

    @Test(
        "an error in a loop of the module ends the job with its message, whoever meets it", arguments: [1, 17, 50],
        [
            "for v in dlp.split_managed(50) do fail(v) end", "for v in dlp.split_round_robin(50) do fail(v) end",
            "dlp.map(fail, 50)", "for _ in dlp.map_unordered(fail, 50) do end",
        ])
    func module(_ element: Int, _ loop: String) throws {
        let scratch = try Scratch(
            job: "function fail(v) if v == \(element) then\nerror('boom') end return v end\n\(loop)\ndlp.barrier()")
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "job.lua:2: boom"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }
}
