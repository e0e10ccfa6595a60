import CLua
import CLuaHost
public import DLP

/// The value of an option in a script.
public enum ScriptOptionValue: Sendable, Hashable {
    /// A string or a number, as written on the command line.
    case text(SystemString)
    /// A boolean, which is written yes or no on the command line.
    case truth(Bool)

    /// The value as written on the command line.
    public var text: SystemString {
        switch self {
        case .text(let text): text
        case .truth(let truth): truth ? "yes" : "no"
        }
    }
}

extension LuaHost {
    /// Returns the contents of `dlp.options`: names without dashes, as on the command line, and values.
    ///
    /// - Throws: `ScriptError` where it is not a table of names and simple values.
    public func scriptOptions() throws(ScriptError) -> [(name: String, value: ScriptOptionValue)] {
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
        var options: [(name: String, value: ScriptOptionValue)] = []
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

    private func optionValue(_ name: String) throws(ScriptError) -> ScriptOptionValue {
        switch lua_type(state, -1) {
        case LUA_TSTRING: return .text(SystemString(bytes: bytes(state, -1).map { Array($0) } ?? []))
        case LUA_TBOOLEAN: return .truth(lua_toboolean(state, -1) != 0)
        case LUA_TNUMBER where lua_isinteger(state, -1) != 0:
            return .text(SystemString("\(lua_tointegerx(state, -1, nil))"))
        case LUA_TNUMBER:
            let number = lua_tonumberx(state, -1, nil)
            return .text(SystemString(Int(exactly: number).map { String($0) } ?? String(number)))
        default:
            throw ScriptError(
                message: "dlp.options.\(name) must be a string, a number or a boolean, not a "
                    + String(cString: lua_typename(state, lua_type(state, -1))))
        }
    }
}
