import CLua
import CLuaHost
import CSystem
import DLP

extension LuaHost {
    /// Does what the Lua function `function` is for; its arguments are on the stack of `state`.
    ///
    /// - Returns: the number of results on top of the stack, or `dlp_exit`.
    func call(_ function: HostFunction, _ state: LuaState) throws -> Int32 {
        switch function {
        case .loadPart: return try loadPart(state)
        case .exit: return try exit(state)
        case .barrier:
            try communicate(at: state) { () throws(JobEnd) in try port.barrier() }
            return 0
        case .broadcast: return try broadcast(state)
        case .gather: return try gather(state)
        case .enterLoop: return try enterLoop(state)
        case .nextEvent: return try nextEvent(state)
        case .finishChunk: return try finishChunk(state)
        case .addResult: return try addResult(state)
        case .leaveLoop:
            let operation = UInt64(bitPattern: lua_tointegerx(state, 1, nil))
            loopDidEnd()
            try communicate { () throws(JobEnd) in try port.leaveLoop(operation) }
            return 0
        case .reportLength:
            let operation = UInt64(bitPattern: lua_tointegerx(state, 1, nil))
            let length = Int(lua_tointegerx(state, 2, nil))
            try communicate { () throws(JobEnd) in try port.reportLength(operation, length) }
            return 0
        case .isOverTime:
            lua_pushboolean(state, loopUnderWay.isOverTime ? 1 : 0)
            return 1
        case .isApart:
            lua_pushboolean(state, isApart ? 1 : 0)
            return 1
        case .nearest:
            pushNearest(state)
            return 1
        case .shown:
            // A coroutine has a stack of its own.
            push(state, state == self.state ? shown(at: 1) : "a value")
            return 1
        case .cancelLoop:
            (port as? RootPort)?.cancel(UInt64(bitPattern: lua_tointegerx(state, 1, nil)))
            return 0
        }
    }

    /// Waits for other ranks; before that, what the script printed is shown.
    private func communicate<Result>(_ body: () throws(JobEnd) -> Result) throws(CallError) -> Result {
        do { return try body() } catch { throw CallError.end(error) }
    }

    /// Does `core.nearest(word, names)`: pushes that of the names, which blanks part, that was meant by the word, or nil.
    private func pushNearest(_ state: LuaState) {
        let names = (string(state, 2) ?? "").split(separator: " ").map { String($0) }
        guard let name = nearestName(to: string(state, 1) ?? "", among: names) else { return lua_pushnil(state) }
        push(state, name)
    }

    /// As `communicate`, in a collective, whose line is told where other ranks are at another.
    private func communicate<Result>(
        at state: LuaState, _ body: () throws(JobEnd) -> Result
    ) throws(CallError) -> Result {
        port.line = Int(dlp_line(state))
        defer { port.line = 0 }
        return try communicate(body)
    }

    /// `os.exit([status [, close]])`: a status is a whole number, true or false.
    private func exit(_ state: LuaState) throws(CallError) -> Int32 {
        var status: Int32 = 0
        switch lua_type(state, 1) {
        case LUA_TBOOLEAN: status = lua_toboolean(state, 1) != 0 ? 0 : 1
        case LUA_TNIL, LUA_TNONE: break
        default:
            var isInteger: Int32 = 0
            status = Int32(truncatingIfNeeded: lua_tointegerx(state, 1, &isInteger))
            guard isInteger != 0 else {
                throw CallError.script("os.exit: the status must be a whole number, true or false")
            }
        }
        let close = lua_toboolean(state, 2)
        willExit(status & 0xFF)
        lua_pushinteger(state, lua_Integer(status))
        lua_pushboolean(state, close)
        return dlp_exit
    }

    private func encoded(_ state: LuaState, _ index: Int32, _ what: String) throws(CallError) -> Bytes {
        do {
            try collectiveEncoder.append(state, index)
        } catch {
            throw CallError.script("\(what)\(error.path) is a \(error.kind), which cannot travel to another rank")
        }
        return collectiveEncoder.take()
    }

    func pushDecoded(_ bytes: Bytes, _ state: LuaState) throws(CallError) {
        do { try LuaDecoder.push(bytes, on: state) } catch {
            throw CallError.script("a value from another rank cannot be read: \(error.description)")
        }
    }

    private func broadcast(_ state: LuaState) throws(CallError) -> Int32 {
        let root = Int(lua_tointegerx(state, 2, nil))
        guard 0..<port.size ~= root else { throw CallError.script("bcast: there is no rank \(root)") }
        let mine = root == port.rank ? try encoded(state, 1, "bcast: the value") : .empty
        let bytes = try communicate(at: state) { () throws(JobEnd) in try port.broadcast(mine, root: root) }
        if root == port.rank {
            lua_pushvalue(state, 1)
        } else {
            try pushDecoded(bytes, state)
        }
        return 1
    }

    private func gather(_ state: LuaState) throws(CallError) -> Int32 {
        lua_settop(state, 1)
        let mine = try encoded(state, 1, "gather: the value")
        guard let all = try communicate(at: state, { () throws(JobEnd) in try port.gather(mine) }) else {
            lua_pushnil(state)
            return 1
        }
        lua_createtable(state, Int32(all.count), 1)
        for (rank, bytes) in all.enumerated() {
            if rank == port.rank { lua_pushvalue(state, 1) } else { try pushDecoded(bytes, state) }
            lua_rawseti(state, -2, lua_Integer(rank + 1))
        }
        push(state, "n")
        lua_pushinteger(state, lua_Integer(all.count))
        lua_rawset(state, -3)
        return 1
    }

    /// Does `core.enter(length, stream, chunk, works, progress, prefix, list, is_shared)`.
    private func enterLoop(_ state: LuaState) throws(CallError) -> Int32 {
        if let objection = loopDefaults.objection {
            throw .end(
                .fault(Fault(phase: .load, message: objection, rank: port.rank, host: HostName.current, status: 2)))
        }
        let length = Int(lua_tointegerx(state, 1, nil))
        let chunk = Int(lua_tointegerx(state, 3, nil))
        var options = LoopOptions(
            results: lua_toboolean(state, 2) != 0 ? .stream : .none, examples: .replicated,
            chunk: chunk > 0 ? chunk : loopDefaults.chunk)
        options.isUnbounded = length < 0
        if lua_toboolean(state, 8) != 0 { (options.shares, options.chunk) = (port.size, nil) }
        let works = lua_toboolean(state, 4) != 0
        loopWillBegin(lua_toboolean(state, 5) != 0, string(state, 6))
        let list = loopList(state, length: length, 7)
        let operation = try communicate { () throws(JobEnd) in
            try port.beginLoop(list, length: length < 0 ? nil : length, options: options, working: works)
        }
        lua_pushinteger(state, lua_Integer(bitPattern: operation))
        return 1
    }

    /// Does `core.next(loop)`: returns WORK, first, count, stride; or RESULTS, values, first, count; or LIST and a list
    /// or number, which are the elements from now on; or nothing at the end.
    private func nextEvent(_ state: LuaState) throws(CallError) -> Int32 {
        let operation = UInt64(bitPattern: lua_tointegerx(state, 1, nil))
        while true {
            switch try communicate({ () throws(JobEnd) in try port.event(of: operation) }) {
            case .work(let chunk, let giveBackAfter, _):
                loopUnderWay = LoopUnderWay(giveBackAfter: giveBackAfter)
                loopProcessorTime = dlp_processor_time()
                lua_pushinteger(state, EventCode.work)
                lua_pushinteger(state, lua_Integer(chunk.first + 1))
                lua_pushinteger(state, lua_Integer(chunk.count))
                lua_pushinteger(state, lua_Integer(chunk.stride))
                return 4
            case .results(let run):
                lua_pushinteger(state, EventCode.results)
                do { try pushList(run.results, count: run.count, state) } catch {
                    throw CallError.script("results of rank \(run.rank) cannot be read: \(error.description)")
                }
                lua_pushinteger(state, lua_Integer(run.first + 1))
                lua_pushinteger(state, lua_Integer(run.count))
                return 4
            case .list(let list, let length):
                lua_pushinteger(state, EventCode.list)
                if list.count > 0 {
                    try pushDecoded(list, state)
                } else {
                    lua_pushinteger(state, lua_Integer(length))
                }
                return 2
            case .hungry, .deliver, .failed, .returned: continue
            case .end:
                loopDidEnd()
                return 0
            }
        }
    }

    /// Pushes a table of the `count` values in `bytes`. [-0, +1]
    func pushList(_ bytes: Bytes, count: Int, _ state: LuaState) throws(CodecError) {
        lua_createtable(state, Int32(clamping: count), 0)
        try bytes.withUnsafeBytes { (buffer) throws(CodecError) in
            var decoder = LuaDecoder(state, buffer)
            for index in 0..<count {
                try decoder.push()
                lua_rawseti(state, -2, lua_Integer(index + 1))
            }
        }
    }

    /// Does `core.finish(loop, first, completed)`.
    private func finishChunk(_ state: LuaState) throws(CallError) -> Int32 {
        let operation = UInt64(bitPattern: lua_tointegerx(state, 1, nil))
        // A script can get at the module's own functions, and pass anything.
        let (first, completed) = (Int(lua_tointegerx(state, 2, nil)) &- 1, Int(lua_tointegerx(state, 3, nil)))
        let (nanoseconds, results) = (loopUnderWay.elapsed, encoder.take())
        let cpu = dlp_processor_time() &- loopProcessorTime
        try communicate { () throws(JobEnd) in
            try port.finish(
                operation, first: first, completed: completed, nanoseconds: nanoseconds, cpu: cpu,
                results: results)
        }
        return 0
    }

    /// Does `core.add(loop, result, index)`.
    private func addResult(_ state: LuaState) throws(CallError) -> Int32 {
        do { try encoder.append(state, 2) } catch {
            throw CallError.script("result of example \(lua_tointegerx(state, 3, nil)): \(error.description)")
        }
        return 0
    }
}
