import DLP
import Testing

@testable import LuaHost

/// A script can reach the module's private parts by the library debug, or by functions that replace Lua's own.
@Suite("Scripts that reach into the module")
struct ModuleInternalsTests {
    private static let numbers = [
        "math.mininteger", "math.maxinteger", "-1", "0", "1", "2.5", "0/0", "1e300", "'x'", "'\\xff'", "nil", "{}",
        "print",
    ]

    @Test(
        "no value that a script passes to the functions below the module ends the process",
        arguments: [
            "enter", "finish", "part", "add", "fail", "leave", "report_length", "what_next", "cancel", "is_apart",
            "bcast",
            "gather", "load", "seed", "set_numbers", "mix", "seeding", "describe_errors", "shown", "copy", "copied",
            "attempt",
            "begin", "ended", "traced", "where",
            "encode_json", "decode_json", "open_input",
        ], numbers)
    func values(function: String, value: String) throws {
        for isInLoop in [false, true] {
            for arguments in [
                "\(value)", "1, \(value)", "1, \(value), \(value)", "\(value), \(value), 1, \(value)",
                "\(value), {length = \(value), value = \(value)}, {stage = \(value), chunk = \(value)}",
            ] {
                let rank = try LoneRank()
                // What happens to this job does not matter.
                _ = try? rank.run(
                    """
                    local core
                    for i = 1, 20 do
                      local name, value = debug.getupvalue(dlp.barrier, i)
                      if name == 'core' then core = value end
                    end
                    if \(isInLoop) then
                      local step = dlp.split_managed(5, {chunk = 2})
                      step()
                    end
                    reached = core.\(function) ~= nil
                    core.\(function)(\(arguments))
                    """)
                #expect(rank.global("reached") == "true")
            }
        }
    }

    @Test("numbers that a script smuggles into a loop of the module are an error")
    func smuggled() throws {
        for size in 1...2 {
            for first in ["math.mininteger", "math.maxinteger", "-1"] {
                let ranks = try run(
                    """
                    local original, Loop = setmetatable, nil
                    setmetatable = function(t, m)
                      if m and rawget(m, 'take') then Loop = m end
                      return original(t, m)
                    end
                    for v in dlp.split_managed(3) do end
                    answer = tostring(Loop ~= nil)
                    pcall(Loop.finish, {id = 1, first = \(first), done = \(first), count = 1})
                    """, onRanks: size)
                #expect(ranks.count == size)
            }
        }
    }

    @Test("a module whose constants a script has changed still knows how many ranks there are")
    func constants() throws {
        let ranks = try run(
            "dlp.SIZE = 100 dlp.RANK = 7 answer = select(2, pcall(dlp.bcast, 1, 50))", onRanks: 2)
        #expect(ranks.allSatisfy { $0.answer.contains("root must be a rank from 0 to 1, not 50") }, "\(ranks)")
    }
}
