import TestSupport
import Testing

/// The costs of examples other than time, in the journal and beside their results.
@Suite("Costs", .hangLimit)
struct CostTests {
    /// The second example holds 200 MB for a moment: a string and the buffer from which it is made.
    ///
    /// All examples take longer than the interval at which memory is sampled.
    private static let job = """
        function examples() return 4 end
        function work(i)
          if i == 2 then
            local s = string.rep("x", 100000000)
            s = nil
          end
          collectgarbage()
          dlp.sleep(0.02)
          return i
        end
        function summarize() end
        """

    private static let launchers: [(String, [String: String])] = [
        ("", [:]), ("ameexec -np 2", [:]),
        ("mpiexec.openmpi --allow-run-as-root --oversubscribe -n 2", ["DLP_BACKEND": "mpi"]),
        ("mpiexec.mpich -n 2", ["DLP_BACKEND": "mpi"]),
    ]

    private func query(_ sql: String, in scratch: Scratch) throws -> [String] {
        let outcome = try run("sqlite3 run.db", sql, in: scratch)
        #expect(outcome.status == 0, "\(outcome.error)")
        return outcome.lines
    }

    @Test(
        "a row has the most memory that was held while at the example, and not what was held before", arguments: 0..<4)
    func peak(_ launcher: Int) throws {
        let (words, environment) = Self.launchers[launcher]
        let scratch = try Scratch(job: Self.job)
        let outcome = try run(
            "\(words) dlp-lua --chunk 1 --journal run.db job.lua", in: scratch,
            environment: Testbed.environment.merging(environment) { $1 })
        #expect(outcome.status == 0, "\(outcome.error)")
        let large = try query("SELECT example, peak > 200000000, peak < 400000000 FROM results ORDER BY 1", in: scratch)
        let all = try query("SELECT * FROM results", in: scratch)
        #expect(large == ["1|0|1", "2|1|1", "3|0|1", "4|0|1"], "\(all)")
    }

    @Test("an example begins after its job, and as long before its end as it took", arguments: 0..<4)
    func order(_ launcher: Int) throws {
        let (words, environment) = Self.launchers[launcher]
        let scratch = try Scratch(job: Self.job)
        let outcome = try run(
            "\(words) dlp-lua --chunk 1 --journal run.db job.lua", in: scratch,
            environment: Testbed.environment.merging(environment) { $1 })
        #expect(outcome.status == 0, "\(outcome.error)")
        // Times are in whole milliseconds.
        let span = "abs(86400 * (julianday(finished) - julianday(started)) - seconds) < 0.0025"
        #expect(try query("SELECT count(*) FROM results WHERE started <= finished AND \(span)", in: scratch) == ["4"])
        let created = "(SELECT value FROM meta WHERE name = 'created')"
        #expect(try query("SELECT count(*) FROM results WHERE started >= \(created)", in: scratch) == ["4"])
    }

    @Test(
        "the memory of a program counts for the example that runs it, and only there",
        arguments: [
            "dlp.run{'sh', '-c', COMMAND, check = true}", "os.execute(COMMAND)", "io.popen(COMMAND):close()",
        ])
    func programs(_ call: String) throws {
        let job = """
            COMMAND = "python3 -c 'b = bytearray(150000000); b[::4096] = b[::4096]'"
            function examples() return 3 end
            function work(i)
              if i == 2 then \(call) end
              dlp.sleep(0.02)
              return i
            end
            function summarize() end
            """
        let scratch = try Scratch(job: job)
        let outcome = try run("dlp-lua --chunk 1 --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 0, "\(outcome.error)")
        let large = try query("SELECT example, peak > 150000000, peak < 400000000 FROM results ORDER BY 1", in: scratch)
        let all = try query("SELECT * FROM results", in: scratch)
        #expect(large == ["1|0|1", "2|1|1", "3|0|1"], "\(all)")
    }

    @Test("the memory of a coprocess counts for the example that it had it for")
    func coprocess() throws {
        let job = """
            local co = dlp.coprocess{"python3", "worker.py"}
            function examples() return 4 end
            function work(i) return co(i) end
            function summarize() end
            """
        let worker = """
            import sys, time
            for line in sys.stdin:
                if int(line) == 2:
                    b = bytearray(150000000)
                    b[::4096] = b[::4096]
                    del b
                time.sleep(0.02)
                sys.stdout.write(line)
                sys.stdout.flush()
            """
        let scratch = try Scratch(job: job)
        try scratch.write("worker.py", worker)
        let outcome = try run("dlp-lua --chunk 1 --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 0, "\(outcome.error)")
        let large = try query("SELECT example, peak > 150000000 FROM results ORDER BY 1", in: scratch)
        let all = try query("SELECT * FROM results", in: scratch)
        #expect(large == ["1|0", "2|1", "3|0", "4|0"], "\(all)")
    }

    @Test(
        "what is asked for stands beside each result, with and without a journal",
        arguments: ["map", "managed", "round-robin"])
    func with(_ mode: String) throws {
        let job = """
            function examples() return 3 end
            function work(i) if i == 2 then error("no") end return {n = i} end
            """
        let scratch = try Scratch(job: job)
        let options =
            "--mode \(mode) --with rank,host,attempts,seconds,peak,started,cpu --on-error continue --retries 1"
        let outcome = try run(
            "ameexec -np 2 dlp-lua \(options) --output out.jsonl --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 4, "\(outcome.error)")
        let shape =
            /{"index":\d,"result":(null|{"n":\d}),"rank":[01],"host":"[^"]+","attempts":[12],"seconds":[0-9.e-]+,"peak":\d+,"started":"20[0-9T:.-]+Z","cpu":[0-9.e-]+}/
        let lines = try #require(scratch.read("out.jsonl")).split(separator: "\n")
        #expect(lines.count == 3 && lines.allSatisfy { $0.wholeMatch(of: shape) != nil }, "\(lines)")
        #expect(lines[1].contains("\"result\":null") && lines[1].contains("\"attempts\":2"), "\(lines)")
        // The journal says the same.
        #expect(
            try run("dlp-lua --results run.db --with rank,host,attempts,seconds,peak --output j.jsonl", in: scratch)
                .status == 0)
        let journal = try #require(scratch.read("j.jsonl")).split(separator: "\n")
        for (live, kept) in zip(lines, journal) { #expect(live.hasPrefix(kept.dropLast()), "\(live) \(kept)") }
        #expect(journal.count == 3)
        // Earlier results are reported as the journal has them.
        let goesOn = try run(
            "ameexec -np 2 dlp-lua \(options) --output on.jsonl --journal run.db job.lua", in: scratch)
        #expect(goesOn.status == 4, "\(goesOn)")
        let again = try #require(scratch.read("on.jsonl")).split(separator: "\n")
        #expect(again.count == 3 && again.allSatisfy { $0.wholeMatch(of: shape) != nil }, "\(again)")
        for place in [0, 2] { #expect(again[place].hasPrefix(journal[place].dropLast()), "\(again) \(journal)") }
        let without = try run("ameexec -np 2 dlp-lua \(options) job.lua", in: scratch)
        #expect(without.lines.count == 3 && without.lines.allSatisfy { $0.wholeMatch(of: shape) != nil }, "\(without)")
        let listed = try run("dlp-lua --results run.db --with attempts,rank", in: scratch)
        let row =
            /{"index":\d,"state":"(done","result":{"n":\d}|failed","error":".*"),"attempts":[12],"rank":[01],"input":\d}/
        #expect(listed.lines.count == 3 && listed.lines.allSatisfy { $0.wholeMatch(of: row) != nil }, "\(listed)")
    }

    @Test(
        "what cannot be written beside results is refused, with what can",
        arguments: [
            ("dlp-lua --with speed --output out.csv job.lua", "seconds, cpu, peak, rank, host, started, attempts"),
            ("dlp-lua --with seconds job.lua", "add --output FILE"),
            ("dlp-lua --plan run.db --with seconds", "--plan has none"),
            ("dlp-lua --results run.db --with seconds --output page.html", "the page page.html has all of it"),
        ])
    func refusals(_ command: String, _ reason: String) throws {
        let outcome = try run(command, in: Scratch(job: Self.job))
        #expect(outcome.status == 2 && outcome.error.contains(reason), "\(outcome)")
    }

    @Test("the summary says which example was the longest, and how much memory was held")
    func summary() throws {
        let job =
            "function examples() return 4 end function work(i) if i == 3 then dlp.sleep(0.2) end end function summarize() end"
        let outcome = try run("ameexec -np 2 dlp-lua --chunk 1 --progress on job.lua", in: Scratch(job: job))
        #expect(outcome.error.contains(/; longest 0\.\d+ s \(example 3\); memory [0-9.]+ MiB/), "\(outcome.error)")
    }

    @Test("the page shows memory, of a job as of its journal")
    func page() throws {
        let scratch = try Scratch(job: Self.job)
        #expect(try run("dlp-lua --chunk 1 --report live.html --journal run.db job.lua", in: scratch).status == 0)
        #expect(try run("dlp-lua --results run.db --output kept.html", in: scratch).status == 0)
        for name in ["live.html", "kept.html"] {
            let page = try #require(scratch.read(name))
            #expect(page.matches(of: /"memory":2\d{8}[,}]/).count == 2, "of the rank, and of the example: \(name)")
        }
    }
}
