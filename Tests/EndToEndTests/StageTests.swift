import Glibc
import TestSupport
import Testing

/// The loops of imperative scripts have the features of a job: stages, retries, limits, ends in good order, lost
/// ranks.
@Suite(.hangLimit)
struct StageTests {
    /// Two stages, of which the second needs the results of the first; each call leaves a file.
    private static let twoStages = """
        local function called(stage, i) io.open(stage .. "." .. i .. "." .. dlp.RANK .. "." .. os.time(), "w"):close() end
        local squares = dlp.map(function(x) called("first", x) return x * x + math.random(9) end, 12, {stage = "squares"})
        local list = dlp.call_on_root_and_broadcast(function()
          local list = {}
          for i, square in ipairs(squares) do list[i] = {square = square} end
          return list
        end)
        local function sum(record, i)
          called("second", i)
          while i > 6 do
            local go = io.open("go")
            if go then go:close() break end
            dlp.sleep(0.01)
          end
          return record.square + i + math.random(9)
        end
        local sums = dlp.map(sum, list, {stage = "sums", chunk = 1})
        if dlp.IS_ROOT then print(table.concat(sums, " "), sums.n) end
        """

    private func calls(_ stage: String, in scratch: Scratch) -> Int {
        scratch.names.count { $0.hasPrefix("\(stage).") }
    }

    @Test("a script that is killed in its second stage goes on there, and does nothing of the first again")
    func killedInSecond() throws {
        let other = try Scratch(job: Self.twoStages)
        try other.write("go", "")
        let expected = try run("dlp-lua job.lua", in: other)
        #expect(expected.status == 0 && expected.output.hasSuffix(" 12\n") || expected.output.hasSuffix("\t12\n"))

        let scratch = try Scratch(job: Self.twoStages)
        let launched = try Launched(
            "ameexec -np 3 dlp-lua --journal run.db job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("the second stage has begun, and a part of it is in the journal") {
            guard scratch.names.contains(where: { $0.hasPrefix("second.7.") }) else { return false }
            return try run("dlp-lua --results run.db --stage sums", in: scratch).output.contains("\"state\":\"done\"")
        }
        try launched.signal(SIGKILL, rank: 0)
        _ = try launched.finish()
        #expect(calls("first", in: scratch) == 12)
        let before = calls("second", in: scratch)

        try scratch.write("go", "")
        let resumed = try run("ameexec -np 2 dlp-lua --journal run.db job.lua", in: scratch)
        #expect(resumed.output == expected.output)
        #expect(resumed.status == 0 && resumed.error == "", "\(resumed.error)")
        #expect(calls("first", in: scratch) == 12, "nothing of the first stage is done again")
        #expect(calls("second", in: scratch) < before + 12, "what was done of the second stage is not done again")

        let again = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(again.output == expected.output && calls("first", in: scratch) == 12)
    }

    @Test("a journal of several stages is shown by stage, and its file is that of one")
    func listing() throws {
        let scratch = try Scratch(job: Self.twoStages)
        try scratch.write("go", "")
        #expect(try run("dlp-lua --journal run.db job.lua", in: scratch).status == 0)
        let rows = try run("dlp-lua --results run.db", in: scratch).output.split(separator: "\n")
        #expect(rows.count == 24)
        #expect(rows.prefix(12).allSatisfy { $0.hasPrefix("{\"stage\":\"squares\",\"index\":") })
        #expect(rows.suffix(12).allSatisfy { $0.hasPrefix("{\"stage\":\"sums\",\"index\":") })
        let refusal = try run("dlp-lua --results run.db --output out.csv", in: scratch)
        #expect(refusal.status == 2 && refusal.error.contains("--stage NAME says which of squares, sums"))
        #expect(try run("dlp-lua --results run.db --stage sums --output out.csv", in: scratch).status == 0)
        #expect(scratch.read("out.csv")?.split(whereSeparator: \.isNewline).count == 13)
        let unknown = try run("dlp-lua --results run.db --stage sum --output out.csv", in: scratch)
        #expect(unknown.status == 2 && unknown.error.contains("no stage sum, but: squares, sums"))
    }

    /// Element 5 kills the first worker that gets it.
    private static func killing(_ loop: String, after: String = "") -> String {
        """
        local function work(i)
          if i == 5 and dlp.RANK > 0 and os.rename("alive", "dead." .. dlp.RANK) then
            local file = io.open("/proc/self/stat")
            local process = file:read("n")
            os.execute("kill -9 " .. process)
          end
          dlp.sleep(0.01)
          return i * i
        end
        \(loop)
        \(after)
        """
    }

    @Test(
        "a loop whose results come to rank 0 survives a worker that is killed, and so does what follows",
        arguments: ["dlp.map", "dlp.map_unordered"])
    func killedWorker(_ function: String) throws {
        let loop = """
            local sum = 0
            for value in \(function)(work, 40, {chunk = 1}) do sum = sum + value end
            """
        let after = """
            dlp.barrier()
            local factor = dlp.bcast(dlp.IS_ROOT and 2 or nil)
            for value in dlp.map_unordered(function(i) return i * factor end, 10) do sum = sum + value end
            if dlp.IS_ROOT then print(sum) end
            """
        let scratch = try Scratch(job: Self.killing(loop, after: after))
        try scratch.write("alive", "")
        let outcome = try run("ameexec -np 4 dlp-lua --root-works no job.lua", in: scratch)
        #expect(outcome.output == "\(40 * 41 * 81 / 6 + 110)\n" && outcome.status == 0, "\(outcome)")
        let lines = outcome.error.split(separator: "\n")
        #expect(lines.count == 1 && lines[0].contains("lost rank") && lines[0].contains("others do its examples"))
    }

    @Test(
        "what a lost rank had of its own is missed, with a line",
        arguments: [
            (
                "for value in dlp.map_unordered(work, 40, {chunk = 1}) do end", "dlp.gather(1)",
                "gather (line 11) needs rank "
            ),
            ("for i in dlp.split_managed(40, {chunk = 1}) do work(i) end", "", "lost rank "),
        ])
    func missed(_ loop: String, _ after: String, _ line: String) throws {
        let scratch = try Scratch(job: Self.killing(loop, after: after))
        try scratch.write("alive", "")
        let outcome = try run("ameexec -np 3 dlp-lua --root-works no job.lua", in: scratch)
        #expect(outcome.status == 3 && outcome.error.contains(line), "\(outcome)")
    }

    @Test(
        "elements that fail are tried again, or listed; the loop's own options count before those of the command line",
        arguments: ["dlp-lua", "ameexec -np 3 dlp-lua"])
    func failing(_ launcher: String) throws {
        let scratch = try Scratch(
            job: """
                local function work(record, i)
                  record.tries = (record.tries or 0) + 1
                  if i == 3 and not os.rename("first", "second") or i == 4 and record.tries == 1 then
                    error("element " .. i .. " has tries " .. record.tries)
                  end
                  if i == 6 then return function() end end
                  return record.tries
                end
                local list = {}
                for i = 1, 8 do list[i] = {} end
                local results = dlp.map(work, list)
                if dlp.IS_ROOT then
                  local failed = {}
                  for i, failure in pairs(results.errors) do
                    failed[#failed + 1] = i .. ": " .. failure.message .. " after " .. failure.attempts
                  end
                  table.sort(failed)
                  print(results.n, results[1], results[3], table.concat(failed, "; "))
                end
                """)
        let outcome = try run("\(launcher) --on-error continue --retries 2 job.lua", in: scratch)
        #expect(outcome.status == 4)
        #expect(
            outcome.output == "8\t1\tnil\t3: job.lua:4: element 3 has tries 1 after 3; "
                + "4: job.lua:4: element 4 has tries 1 after 3; "
                + "6: result of element 6: it is a function, which cannot travel to the root after 3\n",
            "\(outcome.output)")
        #expect(outcome.error.contains("3 of 8 elements of map failed, first element 3"), "\(outcome.error)")
        #expect(outcome.error.contains("all are in the errors of what map returns"))
        #expect(outcome.error.split(separator: "\n").count == 1)
    }

    @Test("a loop may be told otherwise than the command line says")
    func ownOptions() throws {
        let scratch = try Scratch(
            job: """
                local function fails(i) error("no " .. i) end
                local results = dlp.map(fails, 3, {on_error = "continue"})
                if dlp.IS_ROOT then print(results.n, results.errors[2].message, results.errors[2].attempts) end
                dlp.map(fails, 3, {on_error = "stop", retries = 1})
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --retries 2 job.lua", in: scratch)
        #expect(outcome.output == "3\tjob.lua:1: no 2\t3\n" && outcome.status == 1, "\(outcome)")
        #expect(outcome.error.contains(" of map failed on rank "), "\(outcome.error)")
        #expect(outcome.error.contains("after 2 attempts"), "\(outcome.error)")
    }

    @Test(
        "an element that takes too long fails, whatever the loop",
        arguments: ["dlp-lua", "ameexec -np 2 dlp-lua"],
        [
            "local all = dlp.map(work, 3, {on_error = 'continue'}) if dlp.IS_ROOT then print(all.n, all[1], all[2], all[3]) end",
            "for i in dlp.split_managed(3) do work(i) end", "for i in dlp.split_round_robin(3) do work(i) end",
        ])
    func limits(_ launcher: String, _ loop: String) throws {
        let scratch = try Scratch(
            job: "local function work(i) if i == 2 then repeat until false end return i end \(loop)")
        let outcome = try run("\(launcher) --timeout 0.2 job.lua", in: scratch)
        if loop.contains("dlp.map") {
            #expect(outcome.output == "3\t1\tnil\t3\n" && outcome.status == 4, "\(outcome)")
        } else {
            #expect(outcome.status == 1 && outcome.error.contains("element 2 of split_"), "\(outcome)")
        }
        #expect(outcome.error.contains("job.lua:1: the example takes longer than --timeout allows, 0.2 s"))
    }

    @Test("a loop that is to stop in time ends its script with what is done, and goes on from there")
    func stopping() throws {
        let scratch = try Scratch(
            job: """
                local all = dlp.map(function(i) dlp.sleep(tonumber(os.getenv("PAUSE"))) return i end, 30, {stage = "one", chunk = 1})
                if dlp.IS_ROOT then print("all", all.n) end
                """)
        let stopped = try run(
            "ameexec -np 2 dlp-lua --stop-after 0.5 --journal run.db job.lua", in: scratch,
            environment: ["PAUSE": "0.2"])
        #expect(stopped.status == 5 && stopped.output == "", "\(stopped)")
        #expect(stopped.error.contains("of 30 elements of the stage one, as --stop-after asks; the script ends here"))
        #expect(stopped.error.contains("start again with the same --journal to go on"))
        let resumed = try run("dlp-lua --journal run.db job.lua", in: scratch, environment: ["PAUSE": "0"])
        #expect(resumed.status == 0 && resumed.output == "all\t30\n" && resumed.error == "", "\(resumed)")
    }

    @Test("SIGTERM lets the elements finish that run, and the journal has them")
    func terminated() throws {
        let scratch = try Scratch(
            job: """
                local function work(i)
                  io.open("began." .. i, "w"):close()
                  dlp.sleep(i <= 2 and 1 or 0)
                  return i
                end
                local all = dlp.map(work, 30, {stage = "one", chunk = 1})
                if dlp.IS_ROOT then print("all", all.n) end
                """)
        let launched = try Launched(
            "ameexec -np 2 dlp-lua --journal run.db job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("both work") { scratch.names.contains("began.1") && scratch.names.contains("began.2") }
        launched.signal(SIGTERM)
        let outcome = try launched.finish()
        #expect(outcome.status == 143 && outcome.error.contains("interrupted after 2 of 30 elements of the stage one"))
        let rows = try run("dlp-lua --results run.db", in: scratch).output.split(separator: "\n")
        #expect(rows.count == 2, "\(rows)")
    }

    @Test(
        "what makes no stage is refused at its line",
        arguments: [
            ("dlp.map(print, ipairs {1}, {stage = 'a'})", "map: a stage needs a list or a number"),
            (
                "dlp.map(print, 0, {stage = 'a'}) dlp.map(print, 0, {stage = 'a'})",
                "there is a stage a already, begun at job.lua:1"
            ),
            ("dlp.split_managed(3, {stage = 'a'})", "split_managed: stage is for map and map_unordered"),
            ("dlp.split_managed(3, {retries = 1})", "split_managed: retries is for map and map_unordered"),
            ("dlp.map(print, 3, {stage = ''})", "map: stage must be a short text, not \"\""),
            ("dlp.map(print, 3, {retries = -1})", "map: retries must be a whole number from 0 on, not -1"),
            ("dlp.map(print, 3, {timeout = 0})", "map: timeout must be a number of seconds above 0, not 0"),
            ("dlp.map(print, ipairs {1}, {retries = 1})", "map: retries needs a list or a number"),
            ("dlp.map(print, 3, {on_error = 'go'})", "map: on_error must be \"stop\" or \"continue\", not \"go\""),
            ("dlp.map(print, 3, {retrie = 1})", "map: there is no option retrie; is retries meant?"),
            ("dlp.map(function() dlp.map(print, 1, {stage = 'a'}) end, 1)", "there can be no stage"),
        ])
    func refused(_ script: String, _ line: String) throws {
        let scratch = try Scratch(job: script)
        let outcome = try run("ameexec -np 2 dlp-lua job.lua", in: scratch)
        #expect(outcome.status == 1 && outcome.error.contains("job.lua:1: "), "\(outcome)")
        #expect(outcome.error.contains(line), "\(outcome)")
    }

    @Test("the time of an element is not to be had again by pcall", arguments: ["map", "split_managed"])
    func swallowed(_ loop: String) throws {
        let body = "pcall(dlp.sleep, 60) pcall(dlp.sleep, 60)"
        let scratch = try Scratch(
            job: loop == "map"
                ? "local all = dlp.map(function(i) \(body) return i end, 1) print(all[1])"
                : "for i in dlp.split_managed(1) do \(body) end")
        let outcome = try run("dlp-lua --timeout 0.2 --on-error continue job.lua", in: scratch)
        #expect(
            outcome.output == (loop == "map" ? "nil\n" : "") && outcome.status == (loop == "map" ? 4 : 1), "\(outcome)")
        #expect(outcome.error.contains("the example takes longer than --timeout allows, 0.2 s"))
    }

    @Test("a journal changes nothing in what a script may catch", arguments: ["", "--timeout 60", "--journal run.db"])
    func caught(_ options: String) throws {
        let scratch = try Scratch(
            job: """
                local function fails() error("boom") end
                print(pcall(dlp.map, fails, 2, {stage = "a"}))
                print(dlp.map(math.sqrt, {4}, {stage = "b"})[1])
                """)
        let outcome = try run("dlp-lua \(options) job.lua", in: scratch)
        #expect(outcome.output == "false\tjob.lua:1: boom\n2.0\n" && outcome.status == 0, "\(outcome)")
    }

    @Test("an element whose program SIGTERM has ended, too, stays undone")
    func programs() throws {
        let scratch = try Scratch(
            job: """
                dlp.map(function(x)
                  io.open("began." .. x, "w"):close()
                  return dlp.run{"sh", "-c", "echo > waits." .. x .. "; exec sleep 60"}.status
                end, 6, {stage = "a", chunk = 1})
                """)
        let launched = try Launched(
            "ameexec -np 2 dlp-lua --journal run.db job.lua".split(separator: " ").map { String($0) }, in: scratch)
        try launched.reaches("both wait for a program") {
            scratch.names.contains("waits.1") && scratch.names.contains("waits.2")
        }
        // All processes of the job get the signal, as from batch systems.
        for process in launched.processes { kill(process, SIGTERM) }
        let outcome = try launched.finish()
        #expect(outcome.status == 143 && outcome.error.contains("interrupted after 0 of 6"), "\(outcome)")
        #expect(try run("dlp-lua --results run.db", in: scratch).output == "")
    }

    @Test("a loop of a coroutine that stands still is refused to others, not taken for their own")
    func standing() throws {
        let scratch = try Scratch(
            job: """
                local step = coroutine.wrap(function() for r in dlp.map_unordered(math.sqrt, 20) do coroutine.yield(r) end end)
                if dlp.IS_ROOT then step() else pcall(step) end
                dlp.map(math.sqrt, 12)
                """)
        let outcome = try run("ameexec -np 2 dlp-lua job.lua", in: scratch)
        #expect(
            outcome.status == 1 && outcome.error.contains("job.lua:3: a loop is under way in a coroutine"), "\(outcome)"
        )
    }

    @Test("a loop in work has what it says itself: what the command line says is about the example")
    func nested() throws {
        let scratch = try Scratch(
            job: """
                local function fails(i) if i == 2 then error("no " .. i) end return i end
                function examples() return 2 end
                function work(n)
                  local own = dlp.map(fails, 3, {on_error = "continue", retries = 1})
                  if n == 2 then dlp.map(fails, 3) end
                  return own.n .. " " .. own[3] .. " " .. own.errors[2].message .. " " .. own.errors[2].attempts
                end
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --on-error continue job.lua", in: scratch)
        #expect(outcome.output == "\"3 3 job.lua:1: no 2 2\"\nnull\n")
        #expect(outcome.status == 4 && outcome.error.contains("job.lua:1: no 2 (element 2 of map)"), "\(outcome)")
    }

    @Test(
        "stages that are under way at the same time each keep what is theirs", arguments: ["dlp-lua", "dlp-lua -np 2"])
    func twoOpen(_ start: String) throws {
        let scratch = try Scratch(
            job: """
                local ran = 0
                local function counted(factor) return function(x) ran = ran + 1 return x * factor end end
                local a = dlp.map_unordered(counted(1), 5, {stage = "a"})
                local b = dlp.map_unordered(counted(10), 5, {stage = "b"})
                local sum = 0
                for value in a do sum = sum + value end
                for value in b do sum = sum + value end
                local all = dlp.gather(ran)
                if dlp.IS_ROOT then print(sum, all[1] + (all[2] or 0)) end
                """)
        for ran in [10, 0] {
            let outcome = try run("\(start) --journal run.db job.lua", in: scratch)
            #expect(outcome.output == "165\t\(ran)\n" && outcome.status == 0, "\(outcome)")
            let rows = try run("sqlite3 run.db", "SELECT stage, count(*) FROM results GROUP BY 1", in: scratch)
            #expect(rows.lines == ["a|5", "b|5"], "\(rows)")
        }
    }

    @Test("loops that a rank steps in turn each have their own limit and their own failures")
    func inTurn() throws {
        let scratch = try Scratch(
            job: """
                local function spin(x) local start = os.clock() while x == 2 and os.clock() - start < 60 do end return "a" .. x end
                local function slow(x) dlp.sleep(x == 2 and 1 or 0) if x == 3 then error("bad b") end return "b" .. x end
                local a = dlp.map_unordered(spin, 4, {on_error = "continue", timeout = 0.5})
                local b = dlp.map_unordered(slow, 6, {on_error = "continue"})
                local x, y, all = a(), b(), {}
                while x or y do
                  if x then all[#all + 1] = x x = a() end
                  if y then all[#all + 1] = y y = b() end
                end
                table.sort(all)
                print(table.concat(all, " "))
                """)
        let outcome = try run("dlp-lua job.lua", in: scratch)
        #expect(outcome.output == "a1 a3 a4 b1 b2 b4 b5 b6\n" && outcome.status == 4, "\(outcome)")
        #expect(
            outcome.error.contains("1 of 4 elements of map_unordered failed, first element 2 (")
                && outcome.error.contains(
                    "1 of 6 elements of map_unordered failed, first element 3 (job.lua:2: bad b)"),
            "\(outcome)")
    }

    @Test("ranks may share what an iterator does, also after one that has failed")
    func iterators() throws {
        let shared = """
            local data, i = {10, 20, 30, 40}, 0
            local function next_value() i = i + 1 return dlp.bcast(dlp.IS_ROOT and data[i] or nil) end
            for value, index in dlp.split_round_robin(next_value) do print(index, value) end
            """
        let outcome = try run("dlp-lua -np 2 -e", shared)
        #expect(outcome.lines.sorted() == ["1\t10", "2\t20", "3\t30", "4\t40"] && outcome.status == 0, "\(outcome)")
        let failing = """
            local n = 0
            local function bad() n = n + 1 if n == 3 then error("gen") end return n end
            local it = dlp.map_unordered(function(x) return x end, bad, {chunk = 1})
            print(pcall(function() while it() do end end))
            local ranks = dlp.map(function(x) dlp.sleep(0.1) return dlp.RANK end, 6, {chunk = 1})
            if dlp.IS_ROOT then print(ranks.n, math.min(table.unpack(ranks)), math.max(table.unpack(ranks))) end
            """
        let after = try run("dlp-lua -np 2 -e", failing)
        #expect(after.output.contains("6\t0\t1\n") && after.status == 0, "\(after)")
    }

    @Test("a copied element owns nothing: finalizers are the original's")
    func finalizers() throws {
        let job = """
            local closed = 0
            local Handle = {__gc = function() closed = closed + 1 end}
            local list = {}
            for i = 1, 3 do list[i] = {size = i, handle = setmetatable({}, Handle)} end
            local function closings() collectgarbage() return closed end
            print(table.concat(dlp.map(closings, list, {cost = function(x) return x.size end}), " "))
            """
        #expect(try run("dlp-lua -e", job).output == "0 0 0\n")
    }

    @Test("the limit of a loop holds where another loop makes its elements")
    func limitOfPipeline() throws {
        let job = """
            local inner = dlp.map_unordered(function(x) return x end, 4, {chunk = 1})
            local function spin(x) while x == 2 do end return x end
            local out = dlp.map(spin, inner, {timeout = 0.5, on_error = "continue", chunk = 4})
            print(out[1], out[2], out[3], out[4], out.errors[2].message)
            """
        let outcome = try run("dlp-lua -e", job)
        #expect(outcome.output.hasPrefix("1\tnil\t3\t4\t") && outcome.output.contains("timeout"), "\(outcome)")
        #expect(outcome.status == 4)
    }

    @Test("the limit of one loop is not that of the next")
    func nextLimit() throws {
        // Longer than the time after which the root gives up ranks that are late by the first loop's limit.
        let scratch = try Scratch(
            job: """
                local a = dlp.map(function(x) return x end, 4, {timeout = 0.2})
                local b = dlp.map(function(x) dlp.sleep(x == 3 and 10 or 0) return x end, 4, {root_works = false, chunk = 1})
                if dlp.IS_ROOT then print(table.concat(b, " ")) end
                """)
        let outcome = try run("dlp-lua -np 3 job.lua", in: scratch)
        #expect(outcome.output == "1 2 3 4\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("the elements of a loop may come from another one on one rank, and are refused on several")
    func pipeline() throws {
        let scratch = try Scratch(
            job: """
                local inner = dlp.map_unordered(function(x) return "f" .. x end, 20, {chunk = 1})
                local seen = {}
                for value in dlp.map_unordered(function(x) return "g" .. x end, inner, {chunk = 4}) do seen[#seen + 1] = value end
                print(table.concat(seen, " "))
                """)
        let alone = try run("dlp-lua job.lua", in: scratch)
        let expected = (1...20).map { "gf\($0)" }.joined(separator: " ") + "\n"
        #expect(alone.output == expected && alone.error == "" && alone.status == 0, "\(alone)")
        let several = try run("dlp-lua -np 3 job.lua", in: scratch)
        #expect(
            several.status == 1 && several.error.contains("job.lua:3: map_unordered: this loop makes the elements"),
            "\(several)")
    }

    @Test("elements that are made by a loop when they are read are the same on all ranks", arguments: [1, 2, 3])
    func computed(_ size: Int) throws {
        let scratch = try Scratch(
            job: """
                local list = setmetatable({}, {
                  __len = function() return 40 end,
                  __index = function(_, i)
                    local sum = 0
                    for value in dlp.map_unordered(function(x) return x end, i) do sum = sum + value end
                    return sum
                  end,
                })
                local sums = dlp.map(function(x) return x end, list)
                if dlp.IS_ROOT then print(table.concat(sums, " ")) end
                """)
        let outcome = try run("dlp-lua -np \(size) job.lua", in: scratch)
        let expected = (1...40).map { "\($0 * ($0 + 1) / 2)" }.joined(separator: " ") + "\n"
        #expect(outcome.output == expected && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("objects keep their methods where an element is copied")
    func objects() throws {
        let both = """
                local Shape = {__index = {area = function(shape) return shape.w * shape.h end}}
                local function made()
                  local list = {}
                  for i = 1, 3 do list[i] = {name = i, shape = setmetatable({w = i, h = 2}, Shape)} end
                  return list
                end
                local tried = {}
                local function area(x)
                  x.name = "used"
                  tried[x.shape.w] = (tried[x.shape.w] or 0) + 1
                  if x.shape.w == 2 and tried[2] == 1 then error("once") end
                  return x.shape:area()
                end

            """
        let loop = """
            local options = {retries = 1, cost = function(x) return x.shape:area() end}
            print(table.concat(dlp.map(area, made(), options), " "))
            """
        let loops = try run("dlp-lua -e", both + loop)
        #expect(loops.output == "2 4 6\n" && loops.error == "" && loops.status == 0, "\(loops)")
        let functions = """
            function examples() return made() end
            function work(x) return area(x) end
            function collect(result, i, x) print(i, result, x.name, x.shape:area()) end
            """
        let job = try run("dlp-lua --retries 1 --collect order -e", both + functions)
        #expect(job.lines == ["1\t2\t1\t2", "2\t4\t2\t4", "3\t6\t3\t6"], "\(job)")
        #expect(job.error == "" && job.status == 0)
    }

    @Test("a loop that a rank does alone may be tried again without end")
    func endless() throws {
        let job = """
            function examples() return 1 end
            function work() return dlp.map(function(x) return 2 * x end, 3, {retries = math.maxinteger}) end
            """
        let outcome = try run("dlp-lua -e", job)
        #expect(outcome.output == "{\"1\":2,\"2\":4,\"3\":6,\"n\":3}\n" && outcome.error == "", "\(outcome)")
    }

    @Test("a journal of which no loop has use is told")
    func uselessJournal() throws {
        let scratch = try Scratch(job: "dlp.map(function(i) return i end, 3)")
        let outcome = try run("dlp-lua --journal run.db job.lua", in: scratch)
        #expect(outcome.status == 0 && outcome.error.contains("--journal keeps nothing"), "\(outcome)")
        #expect(outcome.error.split(separator: "\n").count == 1)
    }
}
