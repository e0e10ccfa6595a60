import CLua
import DLP
import Testing

@testable import LuaHost

/// Names in a script that are almost right.
struct SlipTests {
    @Test(
        "a field of dlp that is a slip is an error with its line, before and after the module's functions are there",
        arguments: [
            ("dlp.gahter(1)", "there is no dlp.gahter; is dlp.gather meant?"),
            ("if dlp.rank == 0 then end", "there is no dlp.rank; is dlp.RANK meant?"),
            ("for _ in dlp.split_manged(3) do end", "there is no dlp.split_manged; is dlp.split_managed meant?"),
            (
                "dlp.collection.NestedDcit()",
                "there is no dlp.collection.NestedDcit; is dlp.collection.NestedDict meant?"
            ),
            ("dlp.option = {mode = 'map'}", "there is no dlp.option; is dlp.options meant?"),
        ], ["", "dlp.barrier() "])
    func fields(_ slip: (text: String, says: String), _ before: String) throws {
        let error = try LoneRank().error("\n\(before)\(slip.text)")
        #expect(error.message == "job.lua:2: \(slip.says)")
    }

    @Test("a field of dlp that is no slip is nil, and scripts may have their own", arguments: ["", "dlp.barrier() "])
    func others(_ before: String) throws {
        let rank = try LoneRank()
        try rank.run(
            """
            \(before)
            seen = tostring(dlp.nothing) .. tostring(dlp[17]) .. tostring(dlp.collection.Set)
            dlp.mine, dlp.option = 3, 4
            mine = dlp.mine + dlp.option
            names = 0
            for name in pairs(dlp) do names = names + 1 end
            """)
        #expect(rank.global("seen") == "nilnilnil" && rank.global("mine") == "7")
        #expect(Int(rank.global("names")) ?? 0 > 20)
    }

    @Test(
        "an option of a loop that is a slip is answered with the one that was meant",
        arguments: [("chnk", "; is chunk meant?"), ("progress", ""), ("Root_works", "; is root_works meant?")])
    func loopOptions(_ name: String, _ guess: String) throws {
        let error = try LoneRank().error("for _ in dlp.split_managed(3, {\(name) = 1}) do end")
        #expect(error.message == "job.lua:1: split_managed: there is no option \(name)\(guess)")
    }

    private static let work = "function work(n) return n end "

    @Test(
        "a function whose name is almost one of a job's is told, and a local one",
        arguments: [
            (work + "function exmaples() return 3 end", "exmaples is no function that a job calls; is examples meant?"),
            (work + "function summarise() end", "summarise is no function that a job calls; is summarize meant?"),
            (work + "function Collect() end", "Collect is no function that a job calls; is collect meant?"),
            (work + "set_up = print", "set_up is no function that a job calls; is setup meant?"),
            (work + "function Cost() return 1 end", "Cost is no function that a job calls; is cost meant?"),
            (work + "function costs(e) return 1 end", "costs is no function that a job calls; is cost meant?"),
            (
                work + "local function cost(e) return 1 end",
                "line 1: cost is local, so that the job does not see it: leave out the word local"
            ),
            (
                "function worK() end function examples() return 3 end",
                "worK is no function that a job calls; is work meant?"
            ),
            ("\nlocal function work() end", "line 2: work is local, so that the job does not see it"),
            ("local work = function() end", "line 1: work is local, so that the job does not see it"),
            (
                "local work\nfunction work() end function examples() end",
                "line 1: work is local, so that the job does not see it"
            ),
            (
                work + "\n\nlocal function examples() return 3 end",
                "line 3: examples is local, so that the job does not see it"
            ),
        ])
    func functions(_ text: String, _ says: String) throws {
        let slips = try self.slips(text)
        #expect(slips.count == 1 && slips[0].hasPrefix(says), "\(slips)")
    }

    @Test(
        "functions of a script's own are no slips",
        arguments: [
            work
                + "function examples() return 3 end function collector() end function connect() end function samples() end",
            work + "local function collect(t) return t end function setup() collect({}) end",
            work + "local t = {examples = 1, summarize = print} t.summarize(t.examples)",
            work + "function collect() end function collects() end function works() end",
            "local function work(n) return n end print(work(3))", "-- local function work\nprint('local work')", "",
        ])
    func none(_ text: String) throws {
        #expect(try slips(text) == [])
    }

    private func slips(_ text: String) throws -> [String] {
        let rank = try LoneRank()
        // Only the functions that the tests themselves define are removed.
        try rank.run(text.replacing("print(", with: "tostring("))
        return rank.host.slips(in: script(text))
    }

    @Test(
        "a value is shown as a script would write it, on one line, without anything that a terminal obeys, and cut",
        arguments: [
            ("'a.csv'", "\"a.csv\""), ("17", "17"), ("0.5", "0.5"), ("true", "true"), ("nil", "nil"),
            ("print", "a function"),
            ("{lr = 0.1, name = 'x', 3, 4}", "{3, 4, lr = 0.1, name = \"x\"}"), ("{}", "{}"),
            ("{[10] = 1}", "{[10] = 1}"),
            ("{{{{}}}}", "{{{{...}}}}"), ("'a\\nb\\27[2Jc\\0\\xff'", #""a\nb\x1b[2Jc\x00\xff""#),
            ("('x'):rep(1000)", "\"" + String(repeating: "x", count: 60) + "...\""),
            ("{('x'):rep(1000), 2}", "{\"" + String(repeating: "x", count: 60) + "...\", ...}"),
            ("{a = {b = {c = {d = 1}}}}", "{a = {b = {c = {...}}}}"),
        ])
    func shown(_ text: String, _ shown: String) throws {
        let rank = try LoneRank()
        try rank.run("value = \(text)")
        lua_getglobal(rank.host.state, "value")
        let top = lua_gettop(rank.host.state)
        #expect(rank.host.shown(at: -1) == shown)
        #expect(lua_gettop(rank.host.state) == top)
    }

    @Test(
        "a value of any size is shown in no more than a line",
        arguments: ["n = n + 1 return n", "n = n + 1 return 'k' .. n"])
    func large(_ key: String) throws {
        let rank = try LoneRank()
        try rank.run("local n = 0 local function key() \(key) end value = {} for i = 1, 10000 do value[key()] = i end")
        lua_getglobal(rank.host.state, "value")
        let shown = rank.host.shown(at: -1)
        #expect(shown.utf8.count < 200 && shown.hasSuffix(", ...}"))
    }

    @Test("require finds what lies beside the script, after all other places, but not in the sandbox")
    func beside() throws {
        let rank = try LoneRank()
        try rank.run("before, after = package.path, package.cpath")
        let script = Script(chunkName: "@/usr/lib/job.lua", source: .empty, name: "/usr/lib/job.lua", arguments: [])
        let (path, binaries) = (rank.global("before"), rank.global("after"))
        try rank.host.run(script)
        try rank.host.run(Script(chunkName: "=stdin", source: .empty, name: "-", arguments: []))
        try rank.run("before, after = package.path, package.cpath")
        #expect(rank.global("before").hasPrefix("\(path);/usr/lib/?.lua;/usr/lib/?/init.lua"))
        #expect(rank.global("after").hasPrefix("\(binaries);/usr/lib/?.so"))
    }
}
