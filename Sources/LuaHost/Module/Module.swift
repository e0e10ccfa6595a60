import CLua
import CLuaHost
import DLP

extension LuaHost {
    /// Makes the module `dlp`, as a global and for `require`, and replaces `os.exit`.
    func openModule(backend: String, version: String) throws(ScriptError) {
        try check(loadPart(PackageResources.dlp_lua, state))
        pushCore(backend: backend, version: version)
        try check(dlp_call(state, 1, 1))
        lua_pushvalue(state, -1)
        try check(dlp_set_global(state, "dlp"))
        // package.loaded.dlp = dlp; os.exit = ours
        try check(dlp_install(state, HostFunction.exit.rawValue))
        guard isSandboxed else { return }
        try check(loadPart(PackageResources.sandbox_lua, state))
        try check(dlp_call(state, 0, 0))
    }

    /// Pushes the main function of a part of the module that is written in Lua; returns Lua's status. [-0, +1]
    func loadPart(_ source: [UInt8], _ state: LuaState) -> Int32 {
        source.withUnsafeBufferPointer { source in
            source.withMemoryRebound(to: CChar.self) {
                dlp_load(state, $0.baseAddress, $0.count, "=\(DLP_MODULE_CHUNK)", "t")
            }
        }
    }

    /// Does `core.load(name)`: returns, as a function, a part of the module that few jobs need.
    func loadPart(_ state: LuaState) throws(CallError) -> Int32 {
        usesModule = true
        let source =
            switch string(state, 1) {
            case "loops": PackageResources.loops_lua
            case "collectives": PackageResources.collectives_lua
            case "numbers": PackageResources.numbers_lua
            case "options": PackageResources.options_lua
            case "sequences": PackageResources.sequences_lua
            case "programs": PackageResources.programs_lua
            case "inputs": PackageResources.inputs_lua
            case "coprocess": PackageResources.coprocess_lua
            case "course": PackageResources.course_lua
            default: PackageResources.collection_lua
            }
        guard loadPart(source, state) == LUA_OK else {
            throw CallError.script("the module dlp cannot be loaded: \(string(state, -1) ?? "no reason given")")
        }
        return 1
    }

    func pushCore(backend: String, version: String) {
        lua_createtable(state, 0, 32)
        coreAddress = lua_topointer(state, -1)
        let functions: [(String, HostFunction)] = [
            ("barrier", .barrier), ("bcast", .broadcast), ("gather", .gather), ("enter", .enterLoop),
            ("next", .nextEvent), ("finish", .finishChunk), ("part", .finishPart), ("add", .addResult),
            ("fail", .failElement), ("stays_undone", .staysUndone), ("leave", .leaveLoop), ("copy", .copy),
            ("copied", .copied),
            ("report_length", .reportLength), ("what_next", .whatNext), ("resume", .resumeChunk),
            ("cancel", .cancelLoop),
            ("is_apart", .isApart), ("shown", .shown), ("load", .loadPart), ("nearest", .nearest),
            ("encode_json", .encodeJSON), ("encode_line", .encodeLine), ("keep_outputs", .keepOutputs),
            ("fail_output", .failOutput),
            ("stop", .stopJob), ("add_examples", .addExamples), ("note_later", .noteLater),
            ("depends", .depends), ("digest_file", .digestFile),
        ]
        dlp_set_random_functions(state)
        dlp_set_attempt_functions(state)
        dlp_set_program_functions(state, !isSandboxed)
        dlp_set_input_functions(state, !isSandboxed)
        setField("describe_errors") { dlp_push_describer_setter(state) }
        for (name, function) in functions { setField(name) { dlp_push_function(state, function.rawValue) } }
        setField("rank") { lua_pushinteger(state, lua_Integer(client.rank)) }
        setField("size") { lua_pushinteger(state, lua_Integer(client.size)) }
        if let (rank, size) = localPlace {
            setField("local_rank") { lua_pushinteger(state, lua_Integer(rank)) }
            setField("local_size") { lua_pushinteger(state, lua_Integer(size)) }
        }
        setField("root_works") { lua_pushboolean(state, loopDefaults.rootWorks ? 1 : 0) }
        setField("version") { push(state, version) }
        setField("hostname") { push(state, HostName.current) }
        setField("backend") { push(state, backend) }
        setField("WORK") { lua_pushinteger(state, EventCode.work) }
        setField("RESULTS") { lua_pushinteger(state, EventCode.results) }
        setField("LIST") { lua_pushinteger(state, EventCode.list) }
        setField("FAILED") { lua_pushinteger(state, EventCode.failed) }
        setField("timeout") {
            if let timeout = loopDefaults.timeout { lua_pushnumber(state, timeout) } else { lua_pushnil(state) }
        }
        setField("retries") { lua_pushinteger(state, lua_Integer(loopDefaults.failures.retries)) }
        setField("continues") { lua_pushboolean(state, loopDefaults.failures.continues ? 1 : 0) }
        setField("keeps_stages") { lua_pushboolean(state, loopDefaults.keepsStages ? 1 : 0) }
    }

    /// Sets a field of the table on top to the value that `pushValue` pushes.
    func setField(_ name: String, _ pushValue: () -> Void) {
        push(state, name)
        pushValue()
        lua_rawset(state, -3)
    }

    /// Throws the error on top of the stack unless `status` says that there is none.
    func check(_ status: Int32) throws(ScriptError) { if status != LUA_OK { throw popError() } }
}

/// What `core.next` returns first.
enum EventCode {
    static let work: lua_Integer = 1
    static let results: lua_Integer = 2
    static let list: lua_Integer = 3
    static let failed: lua_Integer = 4
}
