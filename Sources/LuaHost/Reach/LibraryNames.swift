import CLua
import CLuaHost
import DLP

/// What the functions and tables of Lua's libraries and of the module `dlp` are called, however a script has got at them: they
/// are the same in each process, so that their names say all.
struct LibraryNames {
    /// The tables, by their addresses: `_G`, `string`, `dlp`.
    private(set) var tables: [UnsafeRawPointer: String] = [:]
    /// The functions and the standard files.
    private(set) var values: [UnsafeRawPointer: String] = [:]
    /// The fields that Lua's libraries have, with the address of a function that has the same one in each state.
    private var standard: [String: UnsafeRawPointer?] = [:]

    private static let libraries = [
        "_G", "string", "table", "math", "utf8", "os", "io", "coroutine", "debug", "package", "dlp",
    ]

    /// Those of the state of `host`.
    init(_ host: LuaHost) {
        let state = host.state
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        _ = dlp_push_original_names(state)
        lua_pushnil(state)
        while lua_next(state, top + 1) != 0 {
            if let name = LuaHost.text(state, -2) {
                let address = lua_touserdata(state, -1).map { UnsafeRawPointer($0) }
                standard.updateValue(address, forKey: name)
                // A function that has two names gets the same one in each process.
                if let address { values[address] = values[address].map { min($0, name) } ?? name }
            }
            pop(state)
        }
        push(state, "_LOADED")
        lua_rawget(state, LuaHost.registry)
        for library in Self.libraries {
            push(state, library)
            if lua_rawget(state, top + 2) == LUA_TTABLE { add(library, state, host) }
            pop(state)
        }
    }

    /// Adds the table on top.
    private mutating func add(_ library: String, _ state: LuaState, _ host: LuaHost) {
        guard let address = lua_topointer(state, -1), tables[address] == nil else { return }
        tables[address] = library
        let table = lua_gettop(state)
        lua_pushnil(state)
        while lua_next(state, table) != 0 {
            defer { pop(state) }
            guard let field = LuaHost.text(state, -2) else { continue }
            let name = library == "_G" ? field : "\(library).\(field)"
            switch lua_type(state, -1) {
            case LUA_TTABLE where library == "dlp" && field != "options": add(name, state, host)
            case LUA_TFUNCTION, LUA_TUSERDATA:
                guard let value = lua_topointer(state, -1), values[value] == nil else { continue }
                if library.hasPrefix("dlp") ? host.isOwnFunction(at: -1) : isReplaced(name, host) {
                    values[value] = name
                }
            default: continue
            }
        }
    }

    /// Whether the value at this address is what a library has under this name unless a script replaces it.
    func isUnchanged(_ name: String, _ address: UnsafeRawPointer?) -> Bool {
        guard let address else { return false }
        return values[address] == name || standard[name] == address
    }

    /// Whether the value on top, which is not what Lua has under this name, is what we have put there.
    private func isReplaced(_ name: String, _ host: LuaHost) -> Bool {
        guard standard[name] != nil else { return false }
        return lua_type(host.state, -1) == LUA_TUSERDATA || host.isOwnFunction(at: -1)
    }
}

extension LuaHost {
    /// Whether the function at `index` is in C and this program's or Lua's own, or a part of the module `dlp`.
    func isOwnFunction(at index: Int32) -> Bool {
        guard lua_type(state, index) == LUA_TFUNCTION else { return false }
        guard let function = lua_tocfunction(state, index) else { return isOfModule(index) }
        var (file, offset): (UnsafePointer<CChar>?, Int) = (nil, 0)
        return dlp_is_own_function(function, &file, &offset)
    }

    /// Whether the function at `index` is in Lua, and of the module `dlp`.
    func isOfModule(_ index: Int32) -> Bool {
        guard let facts = description(of: index) else { return false }
        return facts.source == "=\(DLP_MODULE_CHUNK)"
    }

    /// Where the function at `index` comes from, as messages show it, and where that begins.
    func description(of index: Int32) -> (source: String, place: String)? {
        var facts = lua_Debug()
        lua_pushvalue(state, index)
        guard lua_getinfo(state, ">S", &facts) != 0 else { return nil }
        let source = UnsafeRawBufferPointer(start: facts.source, count: facts.srclen)
        let place = withUnsafePointer(to: &facts.short_src) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: Int(LUA_IDSIZE)) { String(cString: $0) }
        }
        return (
            String(decodingVisibly: source), facts.linedefined > 0 ? "\(place):\(facts.linedefined)" : place
        )
    }

    /// The string at `index`; nil where there is none.
    static func text(_ state: LuaState, _ index: Int32) -> String? { string(state, index) }
}
