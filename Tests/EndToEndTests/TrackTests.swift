import Glibc
import TestSupport
import Testing

/// A journal that notes what examples enter and open, after the script was edited.
@Suite(.hangLimit)
struct TrackTests {
    /// A job that says on standard error which examples it does.
    private static let job = """
        local function rare(x) return x * 100 end
        local function usual(x) return x + 1 end
        function examples() return 40 end
        function work(x)
          io.stderr:write(("did %d\\n"):format(x))
          if x % 10 == 0 then return rare(x) end
          return usual(x)
        end
        function summarize(r) print(table.concat(r, " ")) end
        """

    /// The examples that a run has done.
    private func done(_ outcome: Outcome) -> [Int] {
        outcome.deeds.compactMap { Int($0) }.sorted()
    }

    @Test(
        "a branch that is mended is done again where it was taken, on any launcher",
        arguments: [
            "dlp-lua", "dlp-lua -np 3", "ameexec -np 2 dlp-lua --mode round-robin",
            "mpiexec.openmpi --allow-run-as-root --oversubscribe -n 3 dlp-lua",
            "mpiexec.hydra -n 2 dlp-lua --mode managed",
            "ameexec -np 3 dlp-lua --examples root --root-works no",
        ])
    func branches(launcher: String) throws {
        let scratch = try Scratch(job: Self.job)
        let command = "\(launcher) --track --journal run.db job.lua"
        let first = try run(command, in: scratch)
        #expect(first.status == 0 && done(first).count == 40 && first.messages == "", "\(first.error)")

        let mended = Self.job.replacing("x * 100", with: "x * 100 + 1")
        try scratch.write("job.lua", mended)
        #expect(
            try run("dlp-lua --dry-run --journal run.db job.lua", in: scratch).output
                == "36 of 40 examples are done and stay so; 4 would be done again, because rare (job.lua:1) changed\n")
        #expect(
            try run("dlp-lua --why 10 --journal run.db job.lua", in: scratch).output
                == "example 10 would be done again, because rare (job.lua:1) changed\n")
        let second = try run(command, in: scratch)
        #expect(second.status == 0 && done(second) == [10, 20, 30, 40], "\(second.error)")
        #expect(
            second.messages.contains(
                "of 40 examples that are done 4 are out of date, because rare (job.lua:1) changed; --keep believes them"
            ))
        #expect(second.output == (try scratch.plainOutput()))
        #expect(done(try run(command, in: scratch)) == [])

        // Without tracking, the examples are judged by what was tracked before.
        try scratch.write("job.lua", mended.replacing("x + 1", with: "x + 2"))
        let third = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(done(third).count == 36 && !done(third).contains(10), "\(third.error)")
        #expect(third.output == (try scratch.plainOutput()))
        try scratch.write("job.lua", mended)
        let fourth = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(done(fourth).count == 36)
        #expect(fourth.output == (try scratch.plainOutput()))
    }

    @Test("an edit that no example has met does nothing again, and is told")
    func unmet() throws {
        let text = Self.job.replacing("x % 10 == 0", with: "x > 1000")
        let scratch = try Scratch(job: text)
        #expect(try run("dlp-lua --track --journal run.db job.lua", in: scratch).status == 0)
        try scratch.write("job.lua", text.replacing("x * 100", with: "x * 99"))
        let edited = try run("dlp-lua -np 2 --track --journal run.db job.lua", in: scratch)
        #expect(done(edited) == [])
        #expect(
            edited.messages.contains(
                "the script has changed, but nothing that an example has met: what is done stays done"),
            "\(edited.error)")
    }

    @Test("an example is done again when a file has changed that it has read", arguments: ["dlp-lua", "dlp-lua -np 3"])
    func files(launcher: String) throws {
        let reading = Self.job.replacing("x * 100", with: "x * io.open('data' .. x // 20):read('n')")
        let scratch = try Scratch(job: reading)
        for name in ["data0", "data1", "data2"] { try scratch.write(name, "1") }
        let command = "\(launcher) --track --journal run.db job.lua"
        #expect(done(try run(command, in: scratch)).count == 40)
        #expect(done(try run(command, in: scratch)) == [])
        try scratch.write("data1", "12")
        let changed = try run(command, in: scratch)
        #expect(done(changed) == [20, 30] && changed.messages.contains("the file data1 changed"), "\(changed.error)")
        #expect(changed.output == (try scratch.plainOutput()))
        unlink(scratch.file("data2"))
        let missing = try run("\(launcher) --track --on-error continue --journal run.db job.lua", in: scratch)
        #expect(missing.status == 4 && done(missing) == [40], "\(missing)")
        try scratch.write("data2", "3")
        // An edit at another place: it is known which files were read.
        try scratch.write("job.lua", reading.replacing("x + 1", with: "x - 1"))
        let edited = try run(command, in: scratch)
        #expect(done(edited).count == 37 && !done(edited).contains(10), "\(edited.error)")
        #expect(edited.output == (try scratch.plainOutput()))
    }

    @Test("what an example leaves to others counts for these, and is told once")
    func left() throws {
        let text = Self.job.replacing(
            "local function rare(x)", with: "local memo = {} local function rare(x) memo[x] = 1")
        let scratch = try Scratch(job: text)
        let first = try run("dlp-lua -np 2 --chunk 5 --track --journal run.db job.lua", in: scratch)
        #expect(first.status == 0)
        #expect(
            first.complaints.count {
                $0.contains("--track: examples find changed what others have left (first seen in memo")
            }
                == 1, "\(first.error)")
        try scratch.write("job.lua", text.replacing("x * 100", with: "x * 99"))
        let edited = try run("dlp-lua --track --journal run.db job.lua", in: scratch)
        #expect(Set(done(edited)).isSuperset(of: [10, 20, 30, 40]))
        #expect(edited.output == (try scratch.plainOutput()))
    }

    @Test(
        "what starts a program, or is in a module in C, may have met anything",
        arguments: ["dlp.run{'true'}", "open()", "('a'):gsub('a', open)"])
    func anything(call: String) throws {
        let text =
            "local open = package.loadlib(package.searchpath('cjson', package.cpath), 'luaopen_cjson')\n"
            + Self.job.replacing(
                "return usual(x)", with: "if x == 7 then pcall(function() \(call) end) end return usual(x)")
        let scratch = try Scratch(job: text)
        #expect(try run("dlp-lua --track --journal run.db job.lua", in: scratch).status == 0)
        try scratch.write("job.lua", text.replacing("x * 100", with: "x * 99"))
        #expect(done(try run("dlp-lua --track --journal run.db job.lua", in: scratch)) == [7, 10, 20, 30, 40])
    }

    @Test("stages are tracked by the functions of their loops", arguments: ["dlp-lua", "dlp-lua -np 3"])
    func stages(launcher: String) throws {
        let text = """
            local function did(name, x) io.stderr:write(("did %s %d\\n"):format(name, x)) end
            local function rare(x) return -x end
            local first = dlp.map(function(x) did("first", x) return x == 3 and rare(x) or x end, 5, {stage = "first"})
            local second = dlp.map(function(x) did("second", x) return x > 3 and rare(x) or x end, 5, {stage = "second"})
            if dlp.IS_ROOT then print(table.concat(first, " "), table.concat(second, " ")) end
            """
        let scratch = try Scratch(job: text)
        #expect(
            try run("\(launcher) --track --journal run.db job.lua", in: scratch).output == "1 2 -3 4 5\t1 2 3 -4 -5\n")
        try scratch.write("job.lua", text.replacing("return -x", with: "return -10 * x"))
        let edited = try run("\(launcher) --track --journal run.db job.lua", in: scratch)
        #expect(edited.output == "1 2 -30 4 5\t1 2 3 -40 -50\n")
        #expect(edited.deeds.sorted() == ["first 3", "second 4", "second 5"], "\(edited.error)")
    }

    @Test("an example that was tried again, or on a rank that joined, is tracked as well")
    func attempts() throws {
        let text = Self.job.replacing(
            "x * 100",
            with:
                "(os.rename('failed' .. x, 'failed' .. x) or io.open('failed' .. x, 'w'):close() or error('no')) and x * 100"
        )
        let scratch = try Scratch(job: text)
        let command = "dlp-lua -np 2 --retries 2 --track --journal run.db job.lua"
        #expect(try run(command, in: scratch).status == 0)
        try scratch.write("job.lua", text.replacing("x + 1", with: "x + 3"))
        let edited = try run(command, in: scratch)
        #expect(done(edited).count == 36 && !done(edited).contains(10), "\(edited.error)")
    }

    @Test(
        "what --track cannot be asked",
        arguments: [
            ("--track job.lua", "name one"), ("--track --keep job.lua", "--journal"),
            ("--track --journal run.db --each true ::: a", "--each runs a command"),
        ])
    func mistakes(words: String, message: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("dlp-lua \(words)", in: scratch)
        #expect(
            outcome.status == 2 && outcome.complaints.count == 1 && outcome.error.contains(message),
            "\(outcome.error)")
    }
}
