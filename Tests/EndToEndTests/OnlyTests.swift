import TestSupport
import Testing

/// `--only`, `--sample`, `--failed`: some of the examples, with the same results as in the whole job.
@Suite(.hangLimit)
struct OnlyTests {
    private static let starts = ["dlp-lua -np 1", "ameexec -np 3 dlp-lua"]
    private static let modes = ["map", "managed", "round-robin"]
    /// Each example has a random number, and one can be made to fail.
    private static let job = """
        function examples() local list = {} for i = 1, 40 do list[i] = "e" .. i end return list end
        function work(example, index)
          if os.getenv("FAIL") and index % 10 == 7 then error("no " .. index) end
          return example .. " " .. index .. " " .. math.random(1 << 40)
        end

        """
    private static let summary = """
        function summarize(results)
          for i = 1, results.n do print(results.indices and results.indices[i] or i, results[i]) end
          for i, failure in pairs(results.errors or {}) do print("failed", i, failure.message) end
        end
        """

    @Test(
        "chosen examples have the indices and random numbers of the whole job", arguments: starts, modes)
    func only(_ start: String, _ mode: String) throws {
        let scratch = try Scratch(job: Self.job + Self.summary)
        let whole = try run("dlp-lua --seed 5 job.lua", in: scratch).lines
        try #require(whole.count == 40)
        for options in ["", "--chunk 2", "--examples root", "--root-works no"] {
            let outcome = try run("\(start) --mode \(mode) --seed 5 \(options) --only 3,8-12,40 job.lua", in: scratch)
            #expect(outcome.lines == [2, 7, 8, 9, 10, 11, 39].map { whole[$0] }, "\(options): \(outcome)")
            #expect(outcome.error == "" && outcome.status == 0)
        }
        try scratch.write("job.lua", Self.job)
        let printed = try run("\(start) --mode \(mode) --seed 5 --only 17 job.lua", in: scratch)
        #expect(printed.lines.count == 1 && printed.output.hasPrefix("\"e17 17 "), "\(printed)")
        _ = try run("\(start) --mode \(mode) --only 5,17-18 --output some.csv job.lua", in: scratch)
        let rows = try #require(scratch.read("some.csv")).split(whereSeparator: \.isNewline)
        #expect(rows.map { $0.prefix { $0 != "," } } == ["index", "5", "17", "18"])
    }

    @Test("a sample is the same for any number of ranks, and another one for another seed", arguments: modes)
    func sample(_ mode: String) throws {
        let scratch = try Scratch(job: Self.job + Self.summary)
        let samples = try ["1", "3"].map { ranks in
            try run("ameexec -np \(ranks) dlp-lua --mode \(mode) --seed 5 --sample 25% job.lua", in: scratch)
        }
        #expect(samples[0].lines.count == 10 && samples[0].output == samples[1].output, "\(samples)")
        let whole = Set(try run("dlp-lua --seed 5 job.lua", in: scratch).lines)
        #expect(whole.isSuperset(of: samples[0].lines))
        let other = try run("dlp-lua --mode \(mode) --seed 6 --sample 10 job.lua", in: scratch)
        #expect(
            other.lines.count == 10
                && other.lines.map { $0.prefix { $0 != "\t" } } != samples[0].lines.map { $0.prefix { $0 != "\t" } })
        #expect(try run("dlp-lua --sample 1000 job.lua", in: scratch).lines.count == 40)
    }

    @Test("those that failed are done again and noted, and nothing else", arguments: starts, modes)
    func failed(_ start: String, _ mode: String) throws {
        let scratch = try Scratch(job: Self.job + Self.summary)
        let command = "\(start) --mode \(mode) --journal run.db --on-error continue"
        let first = try run("env FAIL=1 \(command) job.lua", in: scratch)
        #expect(first.status == 4 && first.error.contains("; alone: dlp-lua --only 7 job.lua"), "\(first)")
        let again = try run("env FAIL=1 \(command) --failed job.lua", in: scratch)
        #expect(again.status == 4 && again.lines.count == 8, "\(again)")
        #expect(again.lines.filter { $0.hasPrefix("failed\t") }.count == 4)
        let healed = try run("\(command) --failed job.lua", in: scratch)
        #expect(healed.lines.map { $0.prefix { $0 != "\t" } } == ["7", "17", "27", "37"], "\(healed)")
        #expect(healed.error == "" && healed.status == 0)
        #expect(try run("\(command) --failed job.lua", in: scratch).output == "")
        let whole = try run("\(command) job.lua", in: scratch)
        #expect(whole.lines == (try run("dlp-lua job.lua", in: scratch)).lines, "\(whole)")
    }

    @Test("a journal is left as it is by what is only tried")
    func journal() throws {
        let scratch = try Scratch(job: Self.job + Self.summary)
        _ = try run("env FAIL=1 dlp-lua --journal run.db --on-error continue job.lua", in: scratch)
        let before = try #require(scratch.bytes("run.db"))
        let outcome = try run("ameexec -np 2 dlp-lua --journal run.db --only 7 job.lua", in: scratch)
        #expect(outcome.lines.count == 1 && outcome.status == 0, "\(outcome)")
        #expect(scratch.bytes("run.db") == before)
        _ = try run("dlp-lua --journal other.db --only 7 job.lua", in: scratch)
        #expect(scratch.bytes("other.db") == nil)
    }

    @Test(
        "a sample stands in the journal: by it the whole is planned, and what is done is not done again",
        arguments: starts, modes + ["map --collect order", "map --examples root"])
    func sampled(_ start: String, _ mode: String) throws {
        let sink =
            mode.contains("order")
            ? "function collect(result, index) print(index, result) end"
            : "function summarize(rs) for i = 1, rs.n do print(rs.indices and rs.indices[i] or i, rs[i]) end end"
        let job = """
            function examples() local list = {} for i = 1, 40 do list[i] = "e" .. i end return list end
            function work(example)
              if os.getenv("MARK") then io.open(os.getenv("MARK"), "a"):write("x"):close() end
              return example .. " " .. math.random(1 << 40)
            end
            \(sink)
            """
        let scratch = try Scratch(job: job)
        let command = "\(start) --mode \(mode) --journal run.db"
        let first = try run("env MARK=first \(command) --sample 10 job.lua", in: scratch)
        #expect(first.lines.count == 10 && first.status == 0 && first.error == "", "\(first)")
        #expect(scratch.read("first")?.count == 10)
        let again = try run("env MARK=again \(command) --sample 10 job.lua", in: scratch)
        #expect(again.output == first.output && again.status == 0 && scratch.read("again") == nil, "\(again)")
        let plan = try run("dlp-lua --plan run.db -np 2", in: scratch)
        #expect(plan.output.hasPrefix("10 of 40 examples are measured") && plan.status == 0, "\(plan)")
        let whole = try run("env MARK=whole \(command) job.lua", in: scratch)
        #expect(whole.lines == (try run("dlp-lua job.lua", in: scratch)).lines && whole.status == 0, "\(whole)")
        #expect(scratch.read("whole")?.count == 30)
    }

    @Test("who hears of a failure is told how to do that example alone", arguments: starts)
    func line(_ start: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("env FAIL=1 \(start) --seed 3 --chunk 40 job.lua", "a b", "", in: scratch)
        #expect(outcome.status == 1)
        #expect(outcome.error.hasSuffix("\n\talone: dlp-lua --seed 3 --only 7 job.lua 'a b' ''\n"), "\(outcome.error)")
        let text = try run("\(start) -e", "function examples() return 2 end function work() error('x') end")
        #expect(!text.error.contains("alone") && text.status == 1)
    }

    @Test("that line is for a shell, whatever its words are", arguments: ["job.lua", "-job.lua", "it's\n\u{7}.lua"])
    func shell(_ name: String) throws {
        let scratch = try Scratch()
        try scratch.write(
            name, "function examples() return 2 end function work(n) error(('%d %s %q'):format(n, #arg, arg[1])) end")
        for word in ["a b", "a\nb", "it's", "\u{1B}[0m\\", "ä", "\u{85}"] {
            let first = try run("dlp-lua --on-error continue --", name, word, in: scratch)
            let line = try #require(first.error.split(separator: "; alone: ").last)
            let alone = try run("bash -c", String(line), in: scratch)
            let said = { (outcome: Outcome) in outcome.error.split(separator: " ", maxSplits: 1).last?.prefix(40) }
            #expect(alone.status == 1 && alone.error.contains("example 1 failed"), "\(line): \(alone)")
            #expect(said(try run("dlp-lua --only 1 --", name, word, in: scratch)) == said(alone), "\(line)")
        }
    }

    @Test("there is no such line for a script that cannot be read once more")
    func pipe() throws {
        let scratch = try Scratch(job: "function examples() return 2 end function work() error('x') end")
        let outcome = try run("bash -c", "dlp-lua <(cat job.lua)", in: scratch)
        #expect(outcome.status == 1 && !outcome.error.contains("alone"), "\(outcome)")
    }

    @Test(
        "what makes no sense is one message and status 2", arguments: starts,
        [
            ("--only 41", "--only names example 41, and the list has 40"),
            ("--only 0", "--only must be indices from 1 on"),
            ("--sample none", "--sample must be a number of examples"),
            ("--only 3 --sample 2", "--only and --sample each choose examples"),
            ("--failed", "--failed takes its examples from a journal"),
            ("--failed --fresh --journal run.db", "--fresh throws away"),
        ])
    func mistakes(_ start: String, _ mistake: (options: String, message: String)) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("\(start) \(mistake.options) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: mistake.message), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("a list that is read as it comes has no indices to choose from", arguments: starts)
    func unbounded(_ start: String) throws {
        let scratch = try Scratch(job: "function work(line) return line end")
        let outcome = try run("\(start) --only 1 job.lua", in: scratch, input: "a\nb\n")
        #expect(outcome.isOneMessage("dlp-lua", with: "--only chooses from a list of known length"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
        let words = try run("\(start) --only 2 job.lua ::: a b c", in: scratch)
        #expect(words.output == "\"b\"\n" && words.error == "" && words.status == 0, "\(words)")
    }

    @Test("examples of a command are chosen, too, and have the number that they have among all", arguments: starts)
    func command(_ start: String) throws {
        let outcome = try run("\(start) --only 2,4-5 --each", "echo {#} {}", ":::", "a", "b", "c", "d", "e")
        #expect(outcome.output == "2 b\n4 d\n5 e\n" && outcome.status == 0 && outcome.error == "", "\(outcome)")
    }

    @Test("of a command those that failed are run again", arguments: starts)
    func failedCommands(_ start: String) throws {
        let scratch = try Scratch()
        let command = "test -e go || case {} in b|d) exit 1;; esac; echo {}"
        let first = try run("\(start) --journal j --each", command, ":::", "a", "b", "c", "d", in: scratch)
        #expect(first.status == 4 && first.output == "a\nc\n", "\(first)")
        try scratch.write("go", "")
        let again = try run("\(start) --journal j --failed --each", command, ":::", "a", "b", "c", "d", in: scratch)
        #expect(again.status == 0 && again.output == "b\nd\n", "\(again)")
    }

    @Test("a script without work has no examples to choose from, and neither has dlp.options")
    func imperative() throws {
        let outcome = try run("dlp-lua --only 3 -e", "print(1)")
        #expect(outcome.isOneMessage("dlp-lua", with: "--only is of no use"), "\(outcome.error)")
        let scratch = try Scratch(job: "dlp.options = {only = '3'} \(Self.job)")
        let option = try run("dlp-lua job.lua", in: scratch)
        #expect(option.isOneMessage("dlp-lua", with: "only cannot be set by the script") && option.status == 2)
    }
}
