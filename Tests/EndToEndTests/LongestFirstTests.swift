import TestSupport
import Testing

/// The longest examples first, where their lengths are known: from `cost`, or from an earlier run.
@Suite(.hangLimit)
struct LongestFirstTests {
    /// Where `FIRST` names an example, all others wait until that one has begun.
    ///
    /// A job that begins with other examples on all of its ranks fails.
    private static let job = """
        local first, mark = os.getenv("FIRST"), os.getenv("MARK")
        local function isBegun() local file = io.open(mark) if file then file:close() end return file end
        function wait(example)
          if example == first then io.open(mark, "w"):close() end
          local last = os.time() + 100
          while first and not isBegun() do assert(os.time() < last, first .. " has not begun before " .. example) end
        end
        function examples()
          local list = {}
          for i = 1, 40 do list[i] = "e" .. i end
          return list
        end
        function work(example, index)
          wait(example)
          return example .. " " .. index .. " " .. math.random(1 << 40)
        end

        """
    private static let cost = "function cost(example, index) return example == 'e40' and 100 or 1 end\n"
    private static let starts = [
        "dlp-lua -np 1", "ameexec -np 2 dlp-lua", "ameexec -np 3 dlp-lua", "mpiexec.openmpi -n 3 dlp-lua --backend mpi",
    ]

    /// Runs a job; `first` must begin before all others.
    private func run(_ command: String, _ scratch: Scratch, first: String? = nil) throws -> Outcome {
        var environment = Testbed.environment
        if let first { environment["FIRST"] = first }
        // A new mark for each run, so that an earlier job's mark does not count.
        environment["MARK"] = "begun-\(entries(of: scratch.path).count)-\(UInt64.random(in: 0...(.max)))"
        return try EndToEndTests.run(command, in: scratch, environment: environment)
    }

    @Test("the longest is begun first, and the results are the same bytes", arguments: starts, ["map", "managed"])
    func first(_ start: String, _ mode: String) throws {
        let scratch = try Scratch(job: Self.job)
        let without = try run("dlp-lua job.lua", scratch)
        try #require(without.status == 0 && without.lines.count == 40, "\(without)")
        try scratch.write("job.lua", Self.job + Self.cost)
        for options in [
            "", "--examples root", "--chunk 3", "--journal run.db", "--examples root --journal sent.db",
            "--on-error continue --retries 1",
        ] {
            let outcome = try run("\(start) --mode \(mode) \(options) job.lua", scratch, first: "e40")
            #expect(outcome.output == without.output, "\(options): \(outcome)")
            #expect(outcome.error == "" && outcome.status == 0, "\(options)")
        }
        let some = try run("\(start) --mode \(mode) --only 3,20-40 job.lua", scratch, first: "e40")
        #expect(some.lines == ([2] + Array(19..<40)).map { without.lines[$0] }, "\(some)")
    }

    @Test("collect sees the order that was asked for, and may add examples", arguments: starts)
    func collect(_ start: String) throws {
        let scratch = try Scratch(
            job: Self.job + Self.cost + """
                function collect(result, index, example)
                  print(index, result)
                  if index == 40 then dlp.add("more", "still more") end
                end

                """)
        for options in ["", "--collect order", "--collect order --journal run.db", "--examples root"] {
            let outcome = try run("\(start) \(options) job.lua", scratch, first: "e40")
            #expect(outcome.error == "" && outcome.status == 0, "\(options): \(outcome)")
            let indices = outcome.lines.compactMap { Int($0.prefix { $0 != "\t" }) }
            #expect(options.contains("order") ? indices == Array(1...42) : indices.sorted() == Array(1...42))
        }
    }

    @Test(
        "a cost that is none ends the job with its example and line",
        arguments: [
            ("error('no idea')", "job.lua:2: no idea"),
            ("return 'x'", "job.lua:1: cost() returned a string; it must return a finite number from 0 on"),
            ("return '7'", "job.lua:1: cost() returned a string; "), ("return 0/0", "job.lua:1: cost() returned nan; "),
            ("return -1", "job.lua:1: cost() returned -1; "), ("return math.huge", "job.lua:1: cost() returned inf; "),
            ("return nil", "job.lua:1: cost() returned nothing; "), ("", "job.lua:1: cost() returned nothing; "),
        ], ["dlp-lua -np 1", "ameexec -np 3 dlp-lua"])
    func nonsense(_ cost: (body: String, message: String), _ start: String) throws {
        let scratch = try Scratch(
            job: """
                function cost(example, index)
                  if index == 3 then \(cost.body) end
                  if index ~= 3 then return 1 end
                end
                function examples() return {"a", "b", "c", "d"} end
                function work() io.open("worked", "w"):close() end
                """)
        let outcome = try run("\(start) job.lua", scratch)
        #expect(outcome.status == 1)
        #expect(outcome.error.contains("cost failed on example 3"), "\(outcome)")
        #expect(outcome.error.contains("given \"c\": \(cost.message)"), "\(outcome)")
        #expect(outcome.error.matches(of: /cost failed/).count == 1)
        #expect(scratch.read("worked") == nil)
    }

    @Test("what took longest in an earlier run is begun first, wherever it stands now", arguments: starts)
    func earlierRun(_ start: String) throws {
        let slow = "local quick = work\nfunction work(e, i) if e == 'e7' then dlp.sleep(2) end return quick(e, i) end\n"
        let scratch = try Scratch(job: Self.job + slow)
        #expect(try run("ameexec -np 2 dlp-lua --journal run.db job.lua", scratch).status == 0)
        let reversed = """
            local forward = examples
            function examples()
              local list = {"new"}
              for i, example in ipairs(forward()) do table.insert(list, 1, example) end
              return list
            end

            """
        try scratch.write("job.lua", Self.job + reversed)
        let without = try run("dlp-lua job.lua", scratch)
        for options in ["", "--mode managed", "--journal run.db --fresh", "--only 2-41"] {
            let outcome = try run("\(start) --costs run.db \(options) job.lua", scratch, first: "e7")
            let lines = options.contains("only") ? Array(without.lines[1...]) : without.lines
            #expect(outcome.lines == lines && outcome.error == "" && outcome.status == 0, "\(options): \(outcome)")
            if options.contains("fresh") {
                // In that run, the example was fast everywhere.
                try scratch.write("job.lua", Self.job + slow)
                #expect(try run("dlp-lua --journal run.db --fresh job.lua", scratch).status == 0)
                try scratch.write("job.lua", Self.job + reversed)
            }
        }
        // The script knows the cost of the example that the earlier run does not know.
        try scratch.write("job.lua", Self.job + reversed + "function cost(e) return e == 'new' and 1e6 or 1 end\n")
        let both = try run("\(start) --costs run.db job.lua", scratch, first: "new")
        #expect(both.output == without.output && both.error == "" && both.status == 0, "\(both)")
    }

    @Test("a resumed job begins with what took longest before it failed", arguments: starts)
    func resumed(_ start: String) throws {
        let failing = """
            local quick = work
            function work(e, i)
              if e == "e30" then dlp.sleep(2) end
              if i > 20 then error("not yet") end
              return quick(e, i)
            end

            """
        let scratch = try Scratch(job: Self.job + failing)
        let first = try run("ameexec -np 2 dlp-lua --journal run.db --on-error continue job.lua", scratch)
        #expect(first.status == 4)
        try scratch.write("job.lua", Self.job)
        let outcome = try run("\(start) --journal run.db --keep job.lua", scratch, first: "e30")
        #expect(outcome.status == 0 && outcome.lines.count == 40, "\(outcome)")
        #expect(outcome.output == (try run("dlp-lua job.lua", scratch)).output)
    }

    @Test(
        "a file that tells nothing is a reason not to begin",
        arguments: [
            ("none.db", "--costs: cannot open the journal none.db: No such file or directory"),
            ("job.lua", "--costs: job.lua is no journal"),
            ("empty.db", "--costs: empty.db has no example of a job with the seconds that it took"),
        ], ["dlp-lua -np 1", "ameexec -np 2 dlp-lua"])
    func foreignFile(_ file: (name: String, message: String), _ start: String) throws {
        let scratch = try Scratch(job: Self.job)
        try scratch.write("none.lua", "function examples() return 0 end function work() end")
        _ = try run("dlp-lua --journal empty.db none.lua", scratch)
        let outcome = try run("\(start) --costs \(file.name) --output out.csv job.lua", scratch)
        #expect(outcome.status == 2 && outcome.error.contains(file.message), "\(outcome)")
        #expect(scratch.read("out.csv") == nil)
        let same = try run("\(start) --costs empty.db --output empty.db job.lua", scratch)
        #expect(same.status == 2 && same.error.contains("name the same file"), "\(same)")
    }

    @Test("what cost does to an example work and collect do not see", arguments: starts, ["", "--examples root"])
    func changed(_ start: String, _ options: String) throws {
        let job = """
            function examples() local list = {} for i = 1, 8 do list[i] = {n = i} end return list end
            function cost(example) example.n = example.n * 100 return example.n end
            function work(example) return example.n end
            function collect(result, index, example) assert(result == index and example.n == index, index) end
            """
        let scratch = try Scratch(job: job)
        let outcome = try run("\(start) \(options) job.lua", scratch)
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "a loop of the module begins with what its own cost says, and gives what it gives without", arguments: starts,
        ["map", "map_unordered", "split_managed"])
    func loops(_ start: String, _ function: String) throws {
        let job =
            Self.job.replacing("function work(example, index)", with: "local function body(example, index)")
                + """
                local options = {stage = FUNCTION ~= "split_managed" and "all" or nil}
                if os.getenv("FIRST") then
                  function options.cost(element, index)
                    assert(index == tonumber(element.name:sub(2)))
                    element.name = "changed"
                    math.random()
                    return index == 40 and 100 or 1
                  end
                end
                local list = examples()
                for i, name in ipairs(list) do list[i] = {name = name} end
                local function named(element, index) return body(element.name, index) end
                local found = {}
                if FUNCTION == "map" then
                  found = dlp.map(named, list, options)
                elseif FUNCTION == "map_unordered" then
                  for result, index in dlp.map_unordered(named, list, options) do found[index] = result end
                else
                  for element, index in dlp.split_managed(list, options) do found[index] = named(element, index) end
                  local all = dlp.gather(found)
                  if all then for _, some in ipairs(all) do for i, result in pairs(some) do found[i] = result end end end
                end
                if dlp.IS_ROOT then for i = 1, 40 do print(found[i]) end print(math.random(1 << 40)) end

                """
        let scratch = try Scratch(job: "local FUNCTION = \"\(function)\"\n" + job)
        let without = try run("dlp-lua job.lua", scratch)
        try #require(without.status == 0 && without.lines.count == 41, "\(without)")
        for options in ["", "--chunk 3", "--journal run.db"] {
            let outcome = try run("\(start) \(options) job.lua", scratch, first: "e40")
            #expect(outcome.output == without.output && outcome.status == 0, "\(options): \(outcome)")
        }
    }

    @Test(
        "what is no cost of a loop is an error of its line",
        arguments: [
            (
                "map(print, {1, 2}, {cost = function() return 'x' end})",
                "map: cost returned a string for element 1; it must"
            ),
            ("map(print, 3, {cost = function(n) return n - 2 end})", "map: cost returned -1 for element 1; it must"),
            ("map(print, 3, {cost = function(n) end})", "map: cost returned nothing for element 1; it must"),
            ("map(print, 3, {cost = function() return 0/0 end})", "for element 1; it must return a finite number"),
            ("map(print, 3, {cost = 7})", "map: cost must be a function, not 7"),
            ("map(print, function() end, {cost = print})", "map: cost needs a list or a number"),
            ("split_round_robin(3, {cost = print})", "split_round_robin: cost is of no use where"),
        ], ["dlp-lua -np 1", "ameexec -np 2 dlp-lua"])
    func loopNonsense(_ call: (text: String, message: String), _ start: String) throws {
        let outcome = try run("\(start) job.lua", Scratch(job: "\ndlp.\(call.text)\n"))
        #expect(outcome.status == 1 && outcome.error.contains("job.lua:2: "), "\(outcome)")
        #expect(outcome.error.contains(call.message), "\(outcome)")
    }

    @Test("a list that is too long to be ordered is gone through in its own order, and the user is told")
    func long() throws {
        let job = "function examples() return 1 << 40 end function cost(e) return e end function work(e) return e end"
        let outcome = try run("ameexec -np 2 dlp-lua --sample 5 job.lua", Scratch(job: job))
        #expect(outcome.lines.count == 5 && outcome.status == 0, "\(outcome)")
        #expect(outcome.complaints.count == 1 && outcome.error.contains("this one has \(1 << 40)"), "\(outcome)")
    }

    @Test("a job that is to stop asks cost no more")
    func halted() throws {
        let job = """
            function examples() return 1000000 end
            function cost(e) io.open("asked", "a"):write("x"):close() dlp.sleep(0.01) return e end
            function work(e) return e end
            """
        let scratch = try Scratch(job: job)
        let outcome = try run("dlp-lua --stop-after 0.3 job.lua", scratch)
        #expect(outcome.status == 5 && outcome.error.contains("stopped after 0 examples"), "\(outcome)")
        #expect(scratch.read("asked")?.count ?? 0 < 1000)
    }

    @Test("where costs cannot be heeded the user is told, and cost is not called")
    func noUse() throws {
        let job = "function work(e) return e end function cost() error('called') end\n"
        let scratch = try Scratch(job: job + "function examples() return 5 end")
        let shares = try run("ameexec -np 2 dlp-lua --mode round-robin job.lua", scratch)
        #expect(shares.lines.count == 5 && shares.status == 0)
        #expect(shares.complaints.count == 1 && shares.error.contains("cost() is of no use in mode round-robin"))
        let iterator = "function examples() local n = 0 return function() if n < 5 then n = n + 1 return n end end end"
        try scratch.write("job.lua", job + iterator)
        let read = try run("ameexec -np 2 dlp-lua job.lua", scratch)
        #expect(read.lines.count == 5 && read.status == 0)
        #expect(read.complaints.count == 1 && read.error.contains("cost() is of no use here: the examples are read"))
        // A `cost` that is not a function belongs to the script.
        try scratch.write("job.lua", "cost = 5 function examples() return 2 end function work(e) return cost end")
        #expect(try run("ameexec -np 2 dlp-lua job.lua", scratch).output == "5\n5\n")
    }
}
