import DLP
import Testing

@testable import LuaHost

@Suite("Loops over lists that differ from rank to rank")
struct LoopListTests {
    /// Defines `complete(own, expected)`, which fails unless the values in the lists of all ranks together are the
    /// expected ones, in any order.
    private let complete = """
        function complete(own, expected)
          local all = dlp.gather(own)
          if not all then return end
          local values = {}
          for r = 1, all.n do table.move(all[r], 1, #all[r], #values + 1, values) end
          table.sort(values)
          local text = table.concat(values, ' ')
          assert(text == expected, text .. ' is not ' .. expected)
        end

        """

    private static let loops = [
        "for _, value in ipairs(dlp.map(function(v) return v end, LIST, {chunk = 1})) do own[#own + 1] = value end",
        "for value in dlp.map_unordered(function(v) return v end, LIST) do own[#own + 1] = value end",
        "for value in dlp.map_unordered(function(v) return v end, LIST, {root_works = false}) do own[#own + 1] = value end",
        "for value in dlp.split_managed(LIST, {chunk = 1}) do own[#own + 1] = value end",
        "for value in dlp.split_managed(LIST, {root_works = false}) do own[#own + 1] = value end",
        "for value in dlp.split_round_robin(LIST) do own[#own + 1] = value end",
    ]

    @Test(
        "all ranks do what rank 0 has",
        arguments: loops,
        [
            // A list in another order, of another length, of another kind.
            "dlp.IS_ROOT and {1, 2, 3, 4, 5} or dlp.RANK == 1 and {5, 4, 3, 2, 1} or {2, 1, 3, 5, 4}",
            "dlp.IS_ROOT and {1, 2, 3, 4, 5} or {1, 2, 3}",
            "dlp.IS_ROOT and {1, 2, 3, 4, 5} or {6, 7, 8, 9, 10, 11, 12}",
            "dlp.IS_ROOT and 5 or 5 + dlp.RANK", "dlp.IS_ROOT and 5 or {9, 9, 9, 9, 9}",
            "dlp.IS_ROOT and {1, 2, 3, 4, 5} or {}", "dlp.IS_ROOT and {1, 2, 3, 4, 5, n = 5} or 5",
            "dlp.IS_ROOT and 5 or coroutine.wrap(function() for i = 1, 9 do coroutine.yield(i * 7) end end)",
        ])
    func differing(loop: String, list: String) throws {
        for size in 1...4 {
            let ranks = try run(
                complete + """
                    for round = 1, 3 do
                      local own = {}
                      \(loop.replacing("LIST", with: list))
                      complete(own, '1 2 3 4 5')
                    end
                    """, onRanks: size)
            #expect(!ranks.isEmpty && ranks.allSatisfy { $0.error == nil && $0.end == nil }, "\(ranks)")
        }
    }

    @Test(
        "lists that cannot be sent are an error where they differ",
        arguments: [
            "dlp.IS_ROOT and {print, print} or {print, print, print}",
            "dlp.IS_ROOT and coroutine.wrap(function() end) or {1, 2}",
            "setmetatable({}, {__len = function() return 3 + dlp.RANK end, __index = function(_, i) return i end})",
        ])
    func unsendable(list: String) throws {
        let ranks = try run("for _ in dlp.split_managed(\(list)) do end dlp.barrier()", onRanks: 3)
        guard case .fault(let fault)? = ranks.first?.end else {
            Issue.record("the root does not notice: \(ranks)")
            return
        }
        #expect(fault.message.hasPrefix("job.lua:1: the ranks do not agree on the elements"), "\(fault.message)")
    }

    @Test("lists that cannot be compared are taken as they are where they are equally long", arguments: 1...3)
    func incomparable(size: Int) throws {
        let ranks = try run(
            complete + """
                local function one() return 1 end
                local function two() return 2 end
                local object = setmetatable({}, {__len = function() return 2 end, __index = function(_, i) return i end})
                for _, list in ipairs {{one, two}, object} do
                  local own = {}
                  for element in dlp.split_managed(list) do own[#own + 1] = element == one and 1 or element == two and 2 or element end
                  complete(own, '1 2')
                end
                """, onRanks: size)
        #expect(!ranks.isEmpty && ranks.allSatisfy { $0.error == nil && $0.end == nil }, "\(ranks)")
    }

    @Test(
        "a loop that rank 0 leaves out is done by the others, whatever it does meanwhile",
        arguments: [
            "dlp.gather(1)", "dlp.barrier()", "dlp.bcast(7)", "dlp.bcast(dlp.RANK, 1)", "dlp.allgather(1)", "",
        ])
    func withoutRoot(next: String) throws {
        for size in 2...4 {
            let ranks = try run(
                """
                dlp.barrier()
                answer = 0
                if not dlp.IS_ROOT then
                  for _ in dlp.split_managed(20, {chunk = 3}) do answer = answer + 1 end
                end
                \(next)
                """, onRanks: size)
            #expect(!ranks.isEmpty && ranks.allSatisfy { $0.error == nil && $0.end == nil }, "\(ranks)")
            #expect(ranks.reduce(0) { $0 + (Int($1.answer) ?? 0) } == 20)
        }
    }

    @Test("lists that differ where rank 0 has none are an error")
    func differingWithoutRoot() throws {
        let ranks = try run(
            "if not dlp.IS_ROOT then for _ in dlp.split_managed({dlp.RANK}) do end end dlp.barrier()", onRanks: 3)
        guard case .fault(let fault)? = ranks.first?.end else {
            Issue.record("the root does not notice: \(ranks)")
            return
        }
        #expect(fault.message.contains("rank 0, whose list would hold, has none"), "\(fault.message)")
    }

    @Test("a rank that is at another loop than the others is told, with both lines")
    func elsewhere() throws {
        let ranks = try run(
            """
            if dlp.RANK ~= 1 then dlp.gather(1) end
            if dlp.RANK == 1 then
              for _ in dlp.split_managed(3) do end
            else
              for _ in dlp.split_managed(3) do end
            end
            dlp.barrier()
            """, onRanks: 3)
        #expect(ranks.contains { $0.end != nil }, "\(ranks)")
    }

    @Test("a rank that leaves a loop before rank 0 comes has left it", arguments: 2...4)
    func leftBefore(size: Int) throws {
        let ranks = try run(
            """
            answer = 0
            if dlp.IS_ROOT then
              for _ in dlp.split_managed(9) do answer = answer + 1 end
            else
              local _, _, _, closer = dlp.split_managed(9)
              getmetatable(closer).__close()
            end
            dlp.barrier()
            for _ in dlp.split_managed(9) do answer = answer + 1 end
            """, onRanks: size)
        #expect(!ranks.isEmpty && ranks.allSatisfy { $0.error == nil && $0.end == nil }, "\(ranks)")
        #expect(ranks.reduce(0) { $0 + (Int($1.answer) ?? 0) } == 18)
    }
}
