import Glibc
import TestSupport
import Testing

/// Ranks that are killed while others go on.
@Suite(.hangLimit)
struct CrashTests {
    private static let modes = [
        "map", "managed", "round-robin", "map --chunk 9", "map --examples root", "managed --examples root",
        "round-robin --examples root", "managed --root-works no",
    ]

    /// Each example leaves a file when it begins, and takes some time, some more than others.
    ///
    /// The last one takes as long as there are ranks to be killed, so that no kill comes too late.
    private static let job = """
        function examples() return 120 end
        function work(n)
          io.open("began." .. n .. "." .. dlp.RANK, "w"):close()
          local drawn, until_then = math.random(1 << 40), os.clock() + 0.002 * (n % 5)
          while os.clock() < until_then do end
          while n == 120 do
            local go = io.open("go")
            if go then go:close() break end
          end
          return {n, drawn, ("x"):rep(n * 10)}
        end
        """

    /// Starts a job of four ranks, and kills `ranks`, each once the given number of examples has begun.
    private func run(_ options: String, in scratch: Scratch, killing ranks: [(rank: Int, after: Int)]) throws -> Outcome
    {
        let words = "ameexec -np 4 dlp-lua \(options) job.lua".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: scratch)
        for (rank, after) in ranks {
            try launched.reaches("\(after) examples have begun") {
                scratch.names.count { $0.hasPrefix("began.") } >= after
            }
            try launched.signal(SIGKILL, rank: rank)
        }
        try scratch.write("go", "")
        return try launched.finish()
    }

    /// Returns the output of the job on one rank that is not killed.
    private func expectedOutput() throws -> String {
        let scratch = try Scratch(job: Self.job)
        try scratch.write("go", "")
        return try EndToEndTests.run("dlp-lua job.lua", in: scratch).output
    }

    private func losses(_ outcome: Outcome) -> [Substring] {
        outcome.error.split(separator: "\n").filter { $0.hasPrefix("dlp-lua: lost rank ") }
    }

    @Test(
        "a job has the results of its plain loop although workers are killed at any moment", arguments: modes,
        UInt64(1)...3)
    func killed(_ mode: String, _ seed: UInt64) throws {
        var generator = seed &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(mode.utf8.count) << 20
        func random(_ range: ClosedRange<Int>) -> Int {
            // A linear congruential generator, by Knuth: the same moments in every run.
            generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return range.lowerBound + Int(generator >> 33) % range.count
        }
        let scratch = try Scratch(job: Self.job)
        let expected = try expectedOutput()
        let first = random(1...3)
        let moment = random(1...60)
        let second = first % 3 + 1
        // A rank without work waits for the others, so that it is still there to be killed.
        let outcome = try run(
            "--mode \(mode) --crash-limit 9", in: scratch,
            killing: [(first, moment), (second, moment + random(0...30))])
        #expect(outcome.output == expected)
        #expect(outcome.status == 0, "\(outcome.error)")
        let lost = losses(outcome).sorted()
        #expect(lost.count == 2 && outcome.error.split(separator: "\n").count == 2, "\(outcome.error)")
        for (line, rank) in zip(lost, [first, second].sorted()) {
            #expect(line.hasPrefix("dlp-lua: lost rank \(rank) (host "), "\(line)")
            #expect(line.contains("its process was killed by signal 9 (Killed)"), "\(line)")
        }
    }

    @Test("the root finishes alone", arguments: modes.dropLast())
    func rootAlone(_ mode: String) throws {
        let scratch = try Scratch(job: Self.job)
        let expected = try expectedOutput()
        let outcome = try run(
            "--mode \(mode) --crash-limit 9", in: scratch, killing: [(1, 5), (2, 10), (3, 20)])
        #expect(outcome.output == expected)
        #expect(outcome.status == 0 && losses(outcome).count == 3, "\(outcome.error)")
    }

    @Test("where nobody is left who works the job ends", arguments: ["map", "managed", "round-robin"])
    func nobodyLeft(_ mode: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run(
            "--mode \(mode) --root-works no --crash-limit 9", in: scratch, killing: [(1, 3), (2, 6), (3, 9)])
        #expect(outcome.status == 3)
        let others = outcome.error.split(separator: "\n").filter { !$0.hasPrefix("dlp-lua: lost rank ") }
        #expect(
            others.count == 1 && others[0].contains("every rank that could work on it has died"), "\(outcome.error)")
    }

    @Test(
        "an example that kills whoever tries it is given up, and only that one",
        arguments: ["map", "managed", "round-robin", "map --chunk 10", "map --examples root", "managed --chunk 6"])
    func killer(_ mode: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 40 end
                function work(n)
                  if n == 17 then os.execute("kill -9 $PPID; sleep 9") end
                  return n
                end
                function summarize(results)
                  for n = 1, results.n do
                    if n ~= 17 then assert(results[n] == n and not results.errors[n]) end
                  end
                  print(results[17], results.errors[17].message, results.errors[17].attempts > 1)
                end
                """)
        let outcome = try EndToEndTests.run(
            "ameexec -np 5 dlp-lua --mode \(mode) --root-works no --on-error continue job.lua", in: scratch)
        #expect(outcome.output.hasPrefix("nil\t"), "\(outcome.output)\(outcome.error)")
        #expect(
            outcome.output.contains("died while at work on it, after 1 more that had it to do"), "\(outcome.output)")
        #expect(outcome.output.hasSuffix("\ttrue\n"), "\(outcome.output)")
        #expect((2...3).contains(losses(outcome).count), "\(outcome.error)")
        #expect(outcome.error.contains("1 of 40 examples failed, first example 17"), "\(outcome.error)")
        #expect(outcome.status == 4)
    }

    @Test("an example that kills ranks ends the job unless it may go on", arguments: ["map", "managed", "round-robin"])
    func killerStops(_ mode: String) throws {
        let scratch = try Scratch(
            job:
                "function examples() return 9 end function work(n) if n == 5 then os.execute('kill -9 $PPID; sleep 9') end end"
        )
        let outcome = try EndToEndTests.run(
            "ameexec -np 4 dlp-lua --mode \(mode) --root-works no --crash-limit 1 job.lua", in: scratch)
        #expect(outcome.error.contains("dlp-lua: example 5 failed on rank "), "\(outcome.error)")
        #expect(outcome.error.contains("died while at work on it"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test("a rank that dies before all have met ends the job at once, not after --connect-timeout")
    func early() throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try EndToEndTests.run(
            "ameexec -np 3 sh -c", "[ $AME_RANK != 2 ] && exec dlp-lua job.lua; kill -9 $$", in: scratch)
        #expect(outcome.error.contains("rank 2 (pid ") && outcome.error.contains("was killed by signal 9"))
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
        #expect(outcome.status == 137)
    }
}
