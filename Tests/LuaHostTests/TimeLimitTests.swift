import CLuaHost
import CSystem
import DLP
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import LuaHost

@Suite("The time limit of an example")
struct TimeLimitTests {
    private static let seconds = 0.05

    /// A job that does `body` on example 2, with a time limit's message.
    private func limited(_ body: String) throws -> LoneRank {
        let rank = try LoneRank()
        _ = try rank.open(
            """
            local function spin() while true do end end
            early = coroutine.create(function() coroutine.yield() spin() end)
            coroutine.resume(early)
            local function closing() return setmetatable({}, {__close = spin}) end
            function examples() return 10 end
            function work(n)
              local steps = coroutine.wrap(function() while true do for i = 1, 1000 do end coroutine.yield(1) end end)
              assert(not kept or kept())
              if n == 2 then \(body) end
              assert(debug.gethook() == nil)
              for i = 1, 1e4 do pcall(tostring, i) end
              assert(steps() == 1 and coroutine.wrap(function() return debug.gethook() == nil end)())
            end
            """)
        dlp_set_late_message(rank.host.state, LuaHost.lateMessage(Self.seconds))
        return rank
    }

    @Test(
        "is kept by Lua code, whatever it does; the examples after that do not feel it",
        arguments: [
            "spin()", "while true do pcall(spin) end", "while true do xpcall(spin, debug.traceback) end",
            "repeat until pcall(error, 1) == nil", "coroutine.wrap(spin)()", "coroutine.resume(early)",
            "while true do coroutine.resume(coroutine.create(spin)) end", "while true do steps() end",
            "coroutine.wrap(function() coroutine.wrap(function() while true do pcall(spin) end end)() end)()",
            "local co = coroutine.create(function() local c <close> = closing() coroutine.yield() end) coroutine.resume(co) coroutine.close(co)",
            "coroutine.wrap(function() local c <close> = closing() error('x') end)()",
            "local c <close> = closing() error('x')", "while true do local c <close> = closing() pcall(spin) end",
            "for _ in spin do end", "local t = setmetatable({}, {__index = spin}) return t.x",
            "table.sort({3, 1, 2}, function() while true do pcall(spin) end end)",
            "local _ = ('x'):gsub('x', spin)", "load('while true do end')()", "goto again ::again:: goto again",
            "local function f() return f() end f()", "string.format('%s', setmetatable({}, {__tostring = spin}))",
            "error(setmetatable({}, {__tostring = spin}))", "while true do debug.sethook() end",
            "debug.sethook(print, 'l') debug.sethook() spin()",
            "dlp.map(spin, 3)", "for _ in dlp.split_managed(3) do while true do pcall(spin) end end",
            "require('math') while true do dlp.bcast({1, 2, {3}}) end",
            "while true do local t = setmetatable({}, {__gc = function() for i = 1, 100 do end end}) end",
        ])
    func loops(body: String) throws {
        let rank = try limited(body)
        // Not by the clock, because on a busy machine any example may take long.
        let expirer = try Expirer(rank) { $0 == 2 }
        defer { expirer.stop() }
        #expect(rank.workError(1) == nil)
        let error = try #require(rank.workError(2))
        var expected = [LuaHost.lateMessage(Self.seconds)]
        // Where the time is up during it rather than before it.
        if body.hasPrefix("error(setmetatable") { expected.append("a table value whose __tostring fails") }
        #expect(expected.contains { error.message.contains($0) }, "\(error.message)")
        for index in 3...8 {
            let message = rank.workError(index)?.message ?? ""
            #expect(message == "", "example \(index)")
        }
    }

    @Test("says where the script was, and how it came there")
    func place() throws {
        let rank = try limited("\nspin()")
        let expirer = try Expirer(rank) { $0 == 2 }
        defer { expirer.stop() }
        let error = try #require(rank.workError(2))
        #expect(error.message == "job.lua:1: \(LuaHost.lateMessage(Self.seconds))")
        #expect(error.traceback.contains("in function 'work'"))
    }

    @Test("holds again for each example that takes too long")
    func again() throws {
        let rank = try LoneRank()
        _ = try rank.open("function examples() return 10 end function work(n) while n % 2 == 0 do end end")
        try rank.host.limitTime(to: 0.5) { _ in }
        for index in 1...6 { #expect((rank.workError(index) != nil) == (index % 2 == 0), "example \(index)") }
    }

    @Test("counts for one example, not for the chunk")
    func chunk() throws {
        let rank = try LoneRank()
        let examples = try rank.open(
            """
            function examples() return 40 end
            function work(n) local start = os.clock() repeat until os.clock() - start > 0.05 end
            """)
        try rank.host.limitTime(to: 1.5) { _ in }
        let results = try rank.results(of: Chunk(first: 0, count: 40), examples)
        #expect(results.count == 40)
    }

    @Test("that comes when its example has just ended never touches the next")
    func late() throws {
        let rank = try LoneRank()
        _ = try rank.open(
            """
            function examples() return 1 end
            local co = coroutine.wrap(function() while true do for i = 1, 20 do end coroutine.yield() end end)
            function work(n)
              -- Some last long enough for one to come in time, on however busy a machine.
              for i = 1, n % 20 == 1 and 100000 or n * 7 % 60 do end
              -- One that failed could not go on.
              if n % 2 == 0 then co() end
            end
            """)
        // Examples with an odd index expire again and again, whether they are still running or not.
        let expirer = try Expirer(rank) { $0 % 2 == 1 }
        defer { expirer.stop() }
        var (index, expired) = (0, 0)
        // The deadline only limits a failing test: with a sanitizer, on a busy machine, a minute was not enough.
        let deadline = dlp_now() + 600_000_000_000
        while index < 20_000 || (expired < 100 && dlp_now() < deadline) {
            index += 1
            guard let error = rank.workError(index) else { continue }
            #expect(index % 2 == 1, "\(index): \(error.message)")
            expired += 1
        }
        #expect(expired >= 100)
    }

    @Test("is told to whoever can end the process where the script does not come back from C")
    func inC() throws {
        let directory = try TemporaryDirectory()
        let pipe = directory.file("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        let rank = try LoneRank()
        // It waits for a writer.
        _ = try rank.open("function examples() return 10 end function work() io.open('\(pipe)'):close() end")
        let given = Flag()
        try rank.host.limitTime(to: 0.01) { example in
            given.value = example == 7
            close(open(pipe, O_WRONLY))
        }
        #expect(rank.workError(7)?.message.hasSuffix(LuaHost.lateMessage(0.01)) == true)
        #expect(given.value)
    }

    @Test("is no error of a script that the job's end interrupts")
    func interruption() throws {
        let rank = try LoneRank()
        _ = try rank.open(
            "function examples() return 10 end function work() coroutine.wrap(function() while true do end end)() end")
        let interrupter = rank.host.interrupter
        try rank.host.limitTime(to: 0.01) { _ in }
        #expect(rank.workError(1)?.message.hasSuffix(LuaHost.lateMessage(0.01)) == true)
        interrupter.interrupt()
        try rank.host.limitTime(to: nil) { _ in }
        #expect(rank.workError(2)?.message.hasSuffix("interrupted: the job is over") == true)
    }
}

/// A thread that makes examples expire again and again, whether they are still running or not.
private final class Expirer {
    private let isOver = Flag()
    private let thread: ServiceThread

    /// Expires the examples of `rank` that `isMeant` selects by their index, from 1.
    init(_ rank: LoneRank, _ isMeant: @escaping @Sendable (Int) -> Bool) throws {
        let address = UInt(bitPattern: rank.host.state)
        let expire: @Sendable () -> Void = { [isOver] in
            guard let lua = LuaState(bitPattern: address) else { return }
            while !isOver.value {
                let example = dlp_example_under_way(lua)
                if example.number != 0, isMeant(Int(example.index)) { dlp_expire_example(lua, example.number) }
            }
        }
        thread = try ServiceThread(expire)
    }

    /// Ends the thread, before the state is closed.
    func stop() {
        isOver.value = true
        thread.join()
    }
}

/// A flag that two threads share.
private final class Flag: Sendable {
    private let flag = Atomic(false)

    var value: Bool {
        get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }
}
