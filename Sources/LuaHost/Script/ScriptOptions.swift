import CLua
import CLuaHost
import DLP

extension LuaHost {
    /// What the script put into `dlp.options`, as the command line would spell it: name without dashes, and value.
    ///
    /// - Throws: `ScriptError` where it is no table of names and plain values.
    public func scriptOptions() throws(ScriptError) -> [(name: String, value: String)] {
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        try check(dlp_get_global(state, "dlp"))
        guard lua_type(state, -1) == LUA_TTABLE else { return [] }
        push(state, "options")
        lua_rawget(state, -2)
        guard lua_type(state, -1) != LUA_TNIL else { return [] }
        guard lua_type(state, -1) == LUA_TTABLE else {
            throw ScriptError(message: "dlp.options must be a table of options")
        }
        var options: [(name: String, value: String)] = []
        lua_pushnil(state)
        while lua_next(state, -2) != 0 {
            guard let name = string(state, -2) else {
                throw ScriptError(
                    message: "dlp.options has a key that is no string; options go by name")
            }
            options.append((String(name.map { $0 == "_" ? "-" : $0 }), try optionValue(name)))
            pop(state)
        }
        return options.sorted { $0.name < $1.name }
    }

    private func optionValue(_ name: String) throws(ScriptError) -> String {
        switch lua_type(state, -1) {
        case LUA_TSTRING: return string(state, -1) ?? ""
        case LUA_TBOOLEAN: return lua_toboolean(state, -1) != 0 ? "yes" : "no"
        case LUA_TNUMBER where lua_isinteger(state, -1) != 0: return String(lua_tointegerx(state, -1, nil))
        case LUA_TNUMBER:
            let number = lua_tonumberx(state, -1, nil)
            return Int(exactly: number).map { String($0) } ?? String(number)
        default:
            throw ScriptError(
                message: "dlp.options.\(name) must be a string, a number or a boolean, not a "
                    + String(cString: lua_typename(state, lua_type(state, -1))))
        }
    }
}
