import Glibc
import TestSupport
import Testing

/// `--timeline`: a file that shows which rank did what, and when.
@Suite(.hangLimit)
struct TimelineRunTests {
    private static let commands = ["dlp-lua", "ameexec -np 3 dlp-lua"]

    /// A job of short and long examples, of which one fails.
    private static let job = """
        function examples() return 60 end
        function work(n)
          if n % 10 == 0 then os.execute("sleep 0.05") end
          if n == 7 then error("seven") end
          return n
        end
        function summarize(results) print(results.n) end
        """

    /// Checks assertions about `out.json`, in which `ranks`, `events` and `span` (in microseconds) are defined.
    private func check(_ assertions: String, in scratch: Scratch, _ place: SourceLocation = #_sourceLocation) throws {
        let program = """
            import json
            events = json.load(open("out.json"))["traceEvents"]
            threads = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
            events = [e for e in events if e["ph"] == "X"]
            for tid in threads:
                end = 0
                for e in sorted((e for e in events if e["tid"] == tid), key=lambda e: e["ts"]):
                    assert e["ts"] >= end - 0.01 and e["dur"] >= 0, (e, end)
                    end = e["ts"] + e["dur"]
            work = [e for e in events if e["cat"] in ("work", "failed")]
            done = sum(e["args"]["examples"] for e in work)
            failed = sum(e["args"]["failed"] for e in work)
            seconds = sum(e["args"]["work"] for e in work)
            lost = [e for e in events if e["cat"] == "lost"]
            \(assertions)
            """
        let outcome = try run("python3 -c", program, in: scratch)
        #expect(outcome.status == 0, "\(outcome.error)", sourceLocation: place)
    }

    @Test(
        "a trace has every example once, with the time that it took", arguments: commands,
        ["map", "managed", "round-robin", "map --examples root"])
    func trace(_ command: String, _ mode: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run(
            "\(command) --mode \(mode) --on-error continue --timeline out.json job.lua", in: scratch)
        #expect(outcome.status == 4 && outcome.output == "60\n", "\(outcome.error)")
        let ranks = command == "dlp-lua" ? 1 : 3
        try check(
            "assert (done, failed) == (60, 1) and 0.3 <= seconds and not lost and len(threads) == \(ranks)", in: scratch
        )
    }

    @Test("a picture is well-formed XML with a row for each rank", arguments: commands)
    func picture(_ command: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("\(command) --on-error continue --timeline out.svg job.lua", in: scratch)
        #expect(outcome.status == 4, "\(outcome.error)")
        let program = """
            import xml.etree.ElementTree as tree
            texts = [e.text for e in tree.parse("out.svg").iter() if e.tag.endswith("}text")]
            ranks = [t for t in texts if t.startswith("rank ")]
            assert ranks == [f"rank {n}" for n in range(\(command == "dlp-lua" ? 1 : 3))], texts
            assert any("job.lua: 60 examples on" in t for t in texts) and "failed" in texts, texts
            """
        let look = try run("python3 -c", program, in: scratch)
        #expect(look.status == 0, "\(look.error)")
    }

    @Test("a job that fails, or is stopped, has a timeline too", arguments: commands)
    func early(_ command: String) throws {
        let failing = try Scratch(job: Self.job)
        #expect(try run("\(command) --timeline out.json job.lua", in: failing).status == 1)
        try check("assert 0 < done <= 60", in: failing)
        let stopped = try LongJob.scratch()
        let outcome = try run("\(command) --stop-after 0.7 --timeline out.json job.lua", in: stopped)
        #expect(outcome.status == 5, "\(outcome.error)")
        try check("assert done == \(LongJob.counts(in: stopped).count)", in: stopped)
        // Not a job with os.execute, during which SIGINT is ignored.
        let interrupted = try Scratch(
            job: "function examples() return 1 end function work() io.open('busy', 'w'):close() while true do end end")
        let words = "\(command) --timeline out.json job.lua".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: interrupted)
        try launched.reaches("it is busy") { interrupted.names.contains("busy") }
        launched.signal(SIGINT)
        #expect(try launched.finish().status == 130)
        try check("assert done == 0", in: interrupted)
    }

    @Test("a lost rank is shown as such, and others do what it did not")
    func lost() throws {
        let scratch = try Scratch(job: StuckJob.script)
        let words = "ameexec -np 3 dlp-lua --timeline out.json job.lua 1".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: scratch)
        try StuckJob.wait(launched, in: scratch)
        try launched.signal(SIGKILL, rank: 1)
        let outcome = try launched.finish()
        #expect(outcome.output == StuckJob.output && outcome.status == 0, "\(outcome.error)")
        try check(
            "assert done == 12 and [e['tid'] for e in lost] == [2] and 'signal 9' in lost[0]['args']['cause']",
            in: scratch)
    }

    @Test("many short examples make a small file")
    func small() throws {
        let scratch = try Scratch(
            job: "function examples() return 300000 end function work() end function collect() end")
        let outcome = try run("ameexec -np 3 dlp-lua --chunk 5 --timeline out.json job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        try check("assert done == 300000 and len(events) <= 10000", in: scratch)
    }

    @Test("loops of the module are shown as well")
    func imperative() throws {
        let scratch = try Scratch(job: "for n in dlp.split_managed(20) do os.execute('sleep 0.01') end")
        let outcome = try run("ameexec -np 3 dlp-lua --timeline out.json job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        try check("assert done == 20 and seconds >= 0.2", in: scratch)
    }

    @Test("two timelines are both written")
    func two() throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run(
            "ameexec -np 2 dlp-lua --on-error continue --timeline out.json --timeline out.svg job.lua", in: scratch)
        #expect(outcome.status == 4, "\(outcome.error)")
        try check("assert (done, failed) == (60, 1)", in: scratch)
        #expect(scratch.read("out.svg")?.hasSuffix("</svg>\n") ?? false)
        let same = try run("dlp-lua --timeline out.json --timeline ./out.json job.lua", in: scratch)
        #expect(same.status == 2 && same.isOneMessage("dlp-lua", with: "name the same file"), "\(same.error)")
    }

    @Test("the script may name the file")
    func scriptOption() throws {
        let scratch = try Scratch(
            job: "dlp.options = {timeline = 'out.json', mode = 'round-robin'} function examples() return 9 end "
                + "function work() end function collect() end")
        let outcome = try run("ameexec -np 2 dlp-lua job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome.error)")
        try check("assert done == 9", in: scratch)
    }

    @Test(
        "a file that cannot be written is known before any work",
        arguments: [("/no/such/directory/out.svg", "No such file"), ("out.png", ".svg or .json")], commands)
    func unwritable(_ file: (name: String, says: String), _ command: String) throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work() print('work') end")
        let outcome = try run("\(command) --timeline \(file.name) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: file.name, file.says), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("a full disk is an error", arguments: ["svg", "json"])
    func full(_ format: String) throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work() end function collect() end")
        _ = try run("ln -s /dev/full out.\(format)", in: scratch)
        let outcome = try run("ameexec -np 2 dlp-lua --timeline out.\(format) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "out.\(format)", "No space left on device"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }
}
