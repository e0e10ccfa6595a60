import Glibc
import Simulation
import TestSupport
import Testing

/// `dlp.add` in `collect`.
@Suite(.hangLimit)
struct GrowthTests {
    /// A search tree of 1,023 nodes, whose list begins as a list of each kind.
    private static func tree(_ examples: String) -> String {
        """
        function examples()
          \(examples)
        end
        function work(node, index)
          io.open("begun", "a"):close()
          local n = type(node) == "table" and node[1] or node
          return {node = n, index = index, random = math.random(1000)}
        end
        local best = 0
        function collect(result, index, example)
          assert(result.node == (type(example) == "table" and example[1] or example))
          -- As results arrive an example may have another index after a resume.
          assert(result.index == index or dlp.options.collect ~= "order")
          best = (best * 31 + result.random * index) % 1000003
          local n = result.node
          if 2 * n <= 1023 then dlp.add({2 * n}, {2 * n + 1}) end
        end
        function summarize(results)
          local sum = 0
          for i = 1, results.n do sum = sum + results[i].node * results[i].random end
          print(results.n, sum, dlp.options.collect == "order" and best or "")
        end
        """
    }
    private static let lists = [
        "return {{1}}", "return 1", "local i = 0 return function() i = i + 1 if i == 1 then return {1} end end",
    ]
    private static let modes = ["map", "managed", "round-robin"]

    @Test("a search tree comes to the same for any number of ranks in any mode", arguments: lists, modes)
    func tree(_ list: String, _ mode: String) throws {
        let job = "dlp.options = {collect = 'order'}\n" + Self.tree(list)
        let scratch = try Scratch(job: job)
        let expected = try run("lua5.4 \(Program.scripts)/reference.lua job.lua", in: scratch)
        try #require(expected.output.hasPrefix("1023\t") && expected.error == "", "\(expected)")
        for start in [
            "dlp-lua", "ameexec -np 2 dlp-lua", "ameexec -np 7 dlp-lua",
            "ameexec -np 3 dlp-lua --root-works no --chunk 5",
            "ameexec -np 3 dlp-lua --examples root", "mpiexec.openmpi -n 3 dlp-lua",
        ] {
            let outcome = try run("\(start) --mode \(mode) job.lua", in: scratch, environment: Testbed.environment)
            #expect(
                outcome.output == expected.output && outcome.error == "" && outcome.status == 0, "\(start): \(outcome)")
        }
    }

    @Test("as results arrive each example is done once, and seen with its value", arguments: lists, modes)
    func arrival(_ list: String, _ mode: String) throws {
        let outcome = try run("ameexec -np 4 dlp-lua --mode \(mode) job.lua", in: Scratch(job: Self.tree(list)))
        #expect(outcome.output.hasPrefix("1023\t") && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("a job that is killed goes on with what it had added, and does nothing twice", arguments: lists, 0..<3)
    func killed(_ list: String, _ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let order = seed > 0 ? "dlp.options = {collect = 'order'}\n" : ""
        let scratch = try Scratch(job: order + Self.tree(list))
        let launched = try Launched(
            "ameexec -np 3 dlp-lua --journal run.db job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("it works") { scratch.names.contains("begun") }
        usleep(.random(in: 0..<300_000, using: &random))
        launched.signalIfRunning(SIGKILL, rank: 0)
        _ = try launched.finish()
        let outcome = try run("ameexec -np 2 dlp-lua --journal run.db job.lua", in: scratch)
        #expect(outcome.error == "" && outcome.status == 0 && outcome.output.hasPrefix("1023\t"), "\(outcome)")
        if seed > 0 {
            #expect(outcome.output == (try run("dlp-lua job.lua", in: scratch).output))
        }
        _ = unlink("\(scratch.path)/begun")
        let again = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(again.output == outcome.output && !scratch.names.contains("begun"), "\(again)")
        #expect(try run("sqlite3 run.db", "SELECT count(*) FROM results", in: scratch).output == "1023\n")
    }

    @Test(
        "retries, ranks that die, --stop-after and dlp.stop mean what they mean elsewhere",
        arguments: ["arrival", "order"])
    func trouble(_ collect: String) throws {
        let job = """
            function examples() return 20 end
            function work(n)
              local n = type(n) == "table" and n.n or n
              if n == 100 and not io.open("died") then
                io.open("died", "w"):close()
                os.execute("kill -9 " .. io.open("/proc/self/stat"):read("n"))
              end
              if n % 7 == 0 and not io.open("tried." .. n) then
                io.open("tried." .. n, "w"):close()
                error("once")
              end
              if n % 50 == 3 then error("ever") end
              dlp.sleep(0.002)
              return n
            end
            local seen = 0
            function collect(result)
              seen = seen + 1
              if seen == tonumber(arg[1]) then dlp.stop() end
              if result <= 500 and result % 50 ~= 3 then dlp.add({n = 20 + 2 * result - 1}, {n = 20 + 2 * result}) end
            end
            function summarize(results) print(results.n, seen, results.errors and results.errors.n or 0) end
            """
        let options = "--retries 1 --root-works no --on-error continue --collect \(collect)"
        let scratch = try Scratch(job: job)
        let whole = try run("ameexec -np 4 dlp-lua \(options) job.lua", in: scratch)
        #expect(whole.status == 4 && whole.error.contains("lost rank"), "\(whole)")
        let counts = whole.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        try #require(counts.count == 3)
        #expect(counts[0] == counts[1] + counts[2] && counts[2] >= 15, "\(whole)")
        #expect(!whole.error.contains("--only 1"), "what was added cannot be named: \(whole.error)")
        let part = try run("ameexec -np 3 dlp-lua \(options) --stop-after 0.2 --journal run.db job.lua", in: scratch)
        #expect(part.status == 5 && part.error.contains("start again with the same --journal"), "\(part)")
        let rest = try run("ameexec -np 3 dlp-lua \(options) --journal run.db job.lua", in: scratch)
        #expect(rest.output == whole.output && rest.status == 4, "\(rest)")
        let stopped = try run("ameexec -np 3 dlp-lua \(options) job.lua 200", in: scratch)
        let seen = stopped.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        #expect(seen.count == 3 && seen[1] == 200 && seen[0] == 200 + seen[2], "\(stopped)")
    }

    @Test("a million examples are added")
    func million() throws {
        let job = """
            function examples() return {1} end
            function work(n) return n end
            local sum = 0
            function collect(result)
              sum = sum + result
              for n = 2 * result, math.min(2 * result + 1, 1000000) do dlp.add(n) end
            end
            function summarize(results) print(results.n, sum) end
            """
        for options in ["", "--collect order"] {
            let outcome = try run("ameexec -np 3 dlp-lua \(options) job.lua", in: Scratch(job: job))
            #expect(
                outcome.output == "1000000\t500000500000\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
        }
    }

    @Test("the lines of standard input are the beginning of a list", arguments: ["arrival", "order"])
    func lines(_ collect: String) throws {
        let job = """
            function work(word) return word end
            function collect(result, index)
              if #result < 3 then dlp.add(result .. "a", result .. "b") end
            end
            function summarize(results)
              table.sort(results)
              print(table.concat(results, " "))
            end
            """
        let outcome = try run(
            "ameexec -np 3 dlp-lua --collect \(collect) job.lua", in: Scratch(job: job), input: "x\ny\n")
        let words = ["x", "y"].flatMap { first in ["", "a", "aa", "ab", "b", "ba", "bb"].map { first + $0 } }
        #expect(outcome.output == words.joined(separator: " ") + "\n" && outcome.status == 0, "\(outcome)")
    }

    @Test("a choice from a list does not grow, and nothing is added elsewhere or that cannot travel")
    func refused() throws {
        let job = """
            function examples() return 3 end
            function work(i) return i end
            function collect(i) dlp.add(i) end
            function summarize(results) print(results.n) end
            """
        #expect(try run("dlp-lua --only 2-3 job.lua", in: Scratch(job: job)).output == "2\n")
        let elsewhere = try run("dlp-lua -e", "dlp.add(1)")
        #expect(
            elsewhere.status == 1
                && elsewhere.error.contains("dlp.add() is for the function collect of a job: only there a list grows"))
        for (value, complaint) in [
            ("nil", "dlp.add: example 1 of the call is nil"),
            ("1, {print}", "dlp.add: example 2 of the call[1] is a function, which cannot travel"),
        ] {
            let wrong = try run("dlp-lua -e", job.replacing("dlp.add(i)", with: "dlp.add(\(value))"))
            #expect(
                wrong.status == 1 && wrong.error.contains("collect failed on example 1: (command line):3: " + complaint)
            )
        }
    }
}
