import CLua
import CLuaHost
public import DLP

extension LuaHost {
    /// Calls `summarize` with all results.
    ///
    /// - Parameters:
    ///   - runs: consumed and freed one by one, so that encoded and decoded results do not both fill memory.
    ///   - errors: the examples that failed for good.
    ///   - numbers: which examples of the list these are, if they are not the whole list.
    public func summarize(
        _ runs: consuming [ResultRun], count: Int, errors: [Fault], numbers: [Int]? = nil
    ) throws(ScriptError) {
        try closeIterator()
        lua_settop(state, Slot.examples - 1)
        seedRandom(index: 0)
        try check(dlp_get_global(state, "summarize"))
        lua_createtable(state, Int32(clamping: count), 2)
        // A garbage collection while the table grows would find nothing to free.
        let hasStopped = dlp_stop_collector(state)
        defer { if hasStopped { dlp_restart_collector(state) } }
        runs.reverse()
        while let run = runs.popLast() {
            try run.results.withUnsafeBytes { (buffer) throws(ScriptError) in
                var decoder = LuaDecoder(state, buffer)
                for number in 0..<run.count {
                    let index = run.first + number * run.stride
                    try readable("result of example", index) { () throws(CodecError) in try decoder.push() }
                    lua_rawseti(state, -2, lua_Integer(index + 1))
                }
            }
        }
        setField("n") { lua_pushinteger(state, lua_Integer(count)) }
        if let numbers {
            setField("indices") {
                lua_createtable(state, Int32(clamping: numbers.count), 0)
                for (place, number) in numbers.enumerated() {
                    lua_pushinteger(state, lua_Integer(number))
                    lua_rawseti(state, -2, lua_Integer(place + 1))
                }
            }
        }
        if !errors.isEmpty { setField("errors") { pushErrors(errors) } }
        if hasStopped { dlp_restart_collector(state) }
        try apart { () throws(ScriptError) in try check(dlp_call(state, 1, 0)) }
    }

    /// Pushes a table that describes an example that failed. [-0, +1]
    func pushFailure(_ error: Fault, _ state: LuaState) {
        lua_createtable(state, 0, 4)
        let texts = [("message", error.message), ("traceback", error.traceback)]
        for (name, text) in texts {
            push(state, name)
            push(state, text)
            lua_rawset(state, -3)
        }
        for (name, number) in [("rank", error.rank), ("attempts", error.attempts)] {
            push(state, name)
            lua_pushinteger(state, lua_Integer(number))
            lua_rawset(state, -3)
        }
    }

    /// Pushes a table that describes the failed examples, by index. [-0, +1]
    private func pushErrors(_ errors: [Fault]) {
        lua_createtable(state, 0, Int32(clamping: errors.count))
        for error in errors {
            pushFailure(error, state)
            lua_rawseti(state, -2, lua_Integer(error.example ?? 0))
        }
        // Their number `n` is not an entry of the table, because scripts traverse it with `pairs`.
        lua_createtable(state, 0, 1)
        setField("__index") {
            lua_createtable(state, 0, 1)
            setField("n") { lua_pushinteger(state, lua_Integer(errors.count)) }
        }
        lua_setmetatable(state, -2)
    }
}
