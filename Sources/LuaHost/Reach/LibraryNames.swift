import CLua
import CLuaHost
import DLP

/// The names of the functions and tables of Lua's libraries and of the module `dlp`, independent of how a script got at
/// them.
///
/// These values are the same in each process, so their names are enough to identify them.
///
/// They are recorded before a script runs, because the script may replace them.
struct LibraryNames {
    /// The names of the tables, by address: `_G`, `string`, `dlp`; also the table of the script's arguments.
    private(set) var tables: [UnsafeRawPointer: String] = [:]
    /// The names of the functions and of the standard files, by address.
    private(set) var values: [UnsafeRawPointer: String] = [:]
    /// All fields of these tables, with the address of each one's value.
    private var fields: [String: UnsafeRawPointer?] = [:]

    private static let ofLua = [
        "_G", "string", "table", "math", "utf8", "os", "io", "coroutine", "debug", "package", "dlp",
    ]

    /// Whether a module of this name is one of Lua's libraries.
    static func isLibrary(_ name: SystemString) -> Bool { ofLua.contains(name.description) }

    /// Reads the names from the state of `host`, as `dlp_note_libraries` has recorded them.
    init(_ host: LuaHost) {
        let state = host.state
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        push(state, dlp_libraries)
        guard lua_rawget(state, LuaHost.registry) == LUA_TTABLE else { return }
        lua_pushnil(state)
        while lua_next(state, top + 1) != 0 {
            if let library = string(state, -2) { add(library, state) }
            pop(state)
        }
        addModule(of: host)
    }

    /// Adds a library from the copy of its table, which is on top.
    private mutating func add(_ library: String, _ state: LuaState) {
        let copy = lua_gettop(state)
        lua_pushnil(state)
        while lua_next(state, copy) != 0 {
            defer { pop(state) }
            let value = lua_topointer(state, -1)
            if let value, lua_type(state, -2) == LUA_TBOOLEAN { tables[value] = library }
            guard let field = string(state, -2) else { continue }
            let name = library == "_G" ? field : "\(library).\(field)"
            fields.updateValue(value, forKey: name)
            guard let value, [LUA_TFUNCTION, LUA_TUSERDATA].contains(lua_type(state, -1)) else { continue }
            // A function with two names gets the same of the two in each process.
            values[value] = values[value].map { min($0, name) } ?? name
        }
    }

    /// Adds the functions of the module `dlp`, which are loaded when the first of them is asked for.
    private mutating func addModule(of host: LuaHost) {
        let state = host.state
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        for library in ["dlp", "dlp.json", "dlp.collection"] {
            pushTable(of: library, state)
            if library != "dlp", let address = lua_topointer(state, -1) { tables[address] = library }
            let table = lua_gettop(state)
            lua_pushnil(state)
            while lua_next(state, table) != 0 {
                if let field = string(state, -2), host.isOwnFunction(at: -1), let address = lua_topointer(state, -1),
                    values[address] == nil
                {
                    values[address] = "\(library).\(field)"
                    fields["\(library).\(field)"] = address
                }
                pop(state)
            }
        }
    }

    /// Pushes the original table of a library, even if the script has replaced it; an empty table where there is none. [-0, +1]
    func pushTable(of library: String, _ state: LuaState) {
        let inner = library.hasPrefix("dlp.") ? String(library.dropFirst(4)) : nil
        push(state, dlp_libraries)
        lua_rawget(state, LuaHost.registry)
        enter(state) { push($0, inner == nil ? library : "dlp") }
        // The copy of the library's table holds, under `true`, the table itself.
        enter(state) { lua_pushboolean($0, 1) }
        if let inner { enter(state) { push($0, inner) } }
        guard lua_type(state, -1) != LUA_TTABLE else { return }
        pop(state)
        lua_createtable(state, 0, 0)
    }

    /// Replaces the table on top by its field whose key `pushKey` pushes; by nil where there is no table. [-1, +1]
    private func enter(_ state: LuaState, _ pushKey: (LuaState) -> Void) {
        if lua_type(state, -1) == LUA_TTABLE {
            pushKey(state)
            lua_rawget(state, -2)
        } else {
            lua_pushnil(state)
        }
        lua_rotate(state, -2, 1)
        pop(state)
    }

    /// Whether the value on top is the one that the library had under this name before the script ran.
    func isUnchanged(_ name: String, _ state: LuaState) -> Bool {
        guard let known = fields[name] else { return false }
        // Numbers and booleans have no address. Those of the module say which rank this is, and count as unchanged.
        let isNumber = [LUA_TNUMBER, LUA_TBOOLEAN].contains(lua_type(state, -1))
        return isNumber ? name.hasPrefix("dlp.") : known == lua_topointer(state, -1) && name != "dlp.options"
    }
}

extension LuaHost {
    /// Whether the function at `index` is a C function of this program or of Lua, or a part of the module `dlp`.
    func isOwnFunction(at index: Int32) -> Bool {
        guard lua_type(state, index) == LUA_TFUNCTION else { return false }
        guard let function = lua_tocfunction(state, index) else { return isOfModule(index) }
        var (file, offset): (UnsafePointer<CChar>?, Int) = (nil, 0)
        return dlp_is_own_function(function, &file, &offset)
    }

    /// Whether the function at `index` is written in Lua and belongs to the module `dlp`.
    func isOfModule(_ index: Int32) -> Bool { description(of: index)?.source == "=\(DLP_MODULE_CHUNK)" }

    /// The source of the function at `index`, and where it begins, as messages show it.
    func description(of index: Int32) -> (source: String, place: String)? {
        var facts = lua_Debug()
        lua_pushvalue(state, index)
        guard lua_getinfo(state, ">S", &facts) != 0 else { return nil }
        let source = UnsafeRawBufferPointer(start: facts.source, count: facts.srclen)
        let place = withUnsafePointer(to: &facts.short_src) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: Int(LUA_IDSIZE)) { String(cString: $0) }
        }
        return (String(decodingVisibly: source), facts.linedefined > 0 ? "\(place):\(facts.linedefined)" : place)
    }
}
