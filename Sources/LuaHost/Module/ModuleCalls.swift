import CLua
import CLuaHost
import CSystem
import DLP
import Glibc

extension LuaHost {
    /// Runs the Swift side of the Lua function `function`; its arguments are on the stack of `state`.
    ///
    /// - Returns: the number of results on top of the stack, or `dlp_exit`.
    func call(_ function: HostFunction, _ state: LuaState) throws -> Int32 {
        switch function {
        case .loadPart: return try loadPart(state)
        case .exit: return try exit(state)
        case .barrier:
            try communicate(at: state) { () throws(JobEnd) in try client.barrier() }
            return 0
        case .broadcast: return try broadcast(state)
        case .gather: return try gather(state)
        case .enterLoop: return try enterLoop(state)
        case .nextEvent: return try nextEvent(state)
        case .finishChunk: return try finish(state, goesOn: false)
        case .finishPart: return try finish(state, goesOn: true)
        case .addResult: return try addResult(state)
        case .failElement: return try failElement(state)
        case .staysUndone:
            lua_pushboolean(state, try isToStayUndone() ? 1 : 0)
            return 1
        case .leaveLoop: return try leaveLoop(state)
        case .whatNext: return try whatNext(state)
        case .stopJob:
            lua_pushboolean(state, isCollecting ? 1 : 0)
            if isCollecting { wantsNoMore = true }
            return 1
        case .noteLater:
            laterAddress = lua_topointer(state, 1)
            return 0
        case .addExamples: return try addExamples(state)
        case .copy: return copy(state)
        case .copied: return try copied(state)
        case .resumeChunk: return try resumeChunk(state)
        case .reportLength:
            let loop = UInt64(bitPattern: lua_tointegerx(state, 1, nil))
            let length = Int(lua_tointegerx(state, 2, nil))
            try communicate { () throws(JobEnd) in try client.post(.length(loop: loop, count: length)) }
            return 0
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
        case .encodeJSON: return try encodeJSON(state)
        case .encodeLine: return encodeLine(state)
        case .keepOutputs: return try keepOutputs(state)
        case .failOutput: throw CallError.output(string(state, 1) ?? "", on: client.rank)
        case .depends: return noteDependencies(state)
        case .digestFile: return digestFile(state)
        case .cancelLoop:
            client.root?.cancel(UInt64(bitPattern: lua_tointegerx(state, 1, nil)))
            return 0
        }
    }

    /// Does `core.digest_file(path)`: returns the digest, or nil and an error message.
    private func digestFile(_ state: LuaState) -> Int32 {
        let path = SystemString(bytes: bytes(state, 1).map { Array($0) } ?? [])
        guard !isSandboxed else {
            lua_pushnil(state)
            push(state, "under --sandbox there are no files")
            return 2
        }
        guard let digest = digest(ofFile: path) else {
            let reason = String(cString: strerror(errno))
            lua_pushnil(state)
            push(state, "cannot read \(path): \(reason)")
            return 2
        }
        push(state, digest.description)
        return 1
    }

    /// Runs `body`, which waits for other ranks, and turns the end of the job into an error of the call.
    func communicate<Result>(_ body: () throws(JobEnd) -> Result) throws(CallError) -> Result {
        do { return try body() } catch { throw CallError.end(error) }
    }

    /// Does `core.add_examples(...)`: adds them to the list of the job; returns whether that is possible here.
    private func addExamples(_ state: LuaState) throws(CallError) -> Int32 {
        var added: [Bytes] = []
        for index in 0..<(isCollecting ? lua_gettop(state) : 0) {
            guard lua_type(state, index + 1) != LUA_TNIL else {
                throw .script("dlp.add: example \(index + 1) of the call is nil")
            }
            added.append(try encoded(state, index + 1, "dlp.add: example \(index + 1) of the call"))
        }
        additions += added
        lua_pushboolean(state, isCollecting ? 1 : 0)
        return 1
    }

    /// Does `core.nearest(word, names)`: pushes the name that `word` probably means, or nil; blanks separate the names.
    private func pushNearest(_ state: LuaState) {
        let names = (string(state, 2) ?? "").split(separator: " ").map { String($0) }
        guard let name = nearestName(to: string(state, 1) ?? "", among: names) else { return lua_pushnil(state) }
        push(state, name)
    }

    /// Like the other `communicate`, for a collective: passes on its line, for the message if other ranks are at another one.
    private func communicate<Result>(
        at state: LuaState, _ body: () throws(JobEnd) -> Result
    ) throws(CallError) -> Result {
        client.line = Int(dlp_line(state))
        defer { client.line = 0 }
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
        lua_pushinteger(state, lua_Integer(willExit(status & 0xFF)))
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

    /// Does `core.encode_json(value)`: returns the value's JSON text, as a result file contains it.
    private func encodeJSON(_ state: LuaState) throws(CallError) -> Int32 {
        do { try pushJSON(state, forProgram: false) } catch { throw CallError.script("json.encode: \(error.message)") }
        return 1
    }

    /// Does `core.encode_line(value)`: returns the value on one line, as programs read it; or nil and a message.
    private func encodeLine(_ state: LuaState) -> Int32 {
        do { try pushJSON(state, forProgram: true) } catch {
            lua_pushnil(state)
            push(state, error.message)
            return 2
        }
        return 1
    }

    /// Pushes the JSON text of the first argument.
    private func pushJSON(_ state: LuaState, forProgram: Bool) throws(CodecError) {
        lua_settop(state, 1)
        do { try collectiveEncoder.append(state, 1) } catch {
            throw CodecError("value\(error.path) is a \(error.kind), which JSON has no text for")
        }
        let item = collectiveEncoder.take()
        // While the string is made a finalizer may run that encodes something itself.
        var text = ByteWriter()
        swap(&text, &jsonText)
        try item.withUnsafeBytes { (item) throws(CodecError) in
            if forProgram {
                try lineRenderer.render(item, into: &text)
            } else {
                try jsonRenderer.render(item, into: &text)
            }
        }
        text.withUnsafeMutableBytes {
            _ = lua_pushlstring(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        // The memory of one large value is not kept for the next.
        guard text.count < 1 << 20 else { return }
        text.truncate(to: 0)
        jsonText = text
    }

    func pushDecoded(_ bytes: Bytes, _ state: LuaState) throws(CallError) {
        do { try LuaDecoder.push(bytes, on: state) } catch {
            throw CallError.script("a value from another rank cannot be read: \(error.description)")
        }
    }

    private func broadcast(_ state: LuaState) throws(CallError) -> Int32 {
        let root = Int(lua_tointegerx(state, 2, nil))
        guard 0..<client.size ~= root else { throw CallError.script("bcast: there is no rank \(root)") }
        if root == 0, client.root?.sharesMemory ?? false { collectiveEncoder.shareLarge() }
        let mine = root == client.rank ? try encoded(state, 1, "bcast: the value") : .empty
        let bytes = try communicate(at: state) { () throws(JobEnd) in try client.broadcast(mine, root: root) }
        if root == client.rank {
            lua_pushvalue(state, 1)
        } else {
            try pushDecoded(bytes, state)
        }
        return 1
    }

    private func gather(_ state: LuaState) throws(CallError) -> Int32 {
        lua_settop(state, 1)
        var mine = try encoded(state, 1, "gather: the value")
        // The root keeps its own value as it is. Encoding it only checked that it could be sent.
        if client.isRoot { mine = .empty }
        guard var all = try communicate(at: state, { () throws(JobEnd) in try client.gather(mine) }) else {
            lua_pushnil(state)
            return 1
        }
        lua_createtable(state, Int32(all.count), 1)
        for rank in all.indices {
            // Taken out of the list, so that encoded and decoded values do not both fill memory.
            var bytes = Bytes.empty
            swap(&bytes, &all[rank])
            if rank == client.rank { lua_pushvalue(state, 1) } else { try pushDecoded(bytes, state) }
            lua_rawseti(state, -2, lua_Integer(rank + 1))
        }
        push(state, "n")
        lua_pushinteger(state, lua_Integer(all.count))
        lua_rawset(state, -3)
        return 1
    }
}
