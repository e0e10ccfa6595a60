import TestSupport
import Testing

/// The root is busy, and the other ranks still get work.
@Suite(.hangLimit)
struct HandOutTests {
    /// `wait()` returns once another rank has counted as many of the 200 examples as it can get.
    private static let prelude = """
        local function exists() local f = io.open("others-are-done") if f then f:close() end return f end
        function wait() repeat until exists() end
        function examples() return 200 end
        local counted = 0
        function count(all)
          counted = counted + 1
          if counted == all then io.open("others-are-done", "w"):close() end
        end
        """

    @Test("hand-out does not wait for the root's own example", arguments: ["map", "managed"], ["replicate", "root"])
    func rootWorks(_ mode: String, _ source: String) throws {
        let scratch = try Scratch(
            job: Self.prelude + """

                function work(i)
                  if dlp.IS_ROOT then wait() return "root" end
                  count(198)
                  return "other"
                end
                function summarize(results)
                  local count = {root = 0, other = 0}
                  for i = 1, results.n do count[results[i]] = count[results[i]] + 1 end
                  print(count.root, count.other)
                end
                """)
        // With a chunk of one, the root holds one example or two, and all others go to the worker while the root
        // waits.
        let outcome = try run(
            "ameexec -np 2 dlp-lua --mode \(mode) --examples \(source) --chunk 1 job.lua", in: scratch)
        #expect(outcome.error == "")
        #expect(outcome.status == 0)
        let counts = outcome.output.split(separator: "\t").compactMap { Int($0.filter(\.isNumber)) }
        try #require(counts.count == 2)
        #expect(counts[0] + counts[1] == 200)
        #expect(counts[0] <= 2, "the root waits for the others, so it gets what it holds at the start")
    }

    @Test("hand-out does not wait for collect", arguments: ["replicate", "root"])
    func collect(_ source: String) throws {
        let scratch = try Scratch(
            job: Self.prelude + """

                function work(i)
                  count(200)
                  return i
                end
                local n = 0
                function collect(result, index)
                  if n == 0 then wait() end
                  n = n + 1
                  if n == 200 then print("all") end
                end
                """)
        let outcome = try run(
            "ameexec -np 2 dlp-lua --root-works no --examples \(source) --chunk 1 job.lua", in: scratch)
        #expect(outcome.error == "")
        #expect(outcome.output == "all\n")
        #expect(outcome.status == 0)
    }
}
