import CLua
import CLuaHost
import DLP

/// What the functions and tables of Lua's libraries and of the module `dlp` are called, however a script has got at them: they
/// are the same in each process, so that their names say all.
///
/// It is noted before a script runs, which may put other things in their places.
struct LibraryNames {
    /// The tables, by their addresses: `_G`, `string`, `dlp`; and that of the script's arguments.
    private(set) var tables: [UnsafeRawPointer: String] = [:]
    /// The functions and the standard files.
    private(set) var values: [UnsafeRawPointer: String] = [:]
    /// All fields that these tables have, with the address of what has one.
    private var fields: [String: UnsafeRawPointer?] = [:]

    /// The methods of files, and the metatables that come with Lua, have no names of their own.
    static let ofFiles = "file"
    private static let libraries = [
        "_G", "string", "table", "math", "utf8", "os", "io", "coroutine", "debug", "package", "dlp",
    ]
    /// Whether a module of this name is one of them.
    static func isLibrary(_ name: SystemString) -> Bool { libraries.contains(name.description) }

    /// Where the tables are kept, by their names, and what may not be collected, for its address says what it is.
    private static let place = "dlp.libraries"

    /// Those of the state of `host`, whose script has not begun.
    init(_ host: LuaHost) {
        let state = host.state
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        lua_createtable(state, 0, 0)
        push(state, Self.place)
        lua_pushvalue(state, top + 1)
        lua_rawset(state, LuaHost.registry)
        push(state, "_LOADED")
        lua_rawget(state, LuaHost.registry)
        for library in Self.libraries {
            push(state, library)
            if lua_rawget(state, top + 2) == LUA_TTABLE { add(library, state, keep: top + 1) }
            pop(state)
        }
        push(state, "FILE*")
        if lua_rawget(state, LuaHost.registry) == LUA_TTABLE {
            add("FILE*", state, keep: top + 1)
            push(state, "__index")
            if lua_rawget(state, -2) == LUA_TTABLE { add(Self.ofFiles, state, keep: top + 1) }
            pop(state)
        }
        pop(state)
        push(state, "")
        if lua_getmetatable(state, -1) != 0 { add("strings", state, keep: top + 1) }
        lua_settop(state, top + 1)
        dlp_push_globals(state)
        push(state, "arg")
        // With which arguments it was called a journal knows, too.
        if lua_rawget(state, -2) == LUA_TTABLE, let address = lua_topointer(state, -1) { tables[address] = "arg" }
        lua_pushboolean(state, 1)
        lua_rawset(state, top + 1)
    }

    /// Adds the table on top, and keeps it in the table at an index.
    private mutating func add(_ library: String, _ state: LuaState, keep: Int32) {
        guard let address = lua_topointer(state, -1), tables[address] == nil else { return }
        tables[address] = library
        let table = lua_gettop(state)
        push(state, library)
        lua_pushvalue(state, table)
        lua_rawset(state, keep)
        lua_pushnil(state)
        while lua_next(state, table) != 0 {
            defer { pop(state) }
            guard let field = string(state, -2) else { continue }
            let name = library == "_G" ? field : "\(library).\(field)"
            let value = lua_topointer(state, -1)
            fields.updateValue(value, forKey: name)
            guard let value, [LUA_TFUNCTION, LUA_TUSERDATA].contains(lua_type(state, -1)) else { continue }
            // One that has two names gets the same one in each process.
            values[value] = values[value].map { min($0, name) } ?? name
            lua_pushvalue(state, -1)
            lua_pushboolean(state, 1)
            lua_rawset(state, keep)
        }
    }

    /// Adds the functions of the module `dlp`, which come when the first of them is asked for.
    mutating func addModule(of host: LuaHost) {
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

    /// Pushes a table of a library, also where the script has put another one in its place; an empty one where there is none.
    /// [-0, +1]
    func pushTable(of library: String, _ state: LuaState) {
        push(state, Self.place)
        lua_rawget(state, LuaHost.registry)
        let parts = library.split(separator: ".")
        for part in library.hasPrefix("dlp") ? parts.map({ String($0) }) : [library] {
            if lua_type(state, -1) == LUA_TTABLE {
                push(state, part)
                lua_rawget(state, -2)
            } else {
                lua_pushnil(state)
            }
            lua_rotate(state, -2, 1)
            pop(state)
        }
        guard lua_type(state, -1) != LUA_TTABLE else { return }
        pop(state)
        lua_createtable(state, 0, 0)
    }

    /// Whether the value on top is what a library has under this name unless a script replaces it.
    func isUnchanged(_ name: String, _ state: LuaState) -> Bool {
        guard let known = fields[name] else { return false }
        // Numbers have no address. Those of the module say who a rank is.
        let isNumber = [LUA_TNUMBER, LUA_TBOOLEAN].contains(lua_type(state, -1))
        return isNumber ? name.hasPrefix("dlp.") : known == lua_topointer(state, -1) && name != "dlp.options"
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
    func isOfModule(_ index: Int32) -> Bool { description(of: index)?.source == "=\(DLP_MODULE_CHUNK)" }

    /// Where the function at `index` comes from, and where it begins, as messages show that.
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
