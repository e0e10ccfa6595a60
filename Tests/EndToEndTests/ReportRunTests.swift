import Glibc
import TestSupport
import Testing

/// `--report`, and `--results` with `--output` in .html: the whole job on one page.
@Suite(.hangLimit)
struct ReportRunTests {
    private static let commands = ["dlp-lua", "ameexec -np 3 dlp-lua"]

    /// A job of 60 examples, of which two fail with text that would be markup if a page did not escape it.
    private static let job = """
        local name = "</script><script>document.title = 'run'</script>"
        function examples()
          local all = {}
          for i = 1, 60 do all[i] = {name = name, size = i} end
          return all
        end
        function work(example, index)
          if index % 10 == 0 then os.execute("sleep 0.05") end
          if index == 7 or index == 33 then error("<img src=x onerror=\\"document.title='run'\\"> & so on") end
          return index
        end
        function summarize(results) print(results.n) end
        """

    /// Checks assertions about a page; `page` is what the page shows.
    private func check(
        _ assertions: String, _ name: String = "out.html", in scratch: Scratch,
        _ place: SourceLocation = #_sourceLocation
    ) throws {
        let program = """
            import json, re
            text = open("\(name)").read()
            page = json.loads(re.search('id="data">(.*?)</script>', text, re.S).group(1))
            rows = page["rows"]
            blocks = [l[n:n + 7] for l in page["blocks"] for n in range(0, len(l), 7)]
            done = sum(b[4] + 1 - b[5] for b in blocks)
            failed = [f["number"] for f in page["failures"]]
            assert done == sum(r["count"] for r in rows) and all(min(b) >= 0 for b in blocks), blocks
            \(assertions)
            """
        let outcome = try run("python3 -c", program, in: scratch)
        #expect(outcome.status == 0, "\(outcome.error)", sourceLocation: place)
    }

    /// Returns a browser's output for a page; it starts slowly on a busy machine.
    private func browse(_ words: String..., in scratch: Scratch) throws -> Outcome {
        let launched = try Launched(["\(Program.scripts)/testbed/browser"] + words, in: scratch)
        for _ in 0..<12_000 where !launched.hasEnded { usleep(10_000) }
        return try launched.finish()
    }

    @Test(
        "a page has every example once, and the failed ones with all that is known", arguments: commands,
        ["map", "managed", "round-robin", "map --examples root"])
    func data(_ command: String, _ mode: String) throws {
        let scratch = try Scratch(job: Self.job)
        let outcome = try run("\(command) --mode \(mode) --on-error continue --report out.html job.lua", in: scratch)
        #expect(outcome.status == 4 && outcome.output == "60\n", "\(outcome.error)")
        #expect(scratch.names.sorted() == ["job.lua", "out.html"])
        try check(
            """
            assert done == 60 and failed == [7, 33] and len(rows) == \(command == "dlp-lua" ? 1 : 3), page
            assert page["total"] == 60 and page["reason"] is None and page["failed"] == 2
            assert page["lengths"]["count"] == 60 == sum(b[2] for b in page["lengths"]["bars"])
            first = page["failures"][0]
            assert "onerror" in first["message"] and "in function 'work'" in first["traceback"], first
            assert first["input"].endswith("size = 7}") and first["alone"].endswith("--only 7 job.lua"), first
            assert len(page["longest"]) == 20 and 0.04 < page["longest"][0]["took"], page["longest"]
            assert all("size = " in l["input"] and l["alone"] for l in page["longest"]) or "root" in "\(mode)"
            """, in: scratch)
    }

    @Test("a page has what more ranks would bring, of a job as of its journal, and nothing of that for several loops")
    func plan() throws {
        let scratch = try Scratch(
            job: """
                function examples() return 40 end
                function work(i) dlp.sleep(i == 7 and 0.4 or 0.05) return i end
                function summarize() end
                """)
        #expect(try run("ameexec -np 2 dlp-lua --report out.html --journal run.db job.lua", in: scratch).status == 0)
        #expect(try run("dlp-lua --results run.db --output again.html", in: scratch).status == 0)
        let curve = """
            ranks, times = zip(*page["plan"])
            assert ranks[:3] == (1, 2, 4) and 2.2 < times[0] and all(a > b for a, b in zip(times, times[1:])), page["plan"]
            assert 0.39 < times[-1] and abs(times[0] - page["lengths"]["sum"]) < 0.1, page["plan"]
            """
        try check(curve, in: scratch)
        try check(curve, "again.html", in: scratch)
        try scratch.write("job.lua", "dlp.map(dlp.sleep, {0.1, 0.2}) dlp.map(dlp.sleep, {0.1, 0.2})")
        #expect(try run("dlp-lua --report out.html job.lua", in: scratch).status == 0)
        try check("assert page['plan'] == []", in: scratch)
    }

    @Test("the line of a page that does an example alone does so")
    func alone() throws {
        let scratch = try Scratch(job: Self.job)
        _ = try run("dlp-lua --seed 3 --on-error continue --report out.html job.lua", in: scratch)
        try check("open('line', 'w').write(page['failures'][1]['alone'])", in: scratch)
        let outcome = try run("sh line", in: scratch)
        #expect(scratch.read("line") == "dlp-lua --seed 3 --only 33 job.lua")
        #expect(outcome.status == 1 && outcome.error.contains("example 33 failed"), "\(outcome.error)")
    }

    @Test("in a browser it says all, has no complaint, loads nothing, and runs nothing of the job's")
    func browser() throws {
        let scratch = try Scratch(job: Self.job)
        _ = try run(
            "ameexec -np 3 dlp-lua --on-error continue --report out.html --journal run.db job.lua", in: scratch)
        let rows = "[...document.querySelectorAll('tbody')].map(body => body.rows.length)"
        let cells = "[...document.querySelectorAll('#failures tbody tr')].map(row => row.textContent)"
        // The keys: to the next failure, to the block before it.
        let press = { (key: String) in
            "document.getElementById('timeline').dispatchEvent(new KeyboardEvent('keydown', {key: '\(key)', bubbles: true}))"
        }
        let told = "document.getElementById('details').textContent"
        let outcome = try browse("out.html", rows, cells, press("f"), told, press("ArrowRight"), told, in: scratch)
        try scratch.write("seen.json", outcome.output)
        let program = """
            import json
            seen = json.load(open("seen.json"))
            assert seen["complaints"] == [], seen["complaints"]
            assert len(seen["requests"]) == 1 and seen["requests"][0].startswith("file:"), seen["requests"]
            rows, cells, _, failure, _, block = seen["values"]
            assert rows[-5:-1] == [20, 2, 1, 3] and rows[-1] > 1, rows
            assert all("<img src=x onerror" in c and "job.lua" in c and "--only" in c for c in cells), cells
            assert failure.startswith("Failed: example 7 on rank ") and "<img src=x" in failure, failure
            assert block.startswith("rank ") and "example" in block and block != failure, block
            names = {(n["role"], n["name"]) for n in seen["tree"]}
            assert ("RootWebArea", "job.lua: report of a job") in names, names
            for part in ["Summary", "Timeline", "How long examples took", "The longest", "Failures", "Hosts and ranks"]:
                assert ("region", part) in names and ("heading", part) in names, (part, names)
            assert ("region", "What more ranks would bring") in names, names
            for caption in ["The 20 longest examples", "2 examples that failed", "Use of each host", "Use of each rank"]:
                assert ("table", caption) in names, (caption, names)
            roles = {n["role"]: n["name"] for n in seen["tree"]}
            assert roles["application"].startswith("Timeline of 3 ranks over "), roles
            images = [n["name"] for n in seen["tree"] if n["role"] == "image"]
            assert [i.split(" ")[0] for i in images] == ["Distribution", "Time"], images
            """
        let look = try run("python3 -c", program, in: scratch)
        #expect(outcome.status == 0 && look.status == 0, "\(outcome.error)\(look.error)")
    }

    @Test("a journal gives the same page afterwards, which a browser shows in the dark as well")
    func journal() throws {
        let scratch = try Scratch(job: Self.job)
        _ = try run("ameexec -np 3 dlp-lua --on-error continue --seed 5 --journal run.db job.lua a b", in: scratch)
        let outcome = try run("dlp-lua --results run.db --output out.html", in: scratch)
        #expect(outcome.status == 0 && outcome.output == "" && outcome.error == "", "\(outcome.error)")
        try check(
            """
            assert done == 60 and failed == [7, 33] and page["total"] == 60 and page["title"] == "job.lua", page
            assert page["lengths"]["count"] == 60 and len(page["longest"]) == 20 and page["facts"][0] == ["Arguments", "a b"]
            first = page["failures"][0]
            assert "onerror" in first["message"] and "in function 'work'" in first["traceback"], first
            assert '"size":7' in first["input"] and first["attempts"] == 1, first
            assert first["alone"] == "dlp-lua --seed 5 --only 7 job.lua a b", first
            assert page["length"] < 60e6 and any("cpu" in r for r in rows), page
            """, in: scratch)
        let seen = try browse("--dark", "out.html", "document.querySelectorAll('tbody tr').length", in: scratch)
        #expect(seen.status == 0 && seen.output.hasPrefix("{\"complaints\": [], "), "\(seen.output)\(seen.error)")
    }

    @Test("of a journal with stages one, or all, are on the page")
    func stages() throws {
        let scratch = try Scratch(
            job: """
                for _, name in ipairs {"one", "two"} do
                  dlp.map(function(n) if n == 3 then error("three") end return n end, 5, {stage = name, on_error = "continue"})
                end
                """)
        _ = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(try run("dlp-lua --results run.db --output all.html", in: scratch).status == 0)
        try check(
            "assert done == 10 and [f['loop'] for f in page['failures']] == ['one', 'two'] and not any('alone' in f for f in page['failures'])",
            "all.html", in: scratch)
        #expect(try run("dlp-lua --results run.db --stage two --output two.html", in: scratch).status == 0)
        try check("assert done == 5 and page['total'] == 5 and failed == [3]", "two.html", in: scratch)
        let none = try run("dlp-lua --results run.db --stage three --output no.html", in: scratch)
        #expect(none.status == 2 && none.isOneMessage("dlp-lua", with: "no stage three"), "\(none.error)")
        #expect(!scratch.names.contains { $0.hasPrefix("no.html") })
    }

    @Test("a job that fails, or is stopped, has a page that says why", arguments: commands)
    func early(_ command: String) throws {
        let failing = try Scratch(job: Self.job)
        #expect(try run("\(command) --report out.html job.lua", in: failing).status == 1)
        try check(
            "assert 0 < done <= 60 and 'onerror' in page['reason'] and len(failed) == 1 and failed[0] in (7, 33), page",
            in: failing)
        let stopped = try LongJob.scratch()
        #expect(try run("\(command) --stop-after 0.7 --report out.html job.lua", in: stopped).status == 5)
        try check(
            "assert done == \(LongJob.counts(in: stopped).count) and 'as --stop-after asks' in page['reason'], page",
            in: stopped)
        let interrupted = try Scratch(
            job: "function examples() return 1 end function work() io.open('busy', 'w'):close() while true do end end")
        let words = "\(command) --report out.html job.lua".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: interrupted)
        try launched.reaches("it is busy") { interrupted.names.contains("busy") }
        launched.signal(SIGINT)
        #expect(try launched.finish().status == 130)
        try check("assert done == 0 and 'interrupted after 0 of 1' in page['reason'], page", in: interrupted)
    }

    @Test("a lost rank is shown as such, and others do what it did not")
    func lost() throws {
        let scratch = try Scratch(job: StuckJob.script)
        let words = "ameexec -np 3 dlp-lua --report out.html job.lua 1".split(separator: " ").map { String($0) }
        let launched = try Launched(words, in: scratch)
        try StuckJob.wait(launched, in: scratch)
        try launched.signal(SIGKILL, rank: 1)
        #expect(try launched.finish().status == 0)
        try check(
            "assert done == 12 and [r['rank'] for r in rows if 'lost' in r] == [1] and 'signal 9' in rows[1]['lost'][2], page",
            in: scratch)
    }

    @Test("loops of the module are shown as well, and the script may name the file")
    func imperative() throws {
        let scratch = try Scratch(job: "for n in dlp.split_managed(20) do os.execute('sleep 0.01') end")
        #expect(try run("ameexec -np 3 dlp-lua --report out.html job.lua", in: scratch).status == 0)
        try check("assert done == 20 and page['lengths']['least'] >= 0.01", in: scratch)
        let named = try Scratch(
            job: "dlp.options = {report = 'out.html'} function examples() return 9 end function work(n) return n end")
        #expect(try run("ameexec -np 2 dlp-lua job.lua", in: named).status == 0)
        try check("assert done == 9 and page['total'] == 9", in: named)
    }

    @Test(
        "a file that cannot be written is known before any work",
        arguments: [("/no/such/directory/out.html", "No such file"), ("out.png", ".html")], commands)
    func unwritable(_ file: (name: String, says: String), _ command: String) throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work() print('work') end")
        let outcome = try run("\(command) --report \(file.name) job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: file.name, file.says), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }

    @Test("a full disk is an error")
    func full() throws {
        let scratch = try Scratch(job: "function examples() return 3 end function work() end function collect() end")
        _ = try run("ln -s /dev/full out.html", in: scratch)
        let outcome = try run("ameexec -np 2 dlp-lua --report out.html job.lua", in: scratch)
        #expect(outcome.isOneMessage("dlp-lua", with: "out.html", "No space left on device"), "\(outcome.error)")
        #expect(outcome.status == 2 && outcome.output == "")
    }
}
