import TestSupport
import Testing

/// Iterators that are asked as late as possible, and `dlp.LATER`.
@Suite(.hangLimit)
struct LaterTests {
    private static let starts = ["dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --root-works no"]

    @Test("the first example is begun while the next one is being made", arguments: starts.dropFirst())
    func first(_ start: String) throws {
        let job = """
            function examples()
              local i = 0
              return function()
                i = i + 1
                -- It would wait for ever if nothing were begun before the list is there.
                while i == 20 and not io.open("begun") do dlp.sleep(0.01) end
                if i <= 40 then return i end
              end
            end
            function work(i)
              io.open("begun", "w"):close()
              return i
            end
            """
        let outcome = try run("\(start) job.lua", in: Scratch(job: job))
        #expect(outcome.lines.count == 40 && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("of long examples no more are made beforehand than there are ranks to do them", arguments: starts)
    func readAhead(_ start: String) throws {
        let job = """
            local made, collected, most = 0, 0, 0
            function examples()
              return function()
                made = made + 1
                if made > 60 then return nil end
                most = math.max(most, made - collected)
                return made
              end
            end
            function work(i)
              dlp.sleep(0.05)
              return i
            end
            function collect() collected = collected + 1 end
            function summarize(results) print(results.n, most <= 16 or most) end
            """
        let outcome = try run("\(start) job.lua", in: Scratch(job: job))
        #expect(outcome.output == "60\ttrue\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "an iterator that has once had nothing to propose is asked only by ranks that have nothing to do",
        arguments: starts, ["map", "managed", "round-robin"])
    func asked(_ start: String, _ mode: String) throws {
        let job = """
            local made, collected, most, waits = 0, 0, 0, 0
            function examples()
              return function()
                if made == dlp.SIZE and collected < made then
                  waits = waits + 1
                  return dlp.LATER
                end
                if made == 300 then return nil end
                made = made + 1
                most = math.max(most, made - collected)
                return {made}
              end
            end
            function work(t)
              if t[1] == dlp.SIZE then dlp.sleep(0.3) end
              return t[1]
            end
            function collect(result, index, t)
              assert(t[1] == result)
              collected = collected + 1
            end
            -- A result that is on its way, or waits here, is under work no more.
            function summarize(results) print(results.n, results[300], waits > 0 and most <= 3 * dlp.SIZE or most) end
            """
        let outcome = try run("\(start) --mode \(mode) job.lua", in: Scratch(job: job))
        #expect(outcome.output == "300\t300\ttrue\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("one that waits while nothing is under work is an error", arguments: starts, [0, 3])
    func stillness(_ start: String, _ count: Int) throws {
        let job = """
            function examples()
              local i = 0
              return function()
                i = i + 1
                return i <= \(count) and i or dlp.LATER
              end
            end
            function work(i) return i end
            """
        for script in [
            job, job + "\nfunction collect() end", job + "\ndlp.options = {collect = 'order'} function collect() end",
        ] {
            let outcome = try run("\(start) job.lua", in: Scratch(job: script))
            #expect(outcome.status == 1, "\(outcome)")
            #expect(
                outcome.error.contains(
                    "the iterator of examples() returned dlp.LATER, but nothing is under work: there is no result to wait for"
                ),
                "\(outcome.error)")
        }
    }

    @Test("what is added while the iterator waits is done, and failures are worth another look", arguments: starts)
    func added(_ start: String) throws {
        let job = """
            local seen = 0
            function examples()
              local i = 0
              return function()
                if i == 4 then
                  if seen < 4 then return dlp.LATER end
                  return nil
                end
                i = i + 1
                return i
              end
            end
            function work(i)
              if i == 2 then error("no") end
              return i
            end
            function collect(i)
              seen = seen + 1
              if i == 3 then dlp.add("more") end
            end
            function summarize(results) print(results.n, seen, results.errors.n) end
            """
        for collect in ["arrival", "order"] {
            let outcome = try run(
                "\(start) --collect \(collect) --on-error continue job.lua", in: Scratch(job: job))
            #expect(outcome.output == "5\t4\t1\n" && outcome.status == 4, "\(outcome)")
        }
    }

    @Test("an optimiser goes on by its journal")
    func journal() throws {
        let scratch = try Scratch()
        let job = "\(Program.example("evolution.lua")) 6"
        let expected = try run("dlp-lua \(job)", in: scratch)
        for ranks in [3, 1, 2] {
            let part = try run("ameexec -np \(ranks) dlp-lua --journal run.db --stop-after 0.05 \(job)", in: scratch)
            #expect([0, 5].contains(part.status), "\(part)")
        }
        let outcome = try run("ameexec -np 2 dlp-lua --journal run.db \(job)", in: scratch)
        #expect(outcome.output == expected.output && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }
}
