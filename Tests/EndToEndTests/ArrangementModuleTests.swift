import TestSupport
import Testing

/// The module dlp under real launchers.
@Suite(.hangLimit)
struct ArrangementModuleTests {
    /// Calls every function of the module on three ranks and checks its result; at the end the root reports success.
    private static let everything = """
        local dlp = require "dlp"
        assert(dlp.SIZE == 3 and dlp.IS_ROOT == (dlp.RANK == dlp.ROOT))
        dlp.barrier()

        local value = {1, 2.5, "\\0\\255", nested = {true}}
        local same = dlp.bcast(dlp.IS_ROOT and value or nil)
        assert(same[1] == 1 and same[2] == 2.5 and same[3] == "\\0\\255" and same.nested[1])
        assert(dlp.bcast(dlp.RANK == 2 and "from two" or nil, 2) == "from two")
        assert(dlp.call_on_root_and_broadcast(function(x) return x .. dlp.RANK end, "root") == "root0")

        local gathered = dlp.gather(dlp.RANK * 10)
        if dlp.IS_ROOT then
          assert(gathered.n == 3 and gathered[1] == 0 and gathered[3] == 20)
        else
          assert(gathered == nil)
        end
        local all = dlp.allgather(dlp.RANK)
        assert(all[1] == 0 and all[2] == 1 and all[3] == 2)
        local text = dlp.reduce(tostring(dlp.RANK), function(a, b) return a .. b end)
        assert(not dlp.IS_ROOT or text == "012")

        local list = {}
        for n = 1, 100 do list[n] = n * n end
        local seen = dlp.collection.UnorderedList()
        for square, n in dlp.split_round_robin(list) do
          assert(square == n * n and (n - 1) % dlp.SIZE == dlp.RANK)
          seen:append(n)
        end
        for square, n in dlp.split_managed(list) do
          assert(square == n * n)
          seen:append(n)
        end
        seen = seen:gather()
        assert(not dlp.IS_ROOT or #seen == 200)

        local nested = dlp.collection.NestedDict()
        nested.ranks["rank " .. dlp.RANK] = dlp.RANK
        nested = nested:gather()
        assert(not dlp.IS_ROOT or nested.ranks["rank 2"] == 2)

        local sum = 0
        for root, n in dlp.map_unordered(math.sqrt, list) do
          assert(root == n)
          sum = sum + n
        end
        assert(not dlp.IS_ROOT or sum == 5050)
        local roots = dlp.map(math.sqrt, list)
        if dlp.IS_ROOT then
          for n = 1, roots.n do assert(roots[n] == n) end
          print("as promised")
        end
        """

    @Test("every function of the module", arguments: Arrangement.allCases)
    func everything(_ arrangement: Arrangement) throws {
        let outcome = try arrangement.run(3, "job.lua", in: Scratch(job: Self.everything))
        #expect(outcome.output == "as promised\n")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test(
        "the imperative examples", arguments: ExampleScriptTests.imperativeScripts.map(\.script),
        Arrangement.oneOfEach)
    func examples(_ script: String, _ arrangement: Arrangement) throws {
        let outcome = try arrangement.run(3, Program.example("imperative/\(script).lua"))
        let expected = try #require(ExampleScriptTests.imperativeScripts.first { $0.script == script }).lines(3)
        #expect(outcome.lines.sorted() == expected.sorted())
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a program that a rank starts is a job of its own, not that rank once more", arguments: Arrangement.allCases)
    func child(_ arrangement: Arrangement) throws {
        let scratch = try Scratch(
            job: """
                function examples() return 6 end
                function work(n)
                  local child = io.popen("dlp-lua --chunk 1 child.lua " .. n)
                  local output = child:read("a")
                  assert(child:close())
                  return output
                end
                function summarize(results) print(table.concat(results)) end
                """)
        try scratch.write(
            "child.lua",
            """
            function examples() return 3 end
            function work(n) return n * arg[1] end
            function summarize(results) io.write(dlp.RANK, dlp.SIZE, ":", table.concat(results, "+"), " ") end
            """)
        let outcome = try arrangement.run(2, "--chunk 1 job.lua", in: scratch)
        #expect(outcome.output == (1...6).map { "01:\($0)+\(2 * $0)+\(3 * $0) " }.joined() + "\n")
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }

    @Test("a program that a rank starts may start ranks itself", arguments: Arrangement.oneOfEach)
    func grandchildren(_ arrangement: Arrangement) throws {
        let scratch = try Scratch(
            job: "if dlp.IS_ROOT then assert(os.execute('ameexec -np 2 dlp-lua --info')) end dlp.barrier()")
        let outcome = try arrangement.run(2, "job.lua", in: scratch)
        #expect(outcome.hellos == hellos(of: 2))
        #expect(outcome.error == "" && outcome.status == 0, "\(outcome.error)")
    }
}
