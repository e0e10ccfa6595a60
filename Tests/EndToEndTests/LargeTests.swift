import TestSupport
import Testing

/// Many examples, large results, deep results.
@Suite(.hangLimit)
struct LargeTests {
    @Test("a million examples, and every result is in its place", arguments: ["map", "managed", "round-robin"])
    func million(_ mode: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 1000000 end
                function work(n) return n ~ 0x5555 end
                function summarize(results)
                  for n = 1, 1000000 do if results[n] ~= n ~ 0x5555 then error("wrong at " .. n) end end
                  print(results.n, #results)
                end
                """)
        let outcome = try run("ameexec -np 4 dlp-lua --mode \(mode) job.lua", in: scratch)
        #expect(outcome.output == "1000000\t1000000\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("100,000 lines are examples in their order")
    func lines() throws {
        let input = (1...100_000).map { "\($0)\n" }.joined()
        let outcome = try run(
            "ameexec -np 3 dlp-lua -e", "function work(line, n) assert(tonumber(line) == n) return n end", input: input)
        #expect(outcome.output == input)
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("a string of 100 MB is a result", arguments: ["map", "managed", "round-robin"])
    func largeString(_ mode: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 2 end
                function work(n) return ("0123456789"):rep(10000000) .. n end
                function summarize(results)
                  for n = 1, 2 do print(#results[n], results[n]:sub(1, 10), results[n]:sub(-11), results[n]:find("90", 99999990, true)) end
                end
                """)
        let outcome = try run("ameexec -np 2 dlp-lua --mode \(mode) --root-works no --chunk 1 job.lua", in: scratch)
        #expect(outcome.lines == [1, 2].map { "100000001\t0123456789\t0123456789\($0)\t99999990\t99999991" })
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test(
        "a result of 100,000 levels arrives whole",
        arguments: [
            "dlp-lua", "ameexec -np 3 dlp-lua", "ameexec -np 3 dlp-lua --mode managed",
            "ameexec -np 3 dlp-lua --mode round-robin",
        ])
    func deep(_ command: String) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 3 end
                function work(n) local t = {n} for _ = 1, 100000 do t = {t} end return t end
                function summarize(results)
                  for n = 1, 3 do
                    local levels, t = 0, results[n]
                    while type(t[1]) == "table" do levels, t = levels + 1, t[1] end
                    print(levels, t[1])
                  end
                end
                """)
        let outcome = try run("\(command) job.lua", in: scratch)
        #expect(outcome.lines == (1...3).map { "100000\t\($0)" })
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("64 ranks are as good as one")
    func manyRanks() throws {
        let scratch = try Scratch(job: "function examples() return 100 end function work(n) return n end")
        let outcome = try run("ameexec -np 64 dlp-lua job.lua", in: scratch)
        #expect(outcome.lines == (1...100).map { String($0) })
        #expect(outcome.error == "" && outcome.status == 0)
    }
}
