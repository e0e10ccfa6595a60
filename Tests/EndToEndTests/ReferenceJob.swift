import Testing

/// A job whose output is compared with that of the reference: the same functions in a plain loop under the stock
/// interpreter.
struct ReferenceJob: Sendable, CustomTestStringConvertible {
    /// What is special about the job.
    var testDescription: String
    var script: String
    var input: String
    var seed: Int

    init(_ description: String, input: String = "", seed: Int = 0, _ script: String) {
        testDescription = description
        self.script = script
        self.input = input
        self.seed = seed
    }

    /// Whether its examples are the lines of standard input.
    var readsInput: Bool { !script.contains("function examples") }

    static let all = lists + data + lengths + results + random

    /// The ways to define the examples.
    private static let lists = [
        ReferenceJob(
            "a table of numbers",
            """
            function examples() return {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5} end
            function work(example, index) return example * example + index / 8 end
            function summarize(results) print(results.n, table.concat(results, " ")) end
            """),
        ReferenceJob(
            "examples of every type",
            """
            function examples() return {1, 1.0, "1", true, false, {1, {x = "y"}}, "\\0\\255", -0.0, math.mininteger} end
            function work(example) return {math.type(example) or type(example), example} end
            """),
        ReferenceJob(
            "an iterator with state and control",
            """
            local function step(limit, last) if last < limit then return last + 1 end end
            function examples() return step, 40, 7 end
            function work(example, index) return {example, index} end
            """),
        ReferenceJob(
            "an iterator that is a closure",
            """
            function examples()
              local words = ("the quick brown fox jumps over the lazy dog"):gmatch("%a+")
              return words
            end
            function work(word) return word:upper() .. #word end
            """),
        ReferenceJob(
            "the lines of standard input", input: "a\n\nb b\r\nä\u{1F600}\n\tlast without its newline",
            "function work(line, index) return {index, #line, line} end"),
    ]

    /// Files, JSON and grids.
    private static let data = [
        ReferenceJob(
            "the rows of a CSV file",
            #"""
            if dlp.IS_ROOT then
              local file <close> = assert(io.open("data.csv", "wb"))
              file:write('\xef\xbb\xbfid,"text, ""quoted""",x\r\n1,"a\nb",0.5\r\n\r\n2,,1e3\n3," ""c"" ",\n')
              for i = 4, 300 do file:write(i, ",5\" disk ", i, ",", i / 7, "\n") end
            end
            function examples() return dlp.csv("data.csv", {types = {id = "integer", x = "number"}}) end
            function work(row, index) return {row, index} end
            """#),
        ReferenceJob(
            "the values of JSON Lines",
            #"""
            if dlp.IS_ROOT then
              local file <close> = assert(io.open("data.jsonl", "wb"))
              file:write('{"a":[1,2.0,-0,null,1e400],"b":{"c":"\\u00e4\\ud83d\\ude00\\n"}}\n\n"x"\n12345678901234567890\nfalse')
            end
            function examples() return dlp.jsonl("data.jsonl") end
            function work(value) return {value, dlp.json.encode(value)} end
            """#),
        ReferenceJob(
            "a grid",
            """
            function examples() return dlp.grid{rate = {0.1, 0.01, "none"}, seed = 5, deep = {true, {1, {2}}}} end
            function work(point) return dlp.json.decode(dlp.json.encode(point)) end
            """),
    ]

    /// Few examples, none, and many.
    private static let lengths = [
        ReferenceJob(
            "a whole number of examples",
            """
            function examples() return 1000 end
            function work(example) return example % 7 == 0 and "seven" or example end
            """),
        ReferenceJob(
            "no examples in a table",
            """
            function examples() return {} end
            function work(example) error("there is nothing to do") end
            function summarize(results) print(results.n, #results, next(results)) end
            """),
        ReferenceJob("no examples by number", "function examples() return 0 end function work() return 1 end"),
        ReferenceJob("no lines", "function work(line) return line end"),
        ReferenceJob(
            "an iterator that is at its end", "function examples() return next, {} end function work() return 1 end"),
        ReferenceJob("one example", "function examples() return {'only'} end function work(word) return word end"),
        ReferenceJob("two examples", "function examples() return 2 end function work(n) return n, 'dropped' end"),
    ]

    /// The possible kinds of results.
    private static let results = [
        ReferenceJob(
            "what work and collect change stays with them",
            """
            local seen = {}
            function examples() return {{v = 1}, {v = 2}, {v = 3}} end
            function work(example) example.v = example.v * 10 return {example.v} end
            function collect(result, index, example)
              seen[index] = example.v
              result[1] = result[1] * 100
              result.collected = true
            end
            function summarize(results)
              for i = 1, results.n do print(i, seen[i], results[i][1], results[i].collected) end
            end
            """),
        ReferenceJob(
            "setup is for those that get examples",
            """
            function setup() error("there are none") end
            function examples() return 0 end
            function work() end
            function summarize(results) print(results.n) end
            """),
        ReferenceJob(
            "strings of any bytes",
            """
            local strings = {"", "plain", 'quotes " and \\\\', "\\n\\r\\t\\b\\f\\1\\31\\127", "\\0", "é€😀", "\\xff\\xfe\\x00",
              "\\xed\\xa0\\x80", "\\xf4\\x90\\x80\\x80", "\\xc0\\x80", ("x"):rep(5000), ("\\xe2\\x82"):rep(3)}
            function examples() return strings end
            function work(text) return {text, [text .. "?"] = #text} end
            """),
        ReferenceJob(
            "nested tables",
            """
            function examples() return 12 end
            function work(n)
              local nested = {level = 0}
              for level = 1, n do nested = {level = level, list = {nested, {}, {{}}}, [level] = true, [-level] = "minus"} end
              return nested
            end
            """),
        ReferenceJob(
            "nil results",
            """
            function examples() return 10 end
            function work(n) if n % 3 == 1 then return n end end
            function summarize(results)
              print(results.n, results.errors)
              for index = 1, results.n do print(index, results[index]) end
            end
            """),
        ReferenceJob(
            "nil results as lines", "function examples() return 10 end function work(n) if n > 4 then return n end end"),
        ReferenceJob(
            "floats",
            """
            local floats = {0 / 0, -(0 / 0), 1 / 0, -1 / 0, 0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, 2.2250738585072014e-308,
              2.0 ^ 53, 2.0 ^ 63, 1e15, 1e16, 1e22, 1e23, 123456.789, 1e-4, 1e-5, 1 / 3, math.pi, 1.7976931348623157e308}
            function examples() return #floats end
            function work(n) return {floats[n], [floats[n] == floats[n] and floats[n] or "nan"] = n, exact = 3, float = 3.0} end
            """),
        ReferenceJob(
            "floats to the last bit",
            """
            local floats = {0 / 0, 1 / 0, -1 / 0, -0.0, 0.1, 5e-324, 2.0 ^ 53 + 2, math.maxinteger, math.mininteger, 3, 3.0}
            function examples() return #floats end
            function work(n) return floats[n] end
            function summarize(results)
              for n = 1, results.n do
                local result = results[n]
                print(math.type(result), result ~= result and "nan" or ("%q"):format(result), 1 / result == -1 / 0)
              end
            end
            """),
        ReferenceJob(
            "shared references and cycles",
            """
            function examples() return 9 end
            function work(n)
              local shared = {n}
              local result = {shared, shared, {deep = shared}, key = {[shared.n or "k"] = shared}}
              result.me, shared.owner = result, result
              return result
            end
            function summarize(results)
              for n = 1, results.n do
                local result = results[n]
                print(result[1][1], result[1] == result[2], result[3].deep == result[1], result.key.k == result[1],
                  result.me == result, result[1].owner == result)
              end
              print(results[1] ~= results[2])
            end
            """),
        ReferenceJob(
            "shared references as lines",
            """
            function examples() return 5 end
            function work(n) local shared = {n, "shared"} return {shared, {shared, shared}, again = shared} end
            """),
        ReferenceJob(
            "long runs of numbers",
            """
            function examples() return 6 end
            function work(n)
              local integers, floats, mixed = {}, {}, {}
              for i = 1, 300 * n do
                integers[i], floats[i], mixed[i] = i * 1000003 ~ n, i / 7, i % 2 == 0 and i or i / 2
              end
              return {integers = integers, floats = floats, mixed = mixed, small = {1, 2, 3, -128, 127}}
            end
            """),
        ReferenceJob(
            "keys of every kind",
            """
            function examples() return 3 end
            function work(n)
              return {[true] = 1, [false] = 0, [1] = "one", [3] = "gap", [-1] = "minus", [1.5] = "float", ["2"] = "text",
                ["é"] = 2, z = 3, a = 4, ["\\n"] = 5, [math.maxinteger] = n}
            end
            """),
        ReferenceJob(
            "collect and summarize",
            """
            local count, sum = 0, 0
            function examples() return {10, 20, 30, 40, 50, 60, 70} end
            function work(example) return {example // 10, half = example / 2} end
            function collect(result, index, example)
              assert(result[1] == index and result.half * 2 == example)
              count, sum = count + 1, sum + result[1] * index
            end
            function summarize(results) print(count, sum, results.n, results[7].half) end
            """),
        ReferenceJob(
            "collect alone",
            """
            local count, sum = 0, 0
            function examples() return 500 end
            function work(example) return example * 3 end
            function collect(result, index, example)
              count, sum = count + 1, sum + result + index - example
              if count == 500 then print(sum) end
            end
            """),
        ReferenceJob(
            "setup",
            """
            local squares
            function setup() squares = {} for n = 1, 100 do squares[n] = n * n end end
            function examples() return 100 end
            function work(n) return squares[n] end
            """),
    ]

    /// Random numbers belong to the example, not to the rank.
    private static let random =
        [0, 7].map { seed in
            ReferenceJob(
                "random numbers with seed \(seed)", seed: seed,
                """
                local top = math.random(1000000)
                function examples() return {math.random(1000), math.random(1000), 3, 4, 5, 6, 7, 8, 9, 10} end
                function setup() math.random() end
                function work(example) return {example, math.random(), math.random(100), math.random(0), top} end
                function summarize(results)
                  for n = 1, results.n do print(table.concat(results[n], " ")) end
                  print(math.random(1000000))
                end
                """)
        } + [
            ReferenceJob(
                "random numbers in loops and while collecting", seed: 5,
                """
                local collected = {}
                function examples() return 12 end
                function work(example)
                  local text = math.random(1000) .. ":"
                  for n in dlp.split_managed(3) do
                    text = text .. math.random(1000) .. ","
                    if n == 2 then break end
                  end
                  for n in dlp.split_round_robin({5, 6}) do
                    for r, i in dlp.map_unordered(function(v) return math.random(1000) + v end, n) do
                      text = text .. r .. "/" .. math.random(1000) .. ","
                    end
                  end
                  return text .. dlp.map(function() return math.random(1000) end, 2)[2] .. "." .. math.random(1000)
                end
                function collect(result, index)
                  collected[index] = math.random(1000) .. " " .. dlp.map(function() return math.random(1000) end, 1)[1]
                end
                function summarize(results)
                  for n = 1, results.n do print(results[n], collected[n]) end
                  print(dlp.map(function() return math.random(1000) end, 1)[1], math.random(1000))
                end
                """)
        ]
}
