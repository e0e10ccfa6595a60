import Glibc
import Simulation
import TestSupport
import Testing

/// Jobs that are killed, and then go on where they stopped.
@Suite(.hangLimit)
struct JournalTests {
    /// Each example leaves a line in a file of its rank.
    private static let job = """
        local names = {}
        for n = 1, 300 do names[n] = n % 9 == 0 and "equal" or "name " .. n end
        function examples() return names end
        function work(name, n)
          local side = io.open("side." .. dlp.RANK, "a")
          side:write(n, "\\n")
          side:close()
          for _ = 1, 400000 do end
          return {name = name, n = n, random = math.random(1000000)}
        end
        function summarize(results)
          for n = 1, results.n do print(results[n].name, results[n].n, results[n].random) end
        end
        """

    /// Runs the job as one process without a journal.
    private func reference(_ job: String = job) throws -> Outcome { try run("dlp-lua job.lua", in: Scratch(job: job)) }

    /// How often each example was done, by its index.
    private func counts(in scratch: Scratch) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for name in scratch.names where name.hasPrefix("side.") {
            for line in (scratch.read(name) ?? "").split(separator: "\n") { counts[Int(line) ?? 0, default: 0] += 1 }
        }
        return counts
    }

    /// Returns the first column of the SQLite shell's answer.
    private func query(_ sql: String, in scratch: Scratch) throws -> [String] {
        let outcome = try run("sqlite3 run.db", sql, in: scratch)
        #expect(outcome.status == 0, "\(outcome.error)")
        return outcome.lines
    }

    @Test(
        "a job whose root is killed at any moment goes on, with any number of ranks and in any mode, and does nothing twice",
        arguments: 0..<8)
    func kill(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let scratch = try Scratch(job: Self.job)
        let modes = ["map", "managed", "round-robin"]
        for attempt in 0..<3 {
            let (ranks, mode) = (Int.random(in: 1...4, using: &random), modes[Int.random(in: 0..<3, using: &random)])
            let launched = try Launched(
                "ameexec -np \(ranks) dlp-lua --mode \(mode) --journal run.db job.lua".split(separator: " ")
                    .map { String($0) }, in: scratch)
            // The kill must come after the job has begun: killing the launcher's shell before there are ranks would
            // prove nothing.
            try launched.reaches("it works") { counts(in: scratch).count > attempt }
            usleep(.random(in: 0..<400_000, using: &random))
            // The job may have ended by then.
            launched.signalIfRunning(SIGKILL, rank: 0)
            _ = try launched.finish()
            let before = Set(
                try query("SELECT example FROM results WHERE state = 'done'", in: scratch).compactMap { Int($0) })
            #expect(try query("PRAGMA integrity_check", in: scratch) == ["ok"], "seed \(seed)")
            let counted = counts(in: scratch)
            let next = try run("ameexec -np 2 dlp-lua --check --journal run.db job.lua", in: scratch)
            #expect(next.status == 0 && counts(in: scratch) == counted, "--check does no work")
            #expect(before.isSubset(of: counted.keys), "seed \(seed)")
        }
        let before = Set(try query("SELECT example FROM results", in: scratch).compactMap { Int($0) })
        let counted = counts(in: scratch)
        let ranks = Int.random(in: 1...4, using: &random)
        let outcome = try run("ameexec -np \(ranks) dlp-lua --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.error == "", "seed \(seed): \(outcome.error)")
        #expect(try outcome.output == reference().output, "seed \(seed)")
        let after = counts(in: scratch)
        for example in 1...300 {
            let expected = (counted[example] ?? 0) + (before.contains(example) ? 0 : 1)
            #expect(after[example] == expected, "seed \(seed): example \(example)")
        }
        #expect(!scratch.names.contains { $0.hasPrefix("run.db-") }, "one plain file is left")
    }

    @Test(
        "a job that is done has nothing left to do", arguments: ["map", "managed", "round-robin"],
        ["", "--examples root"])
    func done(_ mode: String, _ source: String) throws {
        let scratch = try Scratch(job: Self.job)
        let command = "dlp-lua --mode \(mode) \(source) --journal run.db job.lua"
        let first = try run("ameexec -np 3 \(command)", in: scratch)
        #expect(try first.status == 0 && first.output == reference().output, "\(first.error)")
        for launcher in ["", "ameexec -np 2 "] {
            let again = try run(launcher + command, in: scratch)
            #expect(again.status == 0 && again.output == first.output && again.error == "", "\(again.error)")
        }
        #expect(counts(in: scratch).values.allSatisfy { $0 == 1 })
        #expect(try query("SELECT count(*), max(attempts), count(json) FROM results", in: scratch) == ["300|1|300"])
    }

    @Test(
        "results go to collect and to files as if they had just been made",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func sinks(_ command: String) throws {
        let job = """
            function examples() return 700 end
            function work(n) return {n = n, square = n * n} end
            local sum = 0
            function collect(result, index, example)
              assert(result.n == index and example == index)
              sum = sum + result.square
            end
            function summarize(results) print(sum, results.n, results[700].square) end
            """
        let scratch = try Scratch(job: job)
        let plain = try run("\(command) --output plain.csv job.lua", in: scratch)
        for _ in 0..<2 {
            let outcome = try run("\(command) --journal run.db --output out.csv job.lua", in: scratch)
            #expect(outcome.status == 0 && outcome.output == plain.output, "\(outcome.error)")
            #expect(scratch.read("out.csv") == scratch.read("plain.csv"))
        }
        let exported = try run("dlp-lua --results run.db --output exported.csv", in: scratch)
        #expect(exported.status == 0 && exported.error == "")
        #expect(scratch.read("exported.csv") == scratch.read("plain.csv"))
    }

    /// A job over the words of `list`, which records each word that it works on.
    private func words(_ list: String) -> String {
        let examples = list.split(separator: " ").map { "'\($0)'" }.joined(separator: ", ")
        // The list is not part of the script, which must stay the same.
        return "return {\(examples)}"
    }

    @Test("a list may be reordered, extended and cut: only what is new is done")
    func edits() throws {
        let scratch = try Scratch(
            job: """
                function examples() return dofile("list.lua") end
                function work(word)
                  local side = io.open("words", "a")
                  side:write(word, " ")
                  side:close()
                  return word:upper()
                end
                """)
        for (list, new) in [
            ("a b c", "a b c "), ("c a b", ""), ("x c a d b a", "x d a "), ("a", ""), ("b b x c a d", "b "),
        ] {
            try scratch.write("list.lua", words(list))
            try scratch.write("words", "")
            let outcome = try run("dlp-lua --journal run.db job.lua", in: scratch)
            #expect(outcome.lines == list.split(separator: " ").map { "\"\($0.uppercased())\"" }, "\(outcome.error)")
            #expect(scratch.read("words") == new, "\(list)")
        }
        let places = try query("SELECT json FROM results WHERE example IS NOT NULL ORDER BY example", in: scratch)
        #expect(places == ["\"B\"", "\"B\"", "\"X\"", "\"C\"", "\"A\"", "\"D\""])
    }

    @Test("lines and iterators are found as they are read", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func lines(_ command: String) throws {
        let work = """
            function work(word)
              local side = io.open("side." .. dlp.RANK, "a")
              side:write("1\\n")
              side:close()
              return word
            end
            function collect(result, index, example) assert(result == example) end
            function summarize(results) print(table.concat(results, " ")) end
            """
        let scratch = try Scratch(job: work)
        let input = (1...3_000).map { "line \($0)\n" }
        let first = try run("\(command) --journal run.db job.lua", in: scratch, input: input.joined())
        #expect(first.status == 0 && counts(in: scratch) == [1: 3_000], "\(first.error)")
        let turned = try run(
            "\(command) --journal run.db job.lua", in: scratch, input: input.reversed().joined() + "one more\n")
        #expect(turned.output == input.reversed().map { $0.dropLast() }.joined(separator: " ") + " one more\n")
        #expect(counts(in: scratch) == [1: 3_001])

        try scratch.write(
            "job.lua",
            work
                + "\nfunction examples() local n = 0 return function() n = n + 1 return n <= 900 and 'line ' .. n or nil end end"
        )
        let iterator = try run("\(command) --keep --journal run.db job.lua", in: scratch)
        #expect(iterator.output == input.prefix(900).map { $0.dropLast() }.joined(separator: " ") + "\n")
        #expect(counts(in: scratch) == [1: 3_001])
    }

    @Test(
        "what failed is done again, and is in the journal meanwhile", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func failures(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 20 end
                function work(n)
                  if n % 10 == 3 and not io.open("mended") then error("not yet " .. n) end
                  return n
                end
                """)
        let first = try run("\(command) --on-error continue --retries 1 --journal run.db job.lua", in: scratch)
        #expect(first.status == 4)
        let failed = "SELECT example || ' ' || error || ' ' || attempts FROM results WHERE state = 'failed' ORDER BY 1"
        #expect(try query(failed, in: scratch) == ["13 job.lua:3: not yet 13 2", "3 job.lua:3: not yet 3 2"])
        let shown = try run("dlp-lua --results run.db", in: scratch)
        #expect(
            shown.lines.count == 20
                && shown.lines[2].hasPrefix("{\"index\":3,\"state\":\"failed\",\"error\":\"job.lua:3: not yet 3\""))
        try scratch.write("mended", "")
        let second = try run("\(command) --journal run.db job.lua", in: scratch)
        #expect(second.status == 0 && second.lines == (1...20).map { "\($0)" }, "\(second.error)")
        #expect(try query("SELECT count(*) FROM results WHERE state = 'done' AND error IS NULL", in: scratch) == ["20"])
    }

    /// Examples of 50 ms, in chunks so large that no rank has more than one.
    private static let slow = """
        function examples() return 2000 end
        function work(n)
          if n == tonumber(arg[1]) then error("never") end
          os.execute("sleep 0.05")
          local side = io.open("side." .. dlp.RANK, "a")
          side:write(n, "\\n")
          side:close()
          return n
        end
        """

    @Test(
        "what is done of a large chunk is in the journal soon, although the chunk goes on",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua"], ["map", "managed", "round-robin"])
    func parts(_ command: String, _ mode: String) throws {
        let scratch = try Scratch(job: Self.slow)
        let words = "\(command) --mode \(mode) --chunk 1000 --journal run.db job.lua".split(separator: " ").map {
            String($0)
        }
        let launched = try Launched(words, in: scratch)
        try launched.reaches("it has some") { counts(in: scratch).count >= 8 }
        try launched.reaches("they are in the journal") {
            try query("SELECT count(*) FROM results", in: scratch).first.flatMap { Int($0) } ?? 0 >= 8
        }
        #expect(counts(in: scratch).count < 1000, "no chunk has ended")
        launched.signal(SIGINT)
        let outcome = try launched.finish()
        #expect(outcome.status == 130, "\(outcome.error)")
        #expect(outcome.error.contains(" of 2000 examples; start again with the same --journal"), "\(outcome.error)")
    }

    @Test(
        "an error that ends the job leaves what was done before in its chunk",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua"])
    func failedPart(_ command: String) throws {
        let scratch = try Scratch(job: Self.slow)
        let outcome = try run("\(command) --chunk 10 --journal run.db job.lua 8", in: scratch)
        #expect(outcome.status == 1 && outcome.isOneMessage("dlp-lua", with: "never"), "\(outcome.error)")
        let states =
            "SELECT example || ' ' || state || ' ' || (seconds IS NULL) FROM results WHERE example < 9 ORDER BY example"
        #expect(try query(states, in: scratch) == (1...7).map { "\($0) done 0" } + ["8 failed 0"])
    }

    @Test("the time of a failed example is its own, and every row has its example")
    func failedSeconds() throws {
        let scratch = try Scratch(
            job: """
                function examples() return {"a", "b", 'c"d', {1, 2}} end
                function work(word, n)
                  if n == 3 then os.execute("sleep 0.3") error("three\\0and more", 0) end
                  return n
                end
                """)
        let outcome = try run("dlp-lua --chunk 4 --on-error continue --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 4)
        let rows = "SELECT input || ' ' || state || ' ' || (seconds BETWEEN 0.25 AND 60) FROM results ORDER BY example"
        #expect(
            try query(rows, in: scratch) == [
                "\"a\" done 0", "\"b\" done 0", "\"c\\\"d\" failed 1", "[1,2] done 0",
            ])
        let shown = try run("dlp-lua --results run.db", in: scratch)
        try #require(shown.lines.count == 4)
        #expect(shown.lines[2].contains("\"error\":\"three\\u0000and more\""), "\(shown.output)")
        #expect(shown.lines[2].hasSuffix(",\"input\":\"c\\\"d\"}"), "\(shown.output)")
    }

    @Test("--results prints the rows, too, whose examples are not in the list any more")
    func otherRows() throws {
        let scratch = try Scratch(
            job: "function examples() return dofile('list.lua') end function work(n) return n end")
        for list in ["return {1, 2, 3}", "return {3}"] {
            try scratch.write("list.lua", list)
            #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        }
        let shown = try run("dlp-lua --results run.db", in: scratch)
        let rows: [(index: Int?, result: Int)] = [(1, 3), (nil, 2), (nil, 1)]
        let beginnings = rows.map { index, result in
            "{\"index\":\(index.map { "\($0)" } ?? "null"),\"state\":\"done\",\"result\":\(result),"
        }
        #expect(shown.lines.count == 3, "\(shown.output)")
        for (line, beginning) in zip(shown.lines, beginnings) { #expect(line.hasPrefix(beginning)) }
        let exported = try run("dlp-lua --results run.db --output out.jsonl", in: scratch)
        #expect(exported.status == 0 && exported.error == "" && scratch.read("out.jsonl") == "3\n")
    }

    @Test("a row that does not prove itself is named and refused; --keep does its example again")
    func broken() throws {
        let scratch = try Scratch(job: Self.job)
        let command = "ameexec -np 2 dlp-lua --journal run.db"
        let first = try run("\(command) job.lua", in: scratch)
        _ = try query("UPDATE results SET result = x'0102' WHERE example = 7", in: scratch)
        let row = try query("SELECT id FROM results WHERE example = 7", in: scratch)[0]
        let reason = "the journal run.db does not prove itself: "
        let named = "row \(row) (its result is not one value)"
        let refused = try run("\(command) job.lua", in: scratch)
        #expect(
            refused.status == 2 && refused.isOneMessage("dlp-lua", with: reason, named, "--keep"), "\(refused.error)")
        let shown = try run("dlp-lua --results run.db", in: scratch)
        #expect(shown.status == 2 && shown.lines.count == 299 && shown.isOneMessage("dlp-lua", with: reason, named))
        let kept = try run("\(command) --keep job.lua", in: scratch)
        #expect(kept.status == 0 && kept.output == first.output, "\(kept.error)")
        #expect(kept.isOneMessage("dlp-lua", with: reason, named, "done again"), "\(kept.error)")
        #expect(counts(in: scratch).filter { $0.value > 1 }.map(\.key) == [7])
        #expect(try run("\(command) job.lua", in: scratch).error == "")
    }

    @Test(
        "progress is shown in every mode, and tells what was done before", arguments: ["map", "managed", "round-robin"])
    func progress(_ mode: String) throws {
        let scratch = try Scratch(
            job: "function examples() return dofile('list.lua') end function work(n) return n end "
                + "function summarize() end")
        for (list, journal, earlier) in [
            (20, "", ""), (20, "--journal run.db", ""), (50, "--journal run.db", ", 20 of them before,"),
        ] {
            try scratch.write("list.lua", "return \(list)")
            let outcome = try run("ameexec -np 2 dlp-lua --mode \(mode) --progress on \(journal) job.lua", in: scratch)
            #expect(outcome.status == 0 && outcome.error.contains("/\(list)  "), "\(outcome.error)")
            #expect(outcome.error.contains(" examples\(earlier) in "), "\(outcome.error)")
        }
    }

    @Test("an error that ends the job leaves what was done before", arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func stop(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 300 end
                function work(n)
                  for _ = 1, 100000 do end
                  if n == 250 then error("never") end
                  return n
                end
                """)
        let outcome = try run("\(command) --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 1 && outcome.isOneMessage("dlp-lua", with: "never"), "\(outcome.error)")
        #expect(try query("SELECT example FROM results WHERE state = 'failed'", in: scratch) == ["250"])
        let done = try query("SELECT count(*) FROM results WHERE state = 'done'", in: scratch)
        #expect(try #require(Int(done[0])) > 100)
        #expect(!scratch.names.contains { $0.hasPrefix("run.db-") })
    }
}
