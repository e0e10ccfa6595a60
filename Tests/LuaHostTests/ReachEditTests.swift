import DLP
import Glibc
import Planning
import Testing

@testable import Journal
@testable import LuaHost
@testable import Runner

/// A script of parts, each of which can be written in several ways.
private struct EditableScript {
    /// The ways in which each part can be written, and the chosen one.
    private var slots: [(ways: [String], choice: Int)] = []

    /// The number of parts at the beginning that no example uses.
    static let unrelated = 4

    init(_ random: inout SeededGenerator) {
        let number = { (random: inout SeededGenerator) -> String in "\(Int.random(in: 1...9, using: &random))" }
        func slot(_ random: inout SeededGenerator, _ texts: String...) {
            let ways = texts.flatMap { text in (0..<3).map { _ in text.replacing("N", with: number(&random)) } }
            slots.append((ways, Int.random(in: 0..<ways.count, using: &random)))
        }
        slot(&random, "-- N", "", "\n\n", "--[[ N\n]]")
        slot(&random, "local function unused(x) return x * N end", "function unused_too() return N end")
        slot(&random, "function summarize(r) return N end", "function summarize(r) return r, N end")
        slot(&random, "function examples() return 6 end", "function examples() local n = N return 6 end")
        slot(&random, "local a = N", "local a = N.5", "local a = 'N'")
        slot(&random, "local t = {x = N, y = {N, N}}", "local t = {y = {N, N}, x = N, z = N}")
        slot(&random, "g = N", "g = N * 2")
        slot(
            &random, "local function f(x) return x + a end", "local function f(y) return y * a end",
            "local function f(x)\n  return x + a\nend")
        slot(
            &random,
            "local n, m = 0, 0 local function bump() n = n + 1 return N end local function level() return n end",
            "local n, m = 0, 0 local function bump() m = m + 1 return N end local function level() return n end",
            "local n, m = 0, N local function bump() n = n + m return N end local function level() return n end")
        slot(
            &random, "local M = setmetatable({}, {__index = function(_, k) return #k + N end})", "local M = {word = N}")
        slot(
            &random, "function helper(x) return f(x) + g end",
            "function helper(x) if x > N then return g end return f(x) end")
        slot(
            &random,
            "local C = {} C.__index = C function C.new(v) return setmetatable({v = v}, C) end function C:get() return self.v * N end",
            "local C = {} C.__index = C function C.new(v) return setmetatable({v = v + N}, C) end function C:get() return self.v end"
        )
        slot(&random, "function string.tag(s) return 'N' .. s end", "function string.tag(s) return s end")
        slot(&random, "package.preload.mod = function() return {k = N, f = function(x) return x - N end} end")
        slot(
            &random, "local function make(n) return function(x) return x + n end end local add = make(N)",
            "local function add(x) return x - N end")
        slot(&random, "function setup() ready = N end", "function setup() ready = N t.x = N end")
        slot(&random, "local list = {} for i = 1, N do list[i] = i * i end")
        slot(
            &random, "local function rare(x) return x * N end",
            "local function rare(x) if x > N then return f(x) end return a end", "local rare = f")
        slot(
            &random,
            "local memo = {} local function cached(x) memo[x // 3] = memo[x // 3] or rare(x) return memo[x // 3] end",
            "local function cached(x) return rare(x) + N end")
        slot(&random, "shared = {} twin = shared", "shared = {} twin = {}")
        slot(&random, "function twins(x) shared.v = x local v = twin.v shared.v = nil return {v, N} end")
        slot(
            &random, "local B = {odd = f, even = rare} B.other = {B}",
            "local B = {odd = rare, even = rare} B.other = {B}",
            "local B = {odd = f, even = f} B.other = {{even = f, odd = rare}}")
        let uses = [
            "f(x)", "t.x + #t.y", "helper(x)", "bump() + level()", "M.word", "C.new(x):get()", "('s'):tag()",
            "require 'mod'.f(x)",
            "add(x)", "ready", "#list", "math.max(x, N)", "math.random(N)", "_G.g", "x > N and rare(x)", "cached(x)",
            "twins(x)", "x % 2 == 0 and B.even(x) or B.odd(x)", "x > N and B.other[1].odd(x)",
        ]
        var works: [String] = []
        for _ in 0..<6 {
            let some = { (random: inout SeededGenerator, share: Int) in
                uses.filter { _ in random.below(share) == 0 }.joined(separator: ", ")
            }
            works.append(
                "function work(x) if x > N then return {\(some(&random, 3))} end return {x, \(some(&random, 6))} end"
                    .replacing("{x, }", with: "{x}").replacing("N", with: number(&random)))
        }
        slots.append((works, Int.random(in: 0..<works.count, using: &random)))
    }

    var text: String { slots.map { $0.ways[$0.choice] }.joined(separator: "\n") }

    /// Writes one of the parts in another way.
    ///
    /// - Returns: whether that part is one that no example uses.
    mutating func edit(_ random: inout SeededGenerator) -> Bool {
        let place = Int.random(in: 0..<slots.count, using: &random)
        slots[place].choice = random.below(slots[place].ways.count)
        return place < Self.unrelated
    }
}

@Suite("Edits of scripts")
struct ReachEditTests {
    /// Each seed makes about eighty edits; the guide reports the outcome of many thousands.
    private static let seeds = getenv("DLP_EDIT_SEEDS").flatMap { Int(String(cString: $0)) } ?? 4

    /// Returns what a script's `work` reaches, and for each example its result and what it has met.
    private func run(_ text: String) throws -> Run {
        let rank = try LoneRank(seed: 5)
        try rank.run(text)
        let examples = try rank.host.openJob(evaluate: true)
        let reach = rank.host.reachOfWork(tracks: true)
        try rank.host.setUp()
        rank.host.beginTracking(hasBetween: false)
        var results: [String] = []
        var traces: [ExampleTrace?] = []
        for index in 0..<(examples.count ?? 0) {
            let chunk = Chunk(first: index, count: 1)
            do { results.append("\(try rank.results(of: chunk, examples).array)") } catch let error as WorkError {
                results.append(String(error.error.message.split(separator: ":").last ?? ""))
            }
            let report = rank.host.takeTraces()
            traces.append(report?.traces.first.flatMap { ExampleTrace(encoded: $0) })
        }
        return (text, reach, results, traces)
    }

    /// The version with which a script's rows are made.
    private func version(_ run: Run) -> CodeVersion {
        let identity = JournalIdentity(script: "job.lua", text: Bytes(Array(run.text.utf8)), arguments: [], seed: 5)
        return CodeVersion(identity, run.reach)
    }

    /// The outcome of a script's run.
    private typealias Run = (text: String, reach: Reach, results: [String], traces: [ExampleTrace?])

    /// Edits random scripts, one place after another.
    ///
    /// - Parameter look: called with the runs before and after an edit, and whether the edit is of a part that no
    ///   example uses.
    private func edit(
        _ seed: UInt64, _ look: (_ before: Run, _ after: Run, _ isUnrelated: Bool) throws -> Void
    ) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10 {
            var script = EditableScript(&random)
            var before = try run(script.text)
            for _ in 0..<10 {
                let isUnrelated = script.edit(&random)
                guard script.text != before.text else { continue }
                let after = try run(script.text)
                try look(before, after, isUnrelated)
                before = after
            }
        }
    }

    @Test("what an edit cannot touch is found out, and never too much", arguments: 0..<seeds)
    func edits(seed: Int) throws {
        var (kept, needless, count) = (0, 0, 0)
        try edit(UInt64(seed)) { before, after, isUnrelated in
            #expect(after.reach.obstacles.isEmpty)
            let isKept = before.reach.digest == after.reach.digest
            let both = "\(before.text)\n-- and then\n\(after.text)"
            if isKept { #expect(before.results == after.results, "\(both)") }
            if isUnrelated { #expect(isKept, "\(both)") }
            count += 1
            if isKept { kept += 1 } else if before.results == after.results { needless += 1 }
        }
        print("of \(count) edits \(kept) keep what is done; \(needless) do it again needlessly")
        #expect(kept > 0 && kept < count)
    }

    @Test("what an example has not met is found out, and never too much", arguments: 0..<seeds)
    func tracked(seed: Int) throws {
        var (kept, needless, count) = (0, 0, 0)
        try edit(UInt64(seed) + 1_000_000) { before, after, _ in
            // Examples that are never done again have been checked above.
            guard before.reach.digest != after.reach.digest else { return }
            let (old, new) = (version(before), version(after))
            for (index, trace) in before.traces.enumerated() {
                let trace = try #require(trace)
                let changes = try #require(new.changes(since: old, for: trace))
                let isSame = before.results[index] == after.results[index]
                count += 1
                if changes.isEmpty {
                    #expect(isSame, "example \(index + 1)\n\(before.text)\n-- and then\n\(after.text)")
                    kept += 1
                } else if isSame {
                    needless += 1
                }
            }
        }
        print("of \(count) examples after an edit \(kept) are spared; \(needless) are done again needlessly")
        #expect(kept > 0 && kept < count)
    }

    @Test(
        "what only changes places is found out",
        arguments: [
            (
                "local t = {v = 1} local c = {dev = t, prod = {v = 2}, test = t}",
                "local t = {v = 1} local c = {dev = t, prod = t, test = {v = 2}}", "return {c.test.v, c.prod.v}"
            ),
            (
                "round = math.floor half = function(x) return x / 2 end",
                "half = math.floor round = function(x) return x / 2 end", "return round(half(x))"
            ),
            (
                "p = math q = {floor = function() return 7 end}", "q = math p = {floor = function() return 7 end}",
                "return {p.floor(1.5), q.floor(1.5)}"
            ),
            (
                """
                local m, n = math, math
                local function f() m = {floor = function() return 42 end} end
                local function g() return m.floor(1.5) end local function h() return n.floor(1.5) end
                """,
                """
                local m, n = math, math
                local function f() m = {floor = function() return 42 end} end
                local function g() return n.floor(1.5) end local function h() return n.floor(1.5) end
                """, "f() return {g(), h()}"
            ),
            (
                "math.sq = function(x) return x * x end", "math.st = function(x) return x * x end",
                "local M = math return M.sq and M.sq(x) or 0"
            ),
            ("string.foo = string.upper", "string.bar = string.upper", "return ('').foo and ('a'):foo()"),
            (
                "debug.setmetatable(0, {__call = print})", "debug.setmetatable(true, {__call = print})",
                "return {pcall(function() return x() end)}"
            ),
            ("arg = {'10'}", "arg = {'20'}", "return arg[1]"),
            (
                "C = {} C.__index = C D = {} D.__index = D l = {setmetatable({}, C), setmetatable({}, D), setmetatable({}, C)}",
                "C = {} C.__index = C D = {} D.__index = D l = {setmetatable({}, C), setmetatable({}, D), setmetatable({}, D)}",
                "return getmetatable(e) == C"
            ),
        ])
    func places(first: String, second: String, body: String) throws {
        let rest = """
            function C_area() return 1 end
            function examples() return l or 3 end
            function work(e, x) x = x + 0.5 \(body) end
            """
        let (before, after) = (try run("\(first)\n\(rest)"), try run("\(second)\n\(rest)"))
        #expect(before.results != after.results)
        #expect(before.reach.digest != after.reach.digest)
        for (index, trace) in before.traces.enumerated() where before.results[index] != after.results[index] {
            let changes = version(after).changes(since: version(before), for: try #require(trace))
            #expect(changes?.isEmpty != true, "example \(index + 1)")
        }
    }
}
