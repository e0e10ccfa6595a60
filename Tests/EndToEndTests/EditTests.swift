import Glibc
import TestSupport
import Testing

/// A journal after the script has been edited.
@Suite(.hangLimit)
struct EditTests {
    /// A job that says on standard error which examples it does.
    private static let job = """
        local rate = 2
        local function helper(x) return x * rate end
        function examples() return 12 end
        function work(x)
          io.stderr:write(("did %d\\n"):format(x))
          if x % 4 == 0 then return helper(x) + 1 end
          return helper(x)
        end
        function summarize(r) print(table.concat(r, " ")) end
        """

    /// How many examples a run has done.
    private func done(_ outcome: Outcome) -> Int { outcome.deeds.count }

    @Test(
        "what the edit cannot touch stays, and what it can is done again, on any launcher",
        arguments: [
            "dlp-lua", "dlp-lua -np 3", "ameexec -np 2 dlp-lua --mode round-robin",
            "mpiexec.openmpi --allow-run-as-root --oversubscribe -n 3 dlp-lua", "mpiexec.hydra -n 2 dlp-lua --mode map",
        ])
    func edits(launcher: String) throws {
        let scratch = try Scratch(job: Self.job)
        let command = "\(launcher) --journal run.db job.lua"
        let first = try run(command, in: scratch)
        #expect(first.status == 0 && done(first) == 12)

        try scratch.write("job.lua", "-- a comment\n" + Self.job.replacing("print(table", with: "print('all', table"))
        let commented = try run(command, in: scratch)
        #expect(commented.status == 0 && done(commented) == 0 && commented.output.hasPrefix("all"))
        #expect(
            commented.messages.contains("the script has changed, but nothing that work reaches"), "\(commented.error)")
        let again = try run(command, in: scratch)
        #expect(!again.messages.contains("script") && done(again) == 0)

        try scratch.write("job.lua", Self.job.replacing("x * rate", with: "x * rate - 1"))
        let mended = try run(command, in: scratch)
        #expect(mended.status == 0 && done(mended) == 12)
        #expect(
            mended.messages.contains(
                "of 12 examples that are done 12 are out of date, because helper (job.lua:2) changed; --keep believes them"
            ))
        #expect(mended.output == (try scratch.plainOutput()))

        try scratch.write(
            "job.lua", Self.job.replacing("x * rate", with: "x * rate - 1").replacing("rate = 2", with: "rate = 3"))
        let valued = try run(command, in: scratch)
        #expect(
            done(valued) == 12 && valued.messages.contains("because rate, met at job.lua:2, changed"),
            "\(valued.error)")
        #expect(valued.output == (try scratch.plainOutput()))
    }

    @Test("killed while it does again what has changed, it goes on with the rest")
    func killed() throws {
        let slow = Self.job.replacing(
            "if x % 4", with: "while x > 6 and not os.rename('go', 'go') do dlp.sleep(0.01) end if x % 4")
        let scratch = try Scratch(job: slow)
        try scratch.write("go", "")
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        unlink(scratch.file("go"))
        try scratch.write("job.lua", slow.replacing("rate = 2", with: "rate = 5"))
        let launched = try Launched(
            "dlp-lua --chunk 1 --journal run.db job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("some of it is done again") {
            try run("dlp-lua --dry-run --journal run.db job.lua", in: scratch).output.hasPrefix(
                "6 of 12 examples are done")
        }
        launched.signal(SIGKILL)
        _ = try launched.finish()
        try scratch.write("go", "")
        let resumed = try run("dlp-lua -np 2 --journal run.db job.lua", in: scratch)
        #expect(
            done(resumed) == 6 && resumed.messages.contains("of 12 examples that are done 6 are out of date"),
            "\(resumed.error)")
        #expect(resumed.output == (try scratch.plainOutput()))
    }

    @Test("--dry-run and --why say what would be done, and do nothing")
    func preview() throws {
        let scratch = try Scratch(job: Self.job)
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        func said(_ words: String) throws -> String {
            let outcome = try run("dlp-lua \(words) --journal run.db job.lua", in: scratch)
            #expect(outcome.status == 0 && done(outcome) == 0 && outcome.messages == "", "\(outcome.error)")
            return outcome.output
        }
        #expect(try said("--dry-run") == "12 of 12 examples are done and stay so\n")
        #expect(try said("--why 3") == "example 3 is done, and stays so\n")
        try scratch.write(
            "job.lua", Self.job.replacing("rate = 2", with: "rate = 4").replacing("return 12", with: "return 13"))
        #expect(
            try said("-np 2 --dry-run")
                == "0 of 13 examples are done and stay so; 12 would be done again, because rate, met at job.lua:2, changed; 1 that the "
                + "journal does not have would be done\n")
        #expect(try said("--why 3") == "example 3 would be done again, because rate, met at job.lua:2, changed\n")
        #expect(try said("--why 13") == "example 13 would be done: the journal does not have it\n")
        #expect(try run("dlp-lua --results run.db", in: scratch).lines.count == 12)

        #expect(
            try run("dlp-lua --dry-run --journal new.db job.lua", in: scratch).output
                == "13 examples would be done: there is no journal yet\n")

        let failing = Self.job.replacing("io.stderr", with: "if x == 5 then error('no') end io.stderr")
            .replacing("function summarize", with: "local function unused")
        try scratch.write("job.lua", failing)
        #expect(try run("dlp-lua --fresh --on-error continue --journal run.db job.lua", in: scratch).status == 4)
        #expect(
            try said("--dry-run") == "11 of 12 examples are done and stay so; 1 that have failed would be tried again\n"
        )
        #expect(try said("--why 5") == "example 5 has failed, and would be tried again\n")
    }

    @Test(
        "what --dry-run and --why cannot say",
        arguments: [
            ("--dry-run job.lua", "name one"),
            ("--why 0 --journal run.db job.lua", "--why must be a whole number from 1"),
            ("--why 99 --journal run.db job.lua", "there are 12 examples"),
            ("--why 1 --keep --journal run.db job.lua", "leave --keep and --fresh out"),
            ("--dry-run --sample 2 --journal run.db job.lua", "leave --sample out"),
            ("--dry-run --failed --journal run.db job.lua", "leave --failed out"),
            ("--why 1 --only 1 --journal run.db job.lua", "leave --only out"),
            ("--why 1 --check --journal run.db job.lua", "and nothing else"),
            ("--why 1 --results run.db", "and nothing else"),
            ("--why 1 --journal run.db -e print(1)", "for a function work"),
            ("--dry-run --journal run.db -e function~work(x)~return~x~end", "need a list of known length"),
            ("--dry-run --journal run.db -e dlp.map(print,3)", "for a function work"),
        ])
    func mistakes(words: String, message: String) throws {
        let scratch = try Scratch(job: Self.job)
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        let all = words.split(separator: " ").map { String($0).replacing("~", with: " ") }
        let outcome = try Launched(["dlp-lua"] + all, in: scratch).finish()
        #expect(outcome.status == 2 && outcome.complaints.count == 1, "\(outcome.error)")
        #expect(outcome.error.contains(message), "\(outcome.error)")
    }

    @Test("where nobody can tell, a change is refused, and dlp.depends tells")
    func unknown() throws {
        let reading = Self.job.replacing(
            "io.stderr", with: "local f = io.open('data') local add = f:read('n') f:close() io.stderr")
        let scratch = try Scratch(job: reading)
        try scratch.write("data", "1")
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        try scratch.write("job.lua", "-- a comment\n" + reading)
        let refused = try run("dlp-lua -np 2 --journal run.db job.lua", in: scratch)
        #expect(
            refused.status == 2
                && refused.isOneMessage(
                    "dlp-lua", with: "reads a file by io.open, which no dlp.depends names (job.lua:6)", "--keep"),
            "\(refused.error)")
        #expect(done(try run("dlp-lua --keep --journal run.db job.lua", in: scratch)) == 0)

        try scratch.write("job.lua", "dlp.depends(dlp.digest_file('data'))\n" + reading)
        #expect(try run("dlp-lua --fresh --journal run.db job.lua", in: scratch).status == 0)
        try scratch.write("job.lua", "-- a comment\ndlp.depends(dlp.digest_file('data'))\n" + reading)
        #expect(done(try run("dlp-lua --journal run.db job.lua", in: scratch)) == 0)
        try scratch.write("data", "2")
        let changed = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(done(changed) == 12)
        #expect(
            changed.messages.contains("the script is the same: of 12 examples that are done 12 are out of date")
                && changed.messages.contains("value 1 of dlp.depends changed"))
        let missing = try run("dlp-lua -e", "dlp.digest_file('nowhere')")
        #expect(
            missing.status == 1 && missing.error.contains("digest_file: cannot read nowhere: No such file"),
            "\(missing.error)")
    }

    @Test("a script whose values differ from start to start goes on all the same")
    func drift() throws {
        let scratch = try Scratch(job: Self.job.replacing("local rate = 2", with: "local rate = os.getenv('RATE')"))
        #expect(done(try run("dlp-lua --journal run.db job.lua", in: scratch, environment: ["RATE": "2"])) == 12)
        let other = try run("dlp-lua --journal run.db job.lua", in: scratch, environment: ["RATE": "3"])
        #expect(other.status == 0 && done(other) == 0)
        #expect(
            other.messages.contains("the script is the same, but not rate, met at job.lua:2, which work reaches"),
            "\(other.error)")
        try scratch.write("job.lua", "dlp.depends(os.getenv('RATE'))\n" + Self.job)
        #expect(
            done(try run("dlp-lua --fresh --journal run.db job.lua", in: scratch, environment: ["RATE": "2"])) == 12)
        #expect(done(try run("dlp-lua --journal run.db job.lua", in: scratch, environment: ["RATE": "3"])) == 12)
    }

    @Test("modules that work reaches count, those that are edited too")
    func modules() throws {
        let scratch = try Scratch(
            job: Self.job.replacing("x * rate", with: "require 'scale'(x) * rate"))
        try scratch.write("scale.lua", "return function(x) return x * 10 end")
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        try scratch.write("scale.lua", "-- times ten\nreturn function(x)\n  return x * 10\nend")
        #expect(done(try run("dlp-lua --journal run.db job.lua", in: scratch)) == 0)
        try scratch.write("scale.lua", "return function(x) return x * 11 end")
        let changed = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(done(changed) == 12 && changed.messages.contains("scale"), "\(changed.error)")
        #expect(changed.output == (try scratch.plainOutput()))
    }

    @Test("stages go by the functions that their loops are given")
    func stages() throws {
        let text = """
            local function did(name, x) io.stderr:write(("did %s %d\\n"):format(name, x)) end
            local first = dlp.map(function(x) did("first", x) return x + 1 end, 5, {stage = "first"})
            local second = dlp.map(function(x) did("second", x) return x * 2 end, 4, {stage = "second"})
            if dlp.IS_ROOT then print(table.concat(first, " "), table.concat(second, " ")) end
            """
        let scratch = try Scratch(job: text)
        #expect(done(try run("dlp-lua -np 2 --journal run.db job.lua", in: scratch)) == 9)
        try scratch.write("job.lua", "-- a comment\n" + text)
        #expect(done(try run("dlp-lua -np 2 --journal run.db job.lua", in: scratch)) == 0)
        try scratch.write("job.lua", text.replacing("x * 2", with: "x * 3"))
        let edited = try run("dlp-lua -np 2 --journal run.db job.lua", in: scratch)
        #expect(done(edited) == 4 && !edited.error.contains("did first"), "\(edited.error)")
        #expect(
            edited.messages.contains(
                "stage second: the script has changed: of 4 examples that are done 4 are out of date"))
        #expect(edited.output == (try scratch.plainOutput()))
    }

    @Test("what differs between ranks is named, for results may depend on who makes them")
    func ranks() throws {
        let scratch = try Scratch(job: Self.job.replacing("local rate = 2", with: "local rate = dlp.RANK"))
        let outcome = try run("ameexec -np 2 dlp-lua --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 0)
        #expect(
            outcome.messages.contains("rate (job.lua:2) is not on rank 1 (host "),
            "\(outcome.error)")
        let alike = try run("ameexec -np 2 dlp-lua job.lua", in: scratch)
        #expect(alike.messages == "", "without a journal it is nobody's affair")
    }
}
