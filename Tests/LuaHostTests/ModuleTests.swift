import DLP
import Testing

@testable import LuaHost

@Suite("The module dlp on several ranks")
struct ModuleTests {
    @Test("every rank knows its place", arguments: 1...4)
    func place(size: Int) throws {
        let ranks = try run("answer = dlp.RANK .. '/' .. dlp.SIZE .. ' ' .. tostring(dlp.IS_ROOT)", onRanks: size)
        #expect(ranks.map(\.answer) == (0..<size).map { "\($0)/\(size) \($0 == 0)" })
    }

    @Test("bcast gives every rank the value of any root", arguments: 1...4)
    func broadcast(size: Int) throws {
        let ranks = try run(
            """
            for root = 0, dlp.SIZE - 1 do
              local v = dlp.bcast({root = dlp.RANK, list = {1, 2.5, 'x'}}, root)
              assert(v.root == root and v.list[2] == 2.5)
              assert(dlp.bcast(dlp.RANK == root and 'only' or print, root) == 'only')
              assert(dlp.bcast(nil, root) == nil and dlp.bcast(false, root) == false)
            end
            answer = dlp.bcast(dlp.RANK)
            """, onRanks: size)
        #expect(ranks.map(\.error) == Array(repeating: nil, count: size))
        #expect(ranks.map(\.answer) == Array(repeating: "0", count: size))
    }

    @Test("gather brings the values to the root by rank, allgather to all", arguments: 1...4)
    func gather(size: Int) throws {
        let ranks = try run(
            """
            local all = dlp.gather(dlp.RANK ~= 1 and {dlp.RANK} or nil)
            assert((all ~= nil) == dlp.IS_ROOT)
            if all then
              assert(all.n == dlp.SIZE)
              for r = 1, all.n do assert(r == 2 and all[r] == nil or all[r][1] == r - 1) end
            end
            local every = dlp.allgather('rank ' .. dlp.RANK)
            assert(every.n == dlp.SIZE)
            for r = 1, every.n do assert(every[r] == 'rank ' .. r - 1) end
            dlp.barrier()
            answer = dlp.reduce('' .. dlp.RANK, function(a, b) return '(' .. a .. b .. ')' end)
            """, onRanks: size)
        #expect(ranks.map(\.error) == Array(repeating: nil, count: size))
        let folded = (1..<max(size, 1)).reduce("0") { "(\($0)\($1))" }
        #expect(ranks.map(\.answer) == [folded] + Array(repeating: "nil", count: size - 1))
    }

    @Test("a function called on the root gives its results to all", arguments: 1...3)
    func callOnRoot(size: Int) throws {
        let ranks = try run(
            """
            local function f(...) assert(dlp.IS_ROOT); return ..., nil, 'last', nil end
            local t = table.pack(dlp.call_on_root_and_broadcast(f, dlp.RANK + 7))
            assert(t.n == 4 and t[1] == 7 and t[3] == 'last')
            answer = select('#', dlp.call_on_root_and_broadcast(function() end))
            """, onRanks: size)
        #expect(ranks.map(\.answer) == Array(repeating: "0", count: size))
    }

    @Test("a barrier is passed only when every rank has come", arguments: 2...4)
    func barrier(size: Int) throws {
        let ranks = try run(
            """
            answer = 0
            for round = 1, 200 do
              local sum = dlp.allgather(round)
              for r = 1, sum.n do assert(sum[r] == round) end
              dlp.barrier()
            end
            """, onRanks: size)
        #expect(ranks.allSatisfy { $0.error == nil })
    }

    @Test(
        "ranks that call different collectives are told, and none hangs",
        arguments: [
            "if dlp.IS_ROOT then dlp.barrier() else dlp.gather(1) end",
            "if dlp.IS_ROOT then dlp.gather(1) else dlp.bcast(1) end; dlp.barrier()",
            "if dlp.RANK == 1 then dlp.barrier() end dlp.gather(1)",
            "dlp.bcast(1, dlp.RANK == 1 and 1 or 0) dlp.barrier() dlp.barrier()",
            "dlp.bcast(1, dlp.IS_ROOT and 1 or 2)", "dlp.bcast(1, dlp.IS_ROOT and 1 or 0)",
            "if dlp.IS_ROOT then dlp.bcast(1, 1) else dlp.barrier() end",
        ])
    func mismatch(text: String) throws {
        let ranks = try run(text, onRanks: 3)
        guard case .fault(let fault)? = ranks.first?.end else {
            Issue.record("the root does not notice: \(ranks)")
            return
        }
        #expect(
            fault.message.contains("collective") || fault.message.contains("finished its script"), "\(fault.message)")
    }

    @Test("ranks that are at different collectives are told at which lines")
    func mismatchLines() throws {
        let ranks = try run(
            """
            dlp.barrier()
            if dlp.IS_ROOT then
              dlp.barrier()
            else
              dlp.gather(1)
            end
            """, onRanks: 2)
        guard case .fault(let fault)? = ranks.first?.end else {
            Issue.record("the root does not notice: \(ranks)")
            return
        }
        #expect(
            fault.message.contains("rank 0 is at collective 2, barrier (line 3), but rank 1 at 2, gather (line 5)"),
            "\(fault.message)")
    }

    @Test(
        "a rank that waits for one that has finished is told, and none hangs",
        arguments: [
            "if dlp.IS_ROOT then dlp.barrier() end", "if not dlp.IS_ROOT then dlp.barrier() end",
            "if dlp.RANK == 1 then dlp.gather(1) end", "if dlp.RANK ~= 1 then dlp.allgather(1) end",
            "if dlp.RANK == 2 then dlp.bcast(1, 1) end",
            "if dlp.IS_ROOT then for _ in dlp.map_unordered(print, 9, {root_works = false}) do end end",
            "if dlp.RANK == 1 then for _ in dlp.map_unordered(tostring, 9) do end end",
        ])
    func finishedEarly(text: String) throws {
        let ranks = try run(text, onRanks: 3)
        guard case .fault(let fault)? = ranks.first?.end else {
            Issue.record("the root does not notice: \(ranks)")
            return
        }
        #expect(fault.message.contains("finished its script"), "\(fault.message)")
    }

    @Test("an error on one rank ends the others, whatever they wait for", arguments: 0...2)
    func failingRank(rank: Int) throws {
        for waiting in ["dlp.barrier()", "dlp.gather(1)", "for _ in dlp.split_managed(100) do end dlp.barrier()"] {
            let ranks = try run("if dlp.RANK == \(rank) then error('boom') end \(waiting)", onRanks: 3)
            try #require(ranks.count == 3)
            #expect(ranks[rank].error == "job.lua:1: boom")
            #expect(ranks.allSatisfy { $0.status == 1 }, "\(waiting): \(ranks)")
        }
    }

    @Test("NestedDict gathers what all ranks wrote, as often as wanted", arguments: 1...3)
    func nestedDict(size: Int) throws {
        let ranks = try run(
            """
            local d = dlp.collection.NestedDict()
            for i in dlp.split_round_robin(10) do
              d.square[i] = i * i
              d['deep'].er[i % 2][i] = {i}
            end
            d.rank[dlp.RANK] = false
            for _ = 1, 3 do
              local all = d:gather()
              assert((all ~= nil) == dlp.IS_ROOT)
              if all then
                for i = 1, 10 do assert(all.square[i] == i * i and all.deep.er[i % 2][i][1] == i) end
                for r = 0, dlp.SIZE - 1 do assert(all.rank[r] == false) end
              end
            end
            local ok, message = pcall(function() d.rank[dlp.RANK] = 1 end)
            assert(not ok and message:find('^job.lua:%d+: NestedDict: %["rank"%]%[' .. dlp.RANK .. '%] has been written already'), message)
            assert(not pcall(function() d.square = 1 end))
            answer = 'done'
            """, onRanks: size)
        #expect(ranks.map(\.error) == Array(repeating: nil, count: size))
    }

    @Test("what two ranks wrote to one place of a NestedDict is told with both")
    func nestedDictConflict() throws {
        let ranks = try run("local d = dlp.collection.NestedDict(); d.a.b = 1; d:gather()", onRanks: 3)
        #expect(
            ranks.first?.error?.contains("NestedDict: ranks 0 and 1 have both written [\"a\"][\"b\"]") == true,
            "\(ranks)")
    }

    @Test("UnorderedList gathers what all ranks appended", arguments: 1...3)
    func unorderedList(size: Int) throws {
        let ranks = try run(
            """
            local list = dlp.collection.UnorderedList()
            for i in dlp.split_managed(20) do list:append(i) end
            list[#list + 1] = 100
            table.insert(list, 200)
            assert(list[#list] == 200 and list[0] == nil)
            for _ = 1, 2 do
              local all = list:gather()
              if dlp.IS_ROOT then
                table.sort(all)
                assert(#all == 20 + 2 * dlp.SIZE)
                for i = 1, 20 do assert(all[i] == i) end
              else
                assert(all == nil)
              end
            end
            """, onRanks: size)
        #expect(ranks.map(\.error) == Array(repeating: nil, count: size))
    }

    @Test("a collection takes what it can keep, and refuses the rest")
    func collections() throws {
        let kept = try run(
            "local l = dlp.collection.UnorderedList({1, 2}) l:extend({3}) assert(#l == 3 and #l:gather() == 3)",
            onRanks: 1)
        #expect(kept.allSatisfy { $0.error == nil }, "\(kept)")
        for (text, message) in [
            ("dlp.collection.UnorderedList()[3] = 1", "3 cannot be set; values are appended only"),
            ("local l = dlp.collection.UnorderedList({1}) l[1] = 2", "1 cannot be set"),
            ("dlp.collection.UnorderedList().x = 1", "x cannot be set"),
            ("dlp.collection.NestedDict({a = 2})", "NestedDict: it begins empty"),
        ] {
            let ranks = try run(text, onRanks: 1)
            #expect(ranks.first?.error?.contains(message) == true, "\(ranks)")
        }
    }
}
