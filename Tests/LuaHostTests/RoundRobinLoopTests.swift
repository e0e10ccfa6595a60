import DLP
import Testing

@testable import LuaHost

@Suite("split_round_robin over several ranks")
struct RoundRobinLoopTests {
    private func expectNoErrors(_ ranks: [RankOutcome], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            !ranks.isEmpty && ranks.allSatisfy { $0.error == nil && $0.end == nil }, "\(ranks)",
            sourceLocation: sourceLocation)
    }

    @Test("each rank has its own elements, in their order", arguments: 1...4)
    func shares(size: Int) throws {
        let ranks = try run(
            """
            for n = 0, 9 do
              local own = {}
              for _, i in dlp.split_round_robin(n, {root_works = false, chunk = 3}) do own[#own + 1] = i end
              local expected = {}
              for i = dlp.RANK + 1, n, dlp.SIZE do expected[#expected + 1] = i end
              assert(table.concat(own, ' ') == table.concat(expected, ' '))
            end
            """, onRanks: size)
        expectNoErrors(ranks)
    }

    @Test("a loop after one that a rank has left out is refused, and not done twice")
    func leftOut() throws {
        let ranks = try run(
            """
            if dlp.RANK ~= 1 then for _ in dlp.split_managed(20) do end end
            dlp.barrier()
            for _ in dlp.split_managed(50) do end
            """, onRanks: 3)
        let messages = ranks.map { "\($0.error.map { "\($0)" } ?? "") \($0.end.map { "\($0)" } ?? "")" }
        #expect(
            messages.contains { $0.contains("all ranks must call the same loops and collectives in the same order") },
            "\(ranks)")
    }

    @Test("a loop in its body is whole, whatever kind it is of", arguments: 1...4)
    func nested(size: Int) throws {
        let ranks = try run(
            """
            answer = 0
            for _ in dlp.split_round_robin(5) do
              for _ in dlp.split_round_robin(3) do answer = answer + 1 end
              for _ in dlp.split_managed(3) do answer = answer + 10 end
              answer = answer + 100 * dlp.map(tostring, 3).n
            end
            """, onRanks: size)
        expectNoErrors(ranks)
        #expect(ranks.reduce(0) { $0 + (Int($1.answer) ?? 0) } == 15 * 111)
    }

    @Test(
        "collectives in its body are refused",
        arguments: ["barrier()", "gather(1)", "bcast(1)", "collection.UnorderedList():gather()"])
    func collectives(call: String) throws {
        let ranks = try run("for _ in dlp.split_round_robin(6) do dlp.\(call) end", onRanks: 3)
        #expect(ranks.contains { $0.error?.contains("where the other ranks do not come by") == true }, "\(ranks)")
    }

    @Test(
        "what a rank leaves out is done by the others, whatever it does meanwhile",
        arguments: 0...2, ["dlp.gather(1)", "dlp.barrier()", "dlp.allgather(1)", "dlp.bcast(1, 1)", ""])
    func leftOut(rank: Int, next: String) throws {
        let ranks = try run(
            """
            dlp.barrier()
            answer = 0
            if dlp.RANK ~= \(rank) then
              for _ in dlp.split_round_robin(20) do answer = answer + 1 end
            end
            \(next)
            """, onRanks: 3)
        expectNoErrors(ranks)
        #expect(ranks.reduce(0) { $0 + (Int($1.answer) ?? 0) } == 20)
    }

    @Test("break leaves the rest to the others", arguments: 1...3)
    func breaking(size: Int) throws {
        let ranks = try run(
            """
            answer = 0
            for _ in dlp.split_round_robin(20) do
              answer = answer + 1
              if dlp.RANK > 0 then break end
            end
            dlp.barrier()
            """, onRanks: size)
        expectNoErrors(ranks)
        #expect(ranks.reduce(0) { $0 + (Int($1.answer) ?? 0) } == 20)
    }

    @Test("a list of any length can be begun, and left", arguments: ["split_round_robin", "split_managed"], 1...3)
    func longest(function: String, size: Int) throws {
        let ranks = try run(
            """
            local function endless() local i = 0 return function() i = i + 1 return i end end
            for _, seq in ipairs {1 << 62, (1 << 62) - 1, endless()} do
              for i in dlp.\(function)(seq) do
                -- Whoever is alone would go on for ever with what the others leave.
                if i > 5 then break end
              end
            end
            """, onRanks: size)
        #expect(!ranks.isEmpty)
        #expect(ranks.allSatisfy { $0.error?.contains("an iterator cannot go back") ?? true }, "\(ranks)")
    }
}
