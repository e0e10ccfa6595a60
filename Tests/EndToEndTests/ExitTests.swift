import TestSupport
import Testing

/// `os.exit`, at any place in a script.
@Suite(.hangLimit)
struct ExitTests {
    private static let commands = [
        "dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed",
        "ameexec -np 3 dlp-lua --mode round-robin",
        "dlp-lua -np 2 --examples root",
    ]

    /// Scripts with `EXIT` at the place after which they are named.
    private static let places = [
        (name: "top level", script: "EXIT"),
        (name: "examples", script: "function examples() EXIT end function work() end"),
        (name: "setup", script: "function setup() EXIT end function examples() return 20 end function work() end"),
        (name: "work", script: "function examples() return 20 end function work(n) if n > 3 then EXIT end end"),
        (
            name: "work on the root",
            script:
                "function examples() return 500 end function work() os.execute('sleep 0.01') if dlp.IS_ROOT then EXIT end end"
        ),
        (
            name: "work on the last rank",
            script:
                "function examples() return 500 end function work() os.execute('sleep 0.01') if dlp.RANK == dlp.SIZE - 1 then EXIT end end"
        ),
        (
            name: "collect",
            script: "function examples() return 20 end function work(n) return n end function collect() EXIT end"
        ),
        (
            name: "summarize",
            script: "function examples() return 20 end function work(n) return n end function summarize() EXIT end"
        ),
    ]

    @Test("os.exit(3) ends the job with that status, and what was printed is there", arguments: places, commands)
    func three(_ place: (name: String, script: String), _ command: String) throws {
        let scratch = try Scratch(job: place.script.replacing("EXIT", with: "io.write('printed before') os.exit(3)"))
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.status == 3)
        #expect(outcome.output.contains("printed before"))
        #expect(place.name.hasPrefix("work") ? outcome.isExit(3) : outcome.error == "", "\(outcome.error)")
    }

    @Test(
        "os.exit takes what it takes in the stock interpreter",
        arguments: [("true", 0), ("false", 1), ("", 0), ("0", 0), ("42", 42), ("true, true", 0), ("7, true", 7)]
            as [(String, Int32)],
        ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func statuses(_ exit: (argument: String, status: Int32), _ command: String) throws {
        for place in Self.places where ["top level", "work", "summarize"].contains(place.name) {
            let scratch = try Scratch(job: place.script.replacing("EXIT", with: "os.exit(\(exit.argument))"))
            let outcome = try run("\(command) job.lua", in: scratch)
            #expect(outcome.status == exit.status, "\(place.name)")
            // A script that ends a job with status 0 does so on purpose.
            let isTold = place.name == "work" && exit.status != 0
            #expect(isTold ? outcome.isExit(exit.status) : outcome.error == "", "\(place.name): \(outcome.error)")
        }
    }

    @Test("a rank of an imperative script may leave while the others go on", arguments: [0, 1, 2])
    func leave(_ rank: Int) throws {
        let scratch = try Scratch(
            job:
                "if dlp.RANK == \(rank) then print('bye') os.exit(0) end os.execute('sleep 0.3') print('alive ' .. dlp.RANK)"
        )
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        let others = (0..<3).filter { $0 != rank }.map { "alive \($0)" }
        #expect(outcome.lines.sorted() == others + ["bye"])
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "an infinite iterator ends when the script exits",
        arguments: [
            "function work(n) return n end function collect(n) if n >= 1000 then print('end') os.exit(5) end end",
            "function work(n) return n end function collect() end LIMIT = 1000",
            "function work(n) if n > 1000 and dlp.RANK == dlp.SIZE - 1 then print('end') os.exit(5) end end function collect() end",
        ],
        [
            "dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed",
            "ameexec -np 3 dlp-lua --chunk 1 --root-works no",
        ])
    func infinite(_ rest: String, _ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples()
                  local n = 0
                  return function() n = n + 1 if n == LIMIT then print("end") os.exit(5) end return n end
                end
                \(rest)
                """)
        // Where results stay on the ranks until the end, there is nothing to collect before it.
        if command.contains("managed") && rest.contains("n >= 1000") { return }
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.status == 5)
        #expect(outcome.output == "end\n")
        #expect(rest.contains("(n) if n > 1000") ? outcome.isExit(5) : outcome.error == "", "\(outcome.error)")
    }

    @Test("what is left of a file of results is not empty, and is told", arguments: places, commands)
    func leftover(_ place: (name: String, script: String), _ command: String) throws {
        let scratch = try Scratch(job: place.script.replacing("EXIT", with: "os.exit(3)"))
        let outcome = try run("\(command) --output out.jsonl job.lua", in: scratch)
        let partial = scratch.read("out.jsonl.partial")
        let isTold = outcome.error.contains("dlp-lua: what there is of the results is in out.jsonl.partial\n")
        #expect(outcome.status == 3 && partial != "" && isTold == (partial != nil), "\(outcome.error)")
    }

    @Test("who called os.exit in work is told, and at which example", arguments: ["map", "managed", "round-robin"])
    func who(_ mode: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 100 end
                function work(n)
                  if dlp.IS_ROOT then os.execute("sleep 0.01") end
                  if not dlp.IS_ROOT and n > 5 then here = n io.stderr:write("here ", n, "\\n") os.exit(7) end
                end
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --mode \(mode) job.lua", in: scratch)
        let lines = outcome.error.split(separator: "\n")
        let place = try #require(lines.first { $0.hasPrefix("here ") }).dropFirst(5)
        #expect(
            outcome.complaints
                == ["dlp-lua: work called os.exit(7) on rank 1, at example \(place): the job ends before all is done"])
        #expect(outcome.status == 7)
    }

    @Test("os.exit(0) in work is told on a terminal")
    func zero() throws {
        let scratch = try Scratch(
            job: "function examples() return 9 end function work(n) if n == 4 then os.exit(0) end return n end")
        let outcome = try run("script -qec", "dlp-lua job.lua", "/dev/null", in: scratch)
        #expect(outcome.output.contains("dlp-lua: work called os.exit(0), at example 4"), "\(outcome.output)")
        #expect(outcome.status == 0)
    }
}

extension Outcome {
    /// Whether standard error is only the line about `os.exit` with that status in `work`.
    fileprivate func isExit(_ status: Int32) -> Bool {
        isOneMessage("dlp-lua", with: "work called os.exit(\(status))", "at example ", "before all is done")
    }
}
