import DLP
import Testing

@testable import LuaHost

/// An error in Lua is a longjmp: it must leave nothing behind of the Swift frames through which the call went.
@Suite("Calls from Lua that raise")
struct RaisingTests {
    @Test("leave no frame behind that holds on to the host or its client")
    func frames() throws {
        weak var host: LuaHost?
        weak var client: RootClient?
        do {
            let rank = try LoneRank()
            (host, client) = (rank.host, rank.client)
            try rank.run(
                """
                local cyclic = {}; cyclic[1] = cyclic; cyclic.f = print
                local failing = {
                  function() dlp.gather(print) end,
                  function() dlp.bcast({a = {b = cyclic}}) end,
                  function() dlp.bcast(1, 7) end,
                  function() dlp.allgather(coroutine.create(print)) end,
                  function() dlp.call_on_root_and_broadcast(function() return print end) end,
                  function() for _ in dlp.map_unordered(function() return print end, 3) do end end,
                  function() for _ in dlp.split_managed(3) do error('x') end end,
                  function() os.exit('no number') end,
                }
                for round = 1, 500 do
                  for _, f in ipairs(failing) do assert(not pcall(f)) end
                  assert(not coroutine.resume(coroutine.create(failing[1 + round % #failing])))
                end
                -- What was open for writing would now be found in use.
                assert(dlp.gather({1, {2}})[1][2][1] == 2 and dlp.bcast('x') == 'x')
                """)
        }
        #expect(host == nil)
        #expect(client == nil)
    }

    @Test(
        "name the script's own line",
        arguments: [
            "dlp.gather(print)", "dlp.bcast(print)", "dlp.bcast(1, 9)", "dlp.allgather(print)",
            "dlp.reduce(print, print)",
            "dlp.split_managed(nil)", "dlp.split_managed(3, 4)", "dlp.split_managed(3, {chunks = 1})",
            "dlp.split_round_robin('x')", "dlp.map(print, 3, {x = 1})", "dlp.map_unordered(print, 3, {chunk = 0})",
            "dlp.map(print, nil)", "dlp.split_managed(3, {allow_single_worker = false})", "os.exit('x')",
            "for _ in dlp.map_unordered(function() return print end, 2) do end",
            "local d = dlp.collection.NestedDict(); d.a = 1; d.a = 2",
            "dlp.collection.UnorderedList():append(print):gather()",
        ])
    func position(call: String) throws {
        let rank = try LoneRank()
        let error = rank.error("\n\n\(call)")
        #expect(error.message.hasPrefix("job.lua:3: "), "\(error.message)")
    }

    @Test("say what cannot travel, and where in the value it is")
    func message() throws {
        let rank = try LoneRank()
        #expect(
            rank.error("dlp.gather({model = {loss = print}})").message
                == "job.lua:1: gather: the value.model.loss is a function, which cannot travel to another rank")
    }

    @Test("can be caught by the script, also in a coroutine and in a metamethod")
    func caught() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local ok, message = pcall(dlp.gather, print)
            assert(not ok and message:find('is a function'))
            local thread = coroutine.wrap(function() coroutine.yield(select(2, pcall(dlp.bcast, print))) end)
            assert(thread():find('is a function'))
            local object = setmetatable({}, {__index = function() return dlp.gather(print) end})
            assert(not pcall(function() return object.x end))
            local text = setmetatable({}, {__tostring = function() dlp.bcast(print) end})
            assert(not pcall(tostring, text))
            """)
    }

    @Test("in a finalizer disturb nothing, even while values are being encoded or decoded")
    func finalizers() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local finalized = 0
            local function litter()
              for _ = 1, 50 do
                setmetatable({}, {__gc = function()
                  finalized = finalized + 1
                  dlp.gather({finalized, {finalized}})
                  dlp.bcast(print)
                end})
              end
            end
            collectgarbage('setpause', 50)
            for round = 1, 30 do
              litter()
              local r = roundtrip({round, {tostring(round)}, ('x'):rep(1000) .. round})
              assert(r[2][1] == tostring(round))
              local all = dlp.map(function(i) litter(); return {i, {i}} end, 20, {chunk = 20})
              for i = 1, 20 do assert(all[i][2][1] == i) end
            end
            -- Deep enough for the codec to need coroutines of its own, to make which collects garbage.
            local deep = {}
            for i = 1, 250000 do deep = {x = deep} end
            litter()
            local r, depth = roundtrip(deep), 0
            while r.x do r = r.x; depth = depth + 1 end
            assert(depth == 250000)
            collectgarbage(); collectgarbage()
            assert(finalized > 1000 and collectgarbage('isrunning'))
            """)
    }

    @Test("a collector that the script has stopped stays stopped")
    func collector() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            collectgarbage('stop')
            local deep = {}
            for i = 1, 400000 do deep = {x = deep} end
            encode(deep)
            assert(not collectgarbage('isrunning'))
            """)
    }

    @Test("a collective inside a loop's body leaves the loop's results alone")
    func collectiveInLoop() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            local all = dlp.map(function(i) return {dlp.bcast(i), dlp.gather({i})[1][1]} end, 30, {chunk = 10})
            for i = 1, 30 do assert(all[i][1] == i and all[i][2] == i) end
            """)
    }

    @Test("a loop that failed in the middle of a chunk does not spoil the next")
    func afterFailure() throws {
        let rank = try LoneRank()
        try rank.run(
            """
            for round = 1, 10 do
              local seen = {}
              assert(not pcall(function()
                for v in dlp.map_unordered(function(i) return i ~= 17 and i or error('17') end, 30, {chunk = 10}) do
                  seen[#seen + 1] = v
                end
              end))
              local all = dlp.map(function(i) return -i end, 30, {chunk = 7})
              for i = 1, 30 do assert(all[i] == -i) end
            end
            """)
    }

    @Test("a finalizer that runs when the state closes can neither hang nor crash")
    func closing() throws {
        let client = try RootClient { LoneCommunicator() }
        let host = try LuaHost(client: client, backend: "none", version: "test", seed: 0)
        try host.run(
            script(
                """
                keep = setmetatable({}, {__gc = function()
                  for _ in dlp.split_managed(3) do end
                  dlp.barrier(); dlp.gather({1}); error('x')
                end})
                """))
        client.stop(status: 0)
        host.close()
    }
}
