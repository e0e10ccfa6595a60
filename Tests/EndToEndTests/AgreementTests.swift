import TestSupport
import Testing

/// Examples that every rank makes itself.
@Suite(.hangLimit)
struct AgreementTests {
    /// A list in the order of `pairs`, which differs between processes; `rest` may sort it.
    private static func job(_ rest: String = "") -> String {
        """
        function examples()
          local set, list = {}, {}
          for n = 1, 50 do set["key" .. n] = n end
          for key in pairs(set) do list[#list + 1] = key end
          \(rest)
          return list
        end
        function work(key) return key end
        function summarize(results)
          local seen, count = {}, 0
          for n = 1, results.n do
            if not seen[results[n]] then count = count + 1 end
            seen[results[n]] = true
          end
          print(results.n, count)
        end
        """
    }

    @Test("a list that is no table is read as one that is none", arguments: [1, 2])
    func userdata(_ size: Int) throws {
        let scratch = try Scratch(
            job: """
                local list = io.tmpfile()
                local meta = getmetatable(list)
                meta.__len = function() return 40 end
                meta.__index = function(_, i) return {i, "x"} end
                function examples() return list end
                function work(example) return example[1] end
                function summarize(results) print(results.n, results[40]) end
                """)
        let outcome = try run("dlp-lua -np \(size) job.lua", in: scratch)
        #expect(outcome.output == "40\t40\n" && outcome.error == "" && outcome.status == 0, "\(outcome)")
    }

    @Test("lists that differ are warned of once, and the root's is done", arguments: ["map", "managed", "round-robin"])
    func differing(_ mode: String) throws {
        let outcome = try run("ameexec -np 4 dlp-lua --mode \(mode) job.lua", in: Scratch(job: Self.job()))
        #expect(outcome.output == "50\t50\n")
        #expect(outcome.isOneMessage("dlp-lua", with: "do not agree", "pairs", "--examples root"), "\(outcome.error)")
        #expect(outcome.status == 0)
    }

    @Test(
        "lists that differ are an error where every rank is to use its own",
        arguments: ["map", "managed", "round-robin"])
    func replicated(_ mode: String) throws {
        let outcome = try run(
            "ameexec -np 4 dlp-lua --mode \(mode) --examples replicate job.lua", in: Scratch(job: Self.job()))
        #expect(outcome.output == "")
        #expect(outcome.isOneMessage("dlp-lua", with: "do not agree"), "\(outcome.error)")
        #expect(outcome.status == 1)
    }

    @Test(
        "there is no warning where there is nothing to warn of",
        arguments: [
            ("table.sort(list)", "ameexec -np 4 dlp-lua"),
            ("table.sort(list)", "ameexec -np 4 dlp-lua --examples replicate"),
            ("", "ameexec -np 4 dlp-lua --examples root"), ("", "dlp-lua"), ("", "dlp-lua --examples replicate"),
        ])
    func silent(_ rest: String, _ command: String) throws {
        let outcome = try run("\(command) job.lua", in: Scratch(job: Self.job(rest)))
        #expect(outcome.output == "50\t50\n")
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("tables as examples agree though their keys have another order on each rank")
    func records() throws {
        let scratch = try Scratch(
            job: """
                function examples()
                  local list = {}
                  for n = 1, 20 do
                    list[n] = {inner = {}}
                    for k = 1, 20 do list[n].inner["key" .. k] = {k, name = "n" .. k} end
                  end
                  return list
                end
                function work(example, n) return example.inner.key7.name .. n end
                """)
        let outcome = try run("ameexec -np 3 dlp-lua --examples replicate job.lua", in: scratch)
        #expect(outcome.lines == (1...20).map { "\"n7\($0)\"" })
        #expect(outcome.error == "" && outcome.status == 0)
    }

    @Test("examples that differ in number are no agreement")
    func lengths() throws {
        let scratch = try Scratch(job: "function examples() return 5 + dlp.RANK end function work(n) return n end")
        let outcome = try run("ameexec -np 3 dlp-lua job.lua", in: scratch)
        #expect(outcome.lines == (1...5).map { String($0) })
        #expect(outcome.isOneMessage("dlp-lua", with: "do not agree"), "\(outcome.error)")
        #expect(outcome.status == 0)
    }

    @Test("--check says whether the ranks agree")
    func check() throws {
        let outcome = try run("ameexec -np 3 dlp-lua --check job.lua", in: Scratch(job: Self.job()))
        #expect(outcome.output.hasPrefix("50 examples"))
        #expect(outcome.error.contains("do not agree") && outcome.status == 0)
        let sorted = try run("ameexec -np 3 dlp-lua --check job.lua", in: Scratch(job: Self.job("table.sort(list)")))
        #expect(sorted.output.hasPrefix("50 examples") && sorted.error == "")
    }

    @Test(
        "a loop over lists that differ does what rank 0 has, and says so once",
        arguments: ["ameexec -np 4 dlp-lua", "mpiexec.openmpi -n 3 dlp-lua"],
        ["map_unordered(function(key) return key end, list)", "split_managed(list)", "split_round_robin(list)"])
    func loops(_ command: String, _ loop: String) throws {
        let scratch = try Scratch(
            job: """
                local set, list = {}, {}
                for n = 1, 50 do set["key" .. n] = n end
                for key in pairs(set) do list[#list + 1] = key end
                if dlp.RANK == 1 then list[#list + 1] = "more" end
                local seen, count = dlp.collection.UnorderedList(), 0
                for _ = 1, 3 do for key in dlp.\(loop) do seen:append(key) end end
                seen = seen:gather()
                for n = 1, seen and #seen or 0 do
                  count = count + set[seen[n]]
                end
                if seen then print(#seen, count) end
                """)
        let outcome = try run("\(command) job.lua", in: scratch, environment: Testbed.environment)
        #expect(outcome.output == "150\t\(3 * 1275)\n")
        #expect(
            outcome.isOneMessage("dlp-lua", with: "job.lua:6: the ranks do not agree", "those of rank 0 hold"),
            "\(outcome.error)")
        #expect(outcome.status == 0)
    }
}
