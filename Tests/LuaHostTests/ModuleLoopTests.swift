import DLP
import Testing

@testable import LuaHost

@Suite("Loops over several ranks")
struct ModuleLoopTests {
    private func expectNoErrors(_ ranks: [RankOutcome], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            !ranks.isEmpty && ranks.allSatisfy { $0.error == nil && $0.end == nil }, "\(ranks)",
            sourceLocation: sourceLocation)
    }

    /// Defines `complete(own, n)`, which fails unless the lists of all ranks together are the numbers up to n, each
    /// once.
    private let complete = """
        function complete(own, n)
          local all = dlp.gather(own)
          if not all then return end
          local seen = {}
          for r = 1, all.n do
            for _, i in ipairs(all[r]) do assert(not seen[i], 'twice'); seen[i] = true end
          end
          for i = 1, n do assert(seen[i], i .. ' is missing of ' .. n) end
          assert(next(seen, nil) == nil or #seen == n)
        end

        """

    @Test(
        "every element is done exactly once, on whichever rank",
        arguments: ["split_round_robin", "split_managed"], 1...4)
    func split(function: String, size: Int) throws {
        for options in ["{}", "{chunk = 1}", "{chunk = 7}", "{root_works = false}", "{chunk = math.maxinteger}"] {
            let ranks = try run(
                complete + """
                    for n = 0, 20 do
                      local list = {}
                      for i = 1, n do list[i] = i * 10 end
                      for _, seq in ipairs {n, list} do
                        local own = {}
                        for value, index in dlp.\(function)(seq, \(options)) do
                          assert(value == (seq == n and index or index * 10))
                          own[#own + 1] = index
                        end
                        complete(own, n)
                      end
                    end
                    """, onRanks: size)
            expectNoErrors(ranks)
        }
    }

    @Test("map_unordered gives the root every result once, the others none", arguments: 1...4)
    func mapUnordered(size: Int) throws {
        for options in ["{}", "{chunk = 3}", "{root_works = false}"] {
            let ranks = try run(
                """
                for n = 0, 20 do
                  local seen, count = {}, 0
                  for value, index in dlp.map_unordered(function(v, i) return {v * v, i} end, n, \(options)) do
                    assert(value[1] == index * index and value[2] == index and not seen[index])
                    seen[index] = true
                    count = count + 1
                  end
                  assert(count == (dlp.IS_ROOT and n or 0), count .. ' of ' .. n)
                end
                """, onRanks: size)
            expectNoErrors(ranks)
        }
    }

    @Test("map gives the root the results in order, with nil and false where they belong", arguments: 1...4)
    func map(size: Int) throws {
        let ranks = try run(
            """
            for n = 0, 20 do
              local results = dlp.map(function(v) if v % 3 == 0 then return nil end return v % 3 == 1 and v end, n)
              assert(results.n == (dlp.IS_ROOT and n or 0))
              for i = 1, results.n do
                local expected
                if i % 3 ~= 0 then expected = i % 3 == 1 and i end
                assert(results[i] == expected)
              end
              local count = 0
              for value, index in results do assert(value == results[index]); count = count + 1 end
              assert(count == (dlp.IS_ROOT and n - n // 3 or 0))
            end
            """, onRanks: size)
        expectNoErrors(ranks)
    }

    @Test("an iterator of unknown length is done whole", arguments: 1...4)
    func iterators(size: Int) throws {
        let ranks = try run(
            complete + """
                local function count(n)
                  local i = 0
                  return function() if i < n then i = i + 1; return i end end
                end
                for _, n in ipairs {0, 1, 2, 3, 7, 20, 1000} do
                  for _, options in ipairs {{indexable = false}, {indexable = false, chunk = 3}} do
                    local own = {}
                    for v, i in dlp.split_managed(count(n), options) do assert(v == i); own[#own + 1] = v end
                    complete(own, n)
                    own = {}
                    for v, i in dlp.split_round_robin(count(n)) do assert(v == i); own[#own + 1] = v end
                    complete(own, n)
                    local results = dlp.map(function(v) return -v end, count(n), options)
                    assert(results.n == (dlp.IS_ROOT and n or 0))
                    for i = 1, results.n do assert(results[i] == -i) end
                  end
                end
                """, onRanks: size)
        expectNoErrors(ranks)
    }

    @Test(
        "an iterator that has ended is not called again, which some do not stand",
        arguments: ["split_round_robin", "split_managed", "map_unordered"], 1...3)
    func endedIterator(function: String, size: Int) throws {
        let mapped = function == "map_unordered" ? "tostring, " : ""
        let ranks = try run(
            """
            for n = 0, 9 do
              for _, chunk in ipairs {1, 2, 100} do
                local seq = coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end)
                for _ in dlp.\(function)(\(mapped)seq, {chunk = chunk}) do end
              end
            end
            """, onRanks: size)
        expectNoErrors(ranks)
    }

    @Test("loops that are stepped in turn give each element once to a single rank, and are refused to several")
    func inTurn() throws {
        for call in ["split_managed(3)", "map_unordered(tostring, 3)"] {
            let ranks = try run("local a, b = dlp.\(call), dlp.\(call) for _ = 1, 9 do a() b() end", onRanks: 3)
            #expect(ranks.contains { $0.error?.contains("goes on in the body of another one") == true }, "\(ranks)")
        }
        for (first, second) in [(6, 6), (3, 6), (6, 3), (0, 4)] {
            let ranks = try run(
                complete + """
                    local a, b = dlp.split_managed(\(first)), dlp.split_managed(\(second))
                    local A, B = {}, {}
                    repeat
                      local x, y = a(), b()
                      A[#A + 1] = x
                      B[#B + 1] = y
                    until not x and not y
                    complete(A, \(first))
                    complete(B, \(second))
                    """, onRanks: 1)
            expectNoErrors(ranks)
        }
    }

    @Test(
        "a sequence with a hole is refused, not cut short",
        arguments: ["split_round_robin(list)", "split_managed(list)", "map_unordered(tostring, list)"], 1...3)
    func hole(call: String, size: Int) throws {
        let ranks = try run("local list = {1, nil, nil, 4} for _ in dlp.\(call) do end dlp.barrier()", onRanks: size)
        #expect(ranks.contains { $0.error?.contains("the sequence has no element ") == true }, "\(ranks)")
        #expect(ranks.allSatisfy { $0.error != nil }, "\(ranks)")
    }

    @Test(
        "arguments that make no sense are refused with the reason",
        arguments: [
            ("split_managed(-1)", "expected a sequence, a number from 0 on or an iterator, got -1"),
            ("split_managed(1.5)", "got 1.5"), ("split_managed(math.maxinteger)", "got 9223372036854775807"),
            ("map(print, {a = 1})", "the table has keys, but no first element"),
            ("split_round_robin({[2] = 1})", "the table has keys, but no first element"),
            ("split_managed(setmetatable({}, {__len = function() return 1.5 end}))", "the sequence has the length 1.5"),
            ("split_managed(setmetatable({}, {__len = function() return -1 end}))", "the sequence has the length -1"),
            ("split_round_robin('x')", "got a string"),
            ("split_managed(3, {chunk = '2'})", "chunk must be a whole number from 1 on, not \"2\""),
            ("split_managed(3, {root_works = 'no'})", "root_works must be true or false, not \"no\""),
            ("split_managed(3, {progress_bar = 5})", "progress_bar must be true or false, not 5"),
            ("map_unordered({3}, print)", "map_unordered: expected a function first, got a table"),
            ("map(nil, 3)", "map: expected a function first, got a nil"),
            ("bcast(1, '0')", "root must be a rank from 0 to 0, not \"0\""),
        ])
    func nonsense(call: String, message: String) throws {
        let ranks = try run("dlp.\(call)", onRanks: 1)
        #expect(ranks.first?.error?.contains(message) == true, "\(ranks)")
    }

    @Test("ranks whose iterators differ in length are told")
    func disagreement() throws {
        let ranks = try run(
            """
            local i, n = 0, dlp.IS_ROOT and 10 or 20
            for _ in dlp.split_managed(function() if i < n then i = i + 1; return i end end, {chunk = 1}) do dlp.RANK = 0 end
            dlp.barrier()
            """, onRanks: 2)
        let told = ranks.contains { $0.end != nil }
        // One rank may have done everything before the other came. Then no error can be noticed.
        #expect(told || ranks.allSatisfy { $0.error == nil })
    }

    @Test("ranks whose options differ are told")
    func differentOptions() throws {
        let ranks = try run("for _ in dlp.split_managed(5, {chunk = dlp.RANK + 1}) do end dlp.barrier()", onRanks: 3)
        guard case .fault(let fault)? = ranks.first?.end else {
            Issue.record("the root does not notice: \(ranks)")
            return
        }
        #expect(fault.message.contains("all ranks must call the same loops"))
    }

    @Test("break leaves what is not begun to the others, and the next loop is whole", arguments: 1...4)
    func breaking(size: Int) throws {
        let ranks = try run(
            complete + """
                for round = 1, 20 do
                  local own = {}
                  for _, index in dlp.split_managed(20, {chunk = 4}) do
                    own[#own + 1] = index
                    if not dlp.IS_ROOT then break end
                  end
                  complete(own, 20)
                  for value in dlp.map_unordered(function(v) return v end, 50) do if round % 2 == 0 then break end end
                  local results = dlp.map(function(v) return v + round end, 9)
                  for i = 1, results.n do assert(results[i] == i + round) end
                end
                """, onRanks: size)
        expectNoErrors(ranks)
    }

    @Test("a root that only watches goes on when every worker has left by break", arguments: 2...3)
    func watchingBreaks(size: Int) throws {
        let ranks = try run(
            "for _ in dlp.split_managed(20, {root_works = false}) do break end answer = 'through' dlp.barrier()",
            onRanks: size)
        expectNoErrors(ranks)
        #expect(ranks.allSatisfy { $0.answer == "through" })
    }

    @Test("a rank that ends its script in the middle of a loop gives back what it had", arguments: 2...3)
    func abandoned(size: Int) throws {
        let ranks = try run(
            """
            if dlp.RANK == 1 then
              local step = dlp.split_managed(20, {chunk = 5})
              step()
            else
              answer = 0
              for _ in dlp.split_managed(20, {chunk = 5}) do answer = answer + 1 end
            end
            """, onRanks: size)
        expectNoErrors(ranks)
        #expect(ranks.reduce(0) { $0 + (Int($1.answer) ?? 0) } == 20)
    }

    @Test("a loop inside a loop belongs to the rank whose element it is for", arguments: 1...3)
    func nesting(size: Int) throws {
        let ranks = try run(
            """
            local results = dlp.map(function(v)
              local inner = {}
              for w in dlp.split_managed(3) do inner[#inner + 1] = w end
              for w in dlp.split_round_robin(2) do inner[#inner + 1] = w end
              for w in dlp.map_unordered(function(x) return x * 10 end, 2) do inner[#inner + 1] = w end
              local ordered = dlp.map(function(x) return x * 100 end, 2)
              return table.concat(inner, ',') .. ',' .. ordered[1] .. ',' .. ordered.n
            end, 7)
            for i = 1, results.n do assert(results[i] == '1,2,3,1,2,10,20,100,2', results[i]) end
            local again = dlp.map(function(v) return v end, 5)
            assert(again.n == (dlp.IS_ROOT and 5 or 0))
            """, onRanks: size)
        expectNoErrors(ranks)
    }

    @Test("an error that the script catches in a loop lets the next loop be whole", arguments: 1...3)
    func caught(size: Int) throws {
        let ranks = try run(
            """
            for round = 1, 10 do
              pcall(function() for v in dlp.split_managed(12) do error('x') end end)
              dlp.barrier()
              pcall(function() for v in dlp.map_unordered(function(v) error('y') end, 12) do end end)
              dlp.barrier()
              local results = dlp.map(function(v) return v end, 12)
              for i = 1, results.n do assert(results[i] == i) end
            end
            """, onRanks: size)
        expectNoErrors(ranks)
    }

    @Test("an error in a loop's function is the script's, with its line")
    func failingFunction() throws {
        for size in 1...3 {
            let ranks = try run(
                "\nfor _ in dlp.map_unordered(function(v) error('at ' .. v) end, 5) do end dlp.barrier()", onRanks: size
            )
            let errors = ranks.compactMap(\.error)
            #expect(errors.contains { $0.hasPrefix("job.lua:2: at ") }, "\(ranks)")
        }
    }

    @Test(
        "an error in the body of an element names it",
        arguments: [
            ("for _ in dlp.split_managed({'a', 'bad'}) do LAST end", "(element 2 of split_managed: \"bad\")"),
            ("for _ in dlp.split_round_robin({'a', {x = 1}}) do LAST end", "(element 2 of split_round_robin: {x = 1})"),
            ("dlp.map(function(_) LAST end, 2)", "(element 2 of map)"),
            ("for _ in dlp.map_unordered(function(_) LAST end, {7, 7.5}) do end", "(element 2 of map_unordered: 7.5)"),
            (
                "for i in dlp.split_managed(2) do if i == 2 then for _ in dlp.split_managed({'z'}) do error('no') end end end",
                "(element 1 of split_managed: \"z\", in element 2 of split_managed)"
            ),
        ])
    func named(loop: String, place: String) throws {
        let last = "count = (count or 0) + 1 if count == 2 then error('no') end"
        let ranks = try run(loop.replacing("LAST", with: last), onRanks: 1)
        #expect(ranks.first?.error == "job.lua:1: no \(place)", "\(ranks)")
        // A loop that is over, or whose error was caught, is not mentioned.
        let after = try run(
            "pcall(function() \(loop.replacing("LAST", with: last)) end) error('later')", onRanks: 1)
        #expect(after.first?.error == "job.lua:1: later")
    }

    @Test("a million results go through, and a break frees what nobody takes")
    func volume() throws {
        let ranks = try run(
            """
            local text = ('x'):rep(100000)
            for round = 1, 60 do
              for value in dlp.map_unordered(function() return text end, 100) do break end
            end
            local sum = 0
            for value in dlp.map_unordered(function(v) return v end, 100000) do sum = sum + value end
            assert(sum == (dlp.IS_ROOT and 5000050000 or 0))
            """, onRanks: 2)
        expectNoErrors(ranks)
    }
}
