import DLP
import Testing

@testable import LuaHost

@Suite("work that changes its example")
struct ExampleKeeperTests {
    private static let job = """
        attempts = {}
        function examples()
          local shared = {0}
          return {
            {v = 1, list = {1, 2, 3}}, setmetatable({v = 2}, {__index = {name = 'object'}}), 3, 'text', {4, 5.5, 'x', {}},
            {v = 6, of = print}, {shared, shared},
          }
        end
        function work(e, i)
          attempts[i] = (attempts[i] or 0) + 1
          local before = type(e) == 'table' and (e.v or #e) or e
          if type(e) == 'table' then e.v, e.list, e[1] = 'changed', nil, {} end
          if attempts[i] == 1 and fails then error('once') end
          return before
        end
        seen = ''
        function collect(r, i, e)
          local value = type(e) == 'table' and (e.v or #e) or e
          seen = seen .. r .. '=' .. tostring(value) .. (type(e) == 'table' and e.name or '') .. ' '
          if i == 1 then assert(#e.list == 3) end
          if i == 7 then assert(e[1] == e[2]) end
        end
        """

    @Test("collect sees it as examples() made it, and so does a second attempt", arguments: [false, true])
    func restored(fails: Bool) throws {
        let rank = try LoneRank()
        let examples = try rank.open("fails = \(fails) " + Self.job)
        rank.host.keepExamples(forCollect: true, forRetries: fails)
        // The sixth example holds something that cannot be copied.
        for index in [0, 1, 2, 3, 4, 6] {
            let chunk = Chunk(first: index, count: 1)
            if fails { _ = try rank.host.work(chunk, of: examples, sent: nil) { _, _ in } }
            let run = ResultRun(chunk, results: try rank.results(of: chunk, examples), rank: 0)
            try rank.host.collect(run, of: examples, sent: nil)
        }
        #expect(rank.global("seen") == "1=1 2=2object 3=3 text=text 4=4 2=2 ")
    }

    @Test("an example that work leaves alone stays the same table")
    func identity() throws {
        let rank = try LoneRank()
        let examples = try rank.open(
            """
            local list = {{}, {{}}, {1, 2, {a = 1, b = 2}}}
            function examples() return list end
            function work(e, i) return #e end
            same = true
            function collect(r, i, e) same = same and e == list[i] end
            """)
        rank.host.keepExamples(forCollect: true, forRetries: true)
        let chunk = Chunk(first: 0, count: 3)
        let run = ResultRun(chunk, results: try rank.results(of: chunk, examples), rank: 0)
        try rank.host.collect(run, of: examples, sent: nil)
        #expect(rank.global("same") == "true")
    }
}
