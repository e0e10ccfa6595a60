import DLP
import Testing

@testable import LuaHost

@Suite("A rank as a condition")
struct RankConditionTests {
    private func line(_ text: String) -> Int? { RankCondition.firstMisuse(in: Bytes(Array(text.utf8)))?.line }

    @Test(
        "is refused",
        arguments: [
            "if dlp.RANK then end", "if x then elseif dlp.RANK then end", "while dlp.RANK do end",
            "repeat until dlp.RANK", "repeat until dlp.RANK\nprint(1)", "x = not dlp.RANK", "if not dlp.RANK then end",
            "x = dlp.RANK and 1 or 2", "return dlp.RANK and 1", "f(dlp.RANK and 1)", "t = {dlp.RANK and 1}",
            "if x and dlp.RANK then end", "if x or dlp.RANK then end", "if dlp.RANK or x then end",
            "if dlp.RANK and x then end", "while x and dlp.RANK do end", "if dlp.ROOT then end",
            "if dlp.MASTER then end",
            "if dlp . RANK then end", "if dlp.RANK--[[comment]]then end", "if (dlp.RANK) then end",
            "if ((dlp.RANK)) then end", "while (dlp.RANK) do end", "if not (dlp.RANK) then end",
            "if x and (dlp.RANK) then end", "repeat until (dlp.RANK)", "repeat until dlp.RANK or x",
            "repeat until x and dlp.RANK",
        ])
    func refused(text: String) { #expect(line(text) == 1) }

    @Test(
        "is refused under a name of the script's own",
        arguments: [
            "local RANK = dlp.RANK if RANK then end", "RANK = dlp.RANK; while RANK do end",
            "local RANK <const> = dlp.RANK x = not RANK", "local RANK, SIZE = dlp.RANK, dlp.SIZE if RANK then end",
            "local SIZE, RANK = dlp.SIZE, dlp.RANK if RANK then end",
            "local rank = dlp.RANK print(rank) if rank then end", "local ROOT = dlp.ROOT if ROOT then end",
        ])
    func alias(text: String) { #expect(line(text) == 1) }

    @Test(
        "is left alone where it means what it says",
        arguments: [
            "if dlp.RANK == 0 then end", "if 0 == dlp.RANK then end", "while dlp.RANK < 3 do end", "x = dlp.RANK ~= 0",
            "if dlp.RANK % 2 == 0 then end", "if x and dlp.RANK == 0 then end", "if dlp.RANK == 0 and x then end",
            "repeat until dlp.RANK == 0", "repeat until x == dlp.RANK", "repeat until x and dlp.RANK > 1",
            "f(dlp.RANK)",
            "if f(dlp.RANK) then end", "x = dlp.RANK + 1", "x = {dlp.RANK}", "t[dlp.RANK] = 1",
            "if t[dlp.RANK] then end",
            "x = cond and dlp.RANK or 0", "x = cond and dlp.RANK", "local x = dlp.RANK", "return dlp.RANK",
            "print('if dlp.RANK then')", "-- if dlp.RANK then", "--[[ if dlp.RANK then ]]",
            "x = [[ if dlp.RANK then ]]",
            "x = [==[ if dlp.RANK then ]] ]==]", "--[=[ ]] if dlp.RANK then ]=]", "if cfg.RANK then end",
            "if cfg.dlp.RANK then end", "if RANK then end", "local RANK = 3 if RANK then end",
            "if dlp.IS_ROOT then end",
            "x = {RANK = dlp.RANK} if RANK then end", "print(dlp.RANK) local RANK = cfg.RANK if RANK then end",
            "x = 'it\\'s' if dlp.RANK == 0 then end", "if (dlp.RANK) == 0 then end",
            "if (dlp.RANK + 1) % 2 == 0 then end",
            "if f((dlp.RANK)) then end", "local RANK = dlp.RANK if RANK == 0 then end", "if dlp.rank then end",
            "if dlp.RANK & 1 == 0 then end", "if dlp.SIZE then end", "if #t > dlp.RANK then end",
            "if -dlp.RANK == 0 then end", "local r = dlp.RANK + 1 if r then end",
            "local r = dlp.RANK == 0 if r then end",
            "local r = dlp.RANK; local function f(r) if r then end end", "local a, b = dlp.RANK, f() if b then end",
            "r = dlp.RANK; r = f() if r then end", "t = {1, r = dlp.RANK} if r then end",
            "x.r = dlp.RANK if r then end", "if cfg:RANK() then end", "if x == (dlp.RANK) then end",
        ])
    func allowed(text: String) { #expect(line(text) == nil) }

    @Test("is named with its line, whatever stands before it")
    func lines() throws {
        let rank = try LoneRank()
        let error = rank.error(
            "#!/usr/bin/env dlp-lua\n--[[ a\ncomment ]]\nlocal s = 'a\\\nb'\nlocal long = [[\n\n]]\nif dlp.RANK then end\n"
        )
        #expect(error.message.hasPrefix("job.lua:9: dlp.RANK as a condition is always true"))
        #expect(error.message.contains("dlp.IS_ROOT"))
    }

    @Test("bytecode and what is no Lua are not looked into")
    func otherSources() {
        #expect(line("\u{1B}Lua if dlp.RANK then end") == nil)
        #expect(line("'''\"[[[==[ --[[ \\") == nil)
        #expect(line("") == nil)
    }
}
