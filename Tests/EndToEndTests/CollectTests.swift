import Glibc
import Simulation
import TestSupport
import Testing

/// `--collect order`, and `dlp.stop()` in `collect`.
@Suite(.hangLimit)
struct CollectTests {
    /// Monte Carlo until the standard error is small enough.
    private static let pi = """
        dlp.options = {collect = "order"}
        local n, sum, squares = 0, 0, 0
        function examples() return 1000000 end
        function work()
          local hits = 0
          for _ = 1, 2000 do
            local x, y = math.random(), math.random()
            if x * x + y * y < 1 then hits = hits + 1 end
          end
          return 4 * hits / 2000
        end
        function collect(value, index)
          n, sum, squares = n + 1, sum + value, squares + value * value
          local mean = sum / n
          local drawn = math.random(1000)
          if n > 10 and math.sqrt((squares / n - mean * mean) / n) < 0.0015 then
            print(index, drawn)
            dlp.stop()
          end
        end
        function summarize(results)
          print(results.n, #results, results[1], results[results.n], sum / n, results.errors, results.indices)
        end
        """
    private static let modes = ["map", "managed", "round-robin"]
    private static let starts = [
        "dlp-lua", "ameexec -np 2 dlp-lua", "ameexec -np 5 dlp-lua --chunk 7", "ameexec -np 16 dlp-lua",
        "ameexec -np 3 dlp-lua --root-works no --examples root", "mpiexec.openmpi -n 2 dlp-lua",
        "mpiexec.openmpi -n 5 dlp-lua --chunk 7", "mpiexec.openmpi -n 16 dlp-lua",
    ]

    /// Returns the output of a job on one rank, and the file of its results.
    private func reference(_ job: String) throws -> (output: String, file: String) {
        let scratch = try Scratch(job: job)
        let outcome = try run("dlp-lua --output results.json job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.error == "", "\(outcome)")
        return (outcome.output, try #require(scratch.read("results.json")))
    }

    @Test(
        "Monte Carlo until a tolerance comes to the same for any number of ranks in any mode", arguments: modes, starts)
    func tolerance(_ mode: String, _ start: String) throws {
        let reference = try reference(Self.pi)
        let scratch = try Scratch(job: Self.pi)
        let outcome = try run(
            "\(start) --mode \(mode) --output results.json job.lua", in: scratch, environment: Testbed.environment)
        #expect(outcome.output == reference.output && outcome.error == "" && outcome.status == 0, "\(outcome)")
        #expect(scratch.read("results.json") == reference.file)
    }

    @Test("so it does where the job is killed, and goes on by its journal", arguments: modes, 0..<3)
    func killed(_ mode: String, _ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let job = Self.pi.replacing(
            "return 1000000",
            with:
                "return \(seed == 2 ? "pairs(setmetatable({}, {__pairs = function() local i = 0 return function() i = i + 1 return i end end}))" : "1000000")"
        )
        .replacing("local hits = 0", with: "local hits = 0 io.open('begun', 'a'):close()")
        let reference = try reference(job)
        let scratch = try Scratch(job: job)
        for _ in 0..<2 {
            let launched = try Launched(
                "ameexec -np \(Int.random(in: 1...4, using: &random)) dlp-lua --mode \(mode) --journal run.db job.lua"
                    .split(separator: " ").map { String($0) }, in: scratch)
            try launched.reaches("it works") { scratch.names.contains("begun") }
            usleep(.random(in: 0..<150_000, using: &random))
            launched.signalIfRunning(SIGKILL, rank: 0)
            _ = try launched.finish()
        }
        for ranks in [3, 1, 2] {
            let outcome = try run(
                "ameexec -np \(ranks) dlp-lua --mode \(mode) --journal run.db --output results.json job.lua",
                in: scratch)
            #expect(outcome.output == reference.output && outcome.error == "" && outcome.status == 0, "\(outcome)")
            #expect(scratch.read("results.json") == reference.file)
        }
    }

    @Test(
        "a job of which nothing is left when it is halted is done, and one of which something is knows its length",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --collect order"])
    func halted(_ start: String) throws {
        let job = """
            function examples() return 6 end
            function work(i)
              io.open("begun." .. i, "w"):close()
              while i >= (arg[1] == "all" and 5 or 3) and not io.open("go") do dlp.sleep(0.01) end
              return i
            end
            local sum = 0
            function collect(value) sum = sum + value end
            function summarize(results) print(results.n, sum) end
            """
        for words in ["all", "some"] {
            let scratch = try Scratch(job: job)
            let launched = try Launched(
                "\(start) --chunk 1 --journal run.db job.lua \(words)".split(separator: " ").map { String($0) },
                in: scratch)
            let ranks = start.contains("-np 3") ? 3 : 1
            // Which examples wait depends on what was handed out ahead.
            let held = words == "all" ? 5...6 : 3...6
            try launched.reaches("each rank has begun one that waits, as far as there are so many") {
                held.count { scratch.names.contains("begun.\($0)") } == min(held.count, ranks)
            }
            launched.signal(SIGTERM)
            let isDone = words == "all" && ranks == 3
            if isDone {
                // The signal mostly comes before any example ends; the job must be done in any case.
                usleep(300_000)
                try scratch.write("go", "")
            }
            let outcome = try launched.finish()
            #expect(outcome.status == (isDone ? 0 : 143), "\(words): \(outcome)")
            if isDone { #expect(outcome.output == "6\t21\n", "\(outcome)") }
            if !isDone { #expect(outcome.error.contains(" of 6 examples"), "\(outcome.error)") }
        }
    }

    @Test("workers that are killed meanwhile change nothing of it", arguments: modes, 0..<4)
    func lostWorkers(_ mode: String, _ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // The job has about 600 examples.
        let mark = "io.open('begun.' .. dlp.RANK, 'a'):close() local till = os.clock() + 0.002"
        let job = Self.pi.replacing("local hits = 0", with: "local hits = 0 \(mark) while os.clock() < till do end")
        let reference = try reference(job)
        let scratch = try Scratch(job: job)
        let launched = try Launched(
            "ameexec -np 4 dlp-lua --mode \(mode) --crash-limit 99 --output results.json job.lua".split(separator: " ")
                .map { String($0) }, in: scratch)
        // Once a rank has begun an example, the job can do without it.
        try launched.reaches("all work, or it is over") {
            Set(scratch.names).isSuperset(of: (1...3).map { "begun.\($0)" }) || launched.hasEnded
        }
        for rank in [1, 2, 3].shuffled(using: &random).prefix(Int(seed % 3) + 1) {
            usleep(.random(in: 0..<100_000, using: &random))
            launched.signalIfRunning(SIGKILL, rank: rank)
        }
        let outcome = try launched.finish()
        #expect(outcome.output == reference.output && outcome.status == 0, "\(outcome)")
        #expect(outcome.complaints.allSatisfy { $0.contains("lost rank ") }, "\(outcome.error)")
        #expect(scratch.read("results.json") == reference.file)
    }

    @Test(
        "what is under work when the script has enough is given up at once, with its programs",
        arguments: [
            "ameexec -np 4 dlp-lua", "mpiexec.openmpi -n 4 dlp-lua", "mpiexec.mpich -n 4 dlp-lua --backend mpi",
            "mpiexec.hydra -n 4 dlp-lua",
        ],
        [
            "dlp.sleep(1000)", "while true do end", "os.execute('sleep 1000; sleep 1000')",
            "dlp.run{'sh', '-c', 'trap \"\" TERM; while :; do sleep 0.1; done'}",
        ])
    func giveUp(_ start: String, _ waits: String) throws {
        let job = """
            function examples() return 40 end
            function work(i)
              if i > 2 then
                io.open("waits." .. dlp.RANK, "w"):close()
                \(waits)
              end
              while i == 2 do
                local waiting = 0
                for rank = 1, 3 do waiting = waiting + (io.open("waits." .. rank) and 1 or 0) end
                if waiting == 2 then break end
                dlp.sleep(0.01)
              end
              return i
            end
            function collect(value, index)
              if index == 2 then dlp.stop() end
            end
            function summarize(results) print(results.n, results[1], results[2]) end
            """
        for collect in ["order", "arrival"] {
            let outcome = try run(
                "\(start) --root-works no --chunk 1 --collect \(collect) job.lua", in: Scratch(job: job),
                environment: Testbed.environment)
            #expect(outcome.output == "2\t1\t2\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
        }
    }

    @Test("as results arrive the script gets those that it has seen, and so does the file")
    func arrival() throws {
        let job = """
            local seen = {}
            function examples() return 20 end
            function work(i)
              while i == 1 and not io.open("enough") do dlp.sleep(0.01) end
              return i * 10
            end
            function collect(value, index)
              seen[#seen + 1] = index
              if #seen == 8 then
                io.open("enough", "w"):close()
                dlp.stop()
              end
            end
            function summarize(results)
              table.sort(seen)
              for place, index in ipairs(seen) do
                assert(results.indices[place] == index and results[place] == 10 * index)
              end
              print(results.n, results.errors)
            end
            """
        for (suffix, file) in [
            ("json", "[\n20,\n30,\n40,\n50,\n60,\n70,\n80,\n90\n]\n"),
            ("csv", "index,result\n2,20\n3,30\n4,40\n5,50\n6,60\n7,70\n8,80\n9,90\n"),
        ] {
            let scratch = try Scratch(job: job)
            let outcome = try run(
                "ameexec -np 3 dlp-lua --root-works no --chunk 1 --output some.\(suffix) job.lua",
                in: scratch)
            #expect(outcome.output == "8\tnil\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
            #expect(scratch.read("some.\(suffix)")?.replacing("\r\n", with: "\n") == file)
        }
    }

    @Test(
        "an example that fails has its turn",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 7 dlp-lua --chunk 1"])
    func failures(_ start: String) throws {
        let job = """
            function examples() return 100 end
            function work(i)
              if i == 12 or i == 40 then error("no " .. i) end
              return i
            end
            local last = 0
            function collect(value, index)
              assert(index == last + 1 or index == 13 and last == 11)
              last = index
              if index == tonumber(arg[1]) then dlp.stop() end
            end
            function summarize(results)
              print(results.n, results[results.n], results.errors and results.errors[12].message:match("no.*"))
            end
            """
        let scratch = try Scratch(job: job)
        let before = try run("\(start) --collect order job.lua 11", in: scratch)
        #expect(before.output == "11\t11\tnil\n" && before.error == "" && before.status == 0, "\(before)")
        let behind = try run("\(start) --collect order job.lua 30", in: scratch)
        #expect(behind.output == "" && behind.status == 1, "\(behind)")
        #expect(behind.error.contains("example 12 failed") && !behind.error.contains("example 40"), "\(behind.error)")
        let both = try run("\(start) --collect order --on-error continue job.lua 30", in: scratch)
        #expect(both.output == "30\t30\tno 12\n" && both.status == 4, "\(both)")
        #expect(both.error.contains("1 of 30 examples failed"), "\(both.error)")
    }

    @Test("chosen examples are collected in their order, too", arguments: modes)
    func chosen(_ mode: String) throws {
        let job = """
            function examples() return 1000 end
            function work(i) return i end
            local seen = {}
            function collect(value, index)
              seen[#seen + 1] = index
              if index == 700 then dlp.stop() end
            end
            function summarize(results)
              print(table.concat(seen, " "), table.concat(results, " "), table.concat(results.indices, " "))
            end
            """
        let outcome = try run(
            "ameexec -np 3 dlp-lua --mode \(mode) --collect order --only 3,8-10,500,700-999 job.lua",
            in: Scratch(job: job))
        let indices = "3 8 9 10 500 700"
        #expect(outcome.output == "\(indices)\t\(indices)\t\(indices)\n" && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "whoever stops the job elsewhere is told where that is possible",
        arguments: [
            "function examples() return 1 end function work() dlp.stop() end",
            "for i in dlp.split_managed(3) do dlp.stop() end", "dlp.stop()",
        ])
    func elsewhere(_ job: String) throws {
        let outcome = try run("dlp-lua job.lua", in: Scratch(job: job))
        #expect(outcome.status == 1 && outcome.output == "")
        #expect(
            outcome.error.contains(
                "job.lua:1: dlp.stop() is for the function collect of a job, which sees the results one by one; a loop is left "
                    + "by break"), "\(outcome.error)")
    }
}
