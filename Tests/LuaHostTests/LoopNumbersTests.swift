import DLP
import Testing

@testable import LuaHost

@Suite("math.random in loops")
struct LoopNumbersTests {
    /// Returns the root's `answer` on this number of ranks, none of which may fail.
    private func answer(
        _ text: String, onRanks size: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let ranks = try run(text, onRanks: size)
        #expect(
            !ranks.isEmpty && ranks.allSatisfy { $0.error == nil && $0.end == nil }, "\(ranks)",
            sourceLocation: sourceLocation)
        return ranks.first?.answer ?? ""
    }

    /// Defines `all(loop)`, which returns to the root a text of what `loop(add)` has added by index on all ranks.
    private let all = """
        function all(loop)
          local own = {}
          loop(function(index, value) own[index] = value end)
          local every = dlp.gather(own)
          if not every then return end
          local text = {}
          for r = 1, every.n do
            for index, value in pairs(every[r]) do text[index] = value end
          end
          return table.concat(text, ' ')
        end

        """

    /// Loops over six elements, each of which adds the value of `draw()` in its body.
    private static let loops = [
        "for r, i in dlp.map_unordered(draw, SEQ, {chunk = 1}) do add(i, r) end",
        "for i, r in ipairs(dlp.map(draw, SEQ, {chunk = 4})) do add(i, r) end",
        "for _, i in dlp.split_managed(SEQ, {chunk = 1}) do add(i, draw()) end",
        "for _, i in dlp.split_managed(SEQ, {chunk = 4}) do add(i, draw()) end",
        "for _, i in dlp.split_round_robin(SEQ) do add(i, draw()) end",
    ]

    private static let sequences = [
        "6", "{5, 4, 3, 2, 1, 9}", "coroutine.wrap(function() for i = 1, 6 do coroutine.yield(i) end end)",
    ]

    @Test(
        "each element has the numbers of its index and of its loop, which are those of plain Lua", arguments: loops,
        sequences)
    func elements(loop: String, sequence: String) throws {
        let loop = loop.replacing("SEQ", with: sequence)
        for size in 1...4 {
            let drawn = try answer(
                all + """
                    local function draw() math.random() return math.random(0) .. '/' .. math.random(3) end
                    math.randomseed(77)
                    for round = 1, 2 do
                      local text = all(function(add) \(loop) end)
                      answer = text and (answer or '') .. text .. ';'
                    end
                    local around = {math.random(0), math.random(0)}
                    local plain = ''
                    for n = 1, 2 do
                      for i = 1, 6 do
                        math.randomseed(0, n << 40 | i)
                        plain = plain .. draw() .. (i < 6 and ' ' or ';')
                      end
                    end
                    assert(not answer or answer == plain, tostring(answer) .. ' is not ' .. plain)
                    math.randomseed(77)
                    assert(around[1] == math.random(0) and around[2] == math.random(0), 'the loops have drawn')
                    """, onRanks: size)
            #expect(!drawn.isEmpty)
        }
    }

    @Test("the script's own numbers go on as if the loop had drawn none, however it is left", arguments: 1...3)
    func around(size: Int) throws {
        _ = try answer(
            """
            local function check(name, loop)
              math.randomseed(5)
              local expected = {math.random(0), math.random(0)}
              math.randomseed(5)
              assert(math.random(0) == expected[1])
              loop()
              assert(math.random(0) == expected[2], name)
            end
            local function draw() return math.random() end
            for _, name in ipairs {'split_managed', 'split_round_robin'} do
              check(name .. ', to its end', function() for _ in dlp[name](9) do draw() end end)
              check(name .. ' and break', function() for _ in dlp[name](9) do draw() break end end)
              check(name .. ' and error', function()
                pcall(function() for _ in dlp[name](9) do draw() error('x') end end)
              end)
              check(name .. ' in itself', function()
                for _ in dlp[name](4) do draw() for _ in dlp[name](3) do draw() break end draw() end
              end)
            end
            check('map', function() dlp.map(draw, 9) end)
            check('map_unordered and break', function() for _ in dlp.map_unordered(draw, 9) do break end end)
            check('an empty loop', function() dlp.map(draw, 0) end)
            pcall(dlp.map, function() draw() if dlp.SIZE == 1 then error('x') end end, 2)
            """, onRanks: size)
    }

    @Test("the body that takes the results of a map draws the script's own numbers")
    func takingResults() throws {
        for size in 1...3 {
            let drawn = try answer(
                """
                local taken = {}
                for _ in dlp.map_unordered(function() return math.random(0) end, 3) do
                  taken[#taken + 1] = math.random(0)
                  for _ in dlp.split_managed(2) do math.random() end
                end
                answer = table.concat(taken, ' ')
                math.randomseed(0, 0)
                local plain = {}
                for i = 1, #taken do plain[i] = math.random(0) end
                assert(answer == table.concat(plain, ' '))
                local after = dlp.map(function() return math.random(0) end, 1)[1]
                math.randomseed(0, 2 << 40 | 1)
                assert(not dlp.IS_ROOT or after == math.random(0), 'loops over results count')
                """, onRanks: size)
            #expect(drawn.split(separator: " ").count == 3)
        }
    }

    @Test("loops in the body of another have numbers that depend on its element alone")
    func nesting() throws {
        let text =
            all + """
                local function inner()
                  local text = ''
                  for i in dlp.split_managed(2) do
                    text = text .. math.random(1000) .. ','
                    for j in dlp.split_round_robin(2) do text = text .. math.random(1000) .. ',' end
                    text = text .. math.random(1000) .. ';'
                  end
                  return text .. dlp.map(function() return math.random(1000) end, 1)[1] .. '.' .. math.random(1000)
                end
                answer = all(function(add) for i, r in ipairs(dlp.map(inner, 5, {chunk = 2})) do add(i, r) end end)
                local again = all(function(add) for _, i in dlp.split_managed(5, {chunk = 1}) do add(i, inner()) end end)
                assert(not answer or answer ~= again)
                answer = answer and answer .. '\\n' .. again
                """
        let alone = try answer(text, onRanks: 1)
        let numbers = alone.split { !$0.isNumber }
        #expect(numbers.count == 2 * 5 * 10 && Set(numbers).count > 80, "\(alone)")
        for size in 2...4 { #expect(try answer(text, onRanks: size) == alone) }
    }

    @Test("loops in the functions of a job have numbers that depend on the example alone")
    func inWork() throws {
        let rank = try LoneRank(seed: 3)
        let examples = try rank.open(
            """
            function examples() return 6 end
            function work()
              local text = ''
              for _ = 1, 2 do
                for _ in dlp.split_managed(2) do text = text .. math.random(0) .. ' ' end
              end
              return text .. math.random(0)
            end
            """)
        let all = try rank.results(of: Chunk(first: 0, count: 6), examples)
        var single = ByteWriter()
        for index in (0..<6).reversed() {
            let bytes = try rank.results(of: Chunk(first: index, count: 1), examples)
            let rest = single.take()
            single.append(bytes)
            single.append(rest)
        }
        #expect(all == single.take())
    }
}
