import CLua
import CLuaHost
import DLP

extension LuaHost {
    /// Returns the value at `index` as a script would write it: on one line, without characters that control a terminal, and cut
    /// where it gets long.
    func shown(at index: Int32) -> String {
        var text = ""
        lua_checkstack(state, 16)
        // A finalizer could change a table while its fields are read.
        let hasStopped = dlp_stop_collector(state)
        defer { if hasStopped { dlp_restart_collector(state) } }
        show(lua_absindex(state, index), depth: 0, in: &text)
        return text
    }

    /// The length at which a value is cut, in bytes.
    private static let longest = 60

    private func show(_ index: Int32, depth: Int, in text: inout String) {
        switch lua_type(state, index) {
        case LUA_TSTRING: showString(index, in: &text)
        case LUA_TTABLE where depth < 3: showTable(index, depth: depth, in: &text)
        case LUA_TTABLE: text += "{...}"
        case LUA_TNIL: text += "nil"
        case LUA_TBOOLEAN: text += lua_toboolean(state, index) != 0 ? "true" : "false"
        case LUA_TNUMBER:
            // Of a copy, because the number becomes a string where it lies; by no function that the script may have given to
            // numbers.
            lua_pushvalue(state, index)
            if let number = lua_tolstring(state, -1, nil) { text += String(cString: number) }
            pop(state)
        case let type: text += "a \(String(cString: lua_typename(state, type)))"
        }
    }

    private func showString(_ index: Int32, in text: inout String) {
        guard let bytes = bytes(state, index) else { return }
        let start = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.longest))
        let shown = String(decodingVisibly: start).visible(keepsLines: false)
        text += "\"\(shown)\(start.count < bytes.count ? "..." : "")\""
    }

    private func showTable(_ index: Int32, depth: Int, in text: inout String) {
        lua_checkstack(state, 16)
        var length = text.utf8.count
        func entry(_ name: String = "") -> String {
            var entry = name
            show(lua_gettop(state), depth: depth + 1, in: &entry)
            length += entry.utf8.count
            return entry
        }
        let count = lua_Integer(lua_rawlen(state, index))
        var elements: [String] = []
        while elements.count < count, length < Self.longest {
            lua_rawgeti(state, index, lua_Integer(elements.count + 1))
            elements.append(entry())
            pop(state)
        }
        var fields: [String] = []
        var isCut = elements.count < count
        lua_pushnil(state)
        while !isCut, lua_next(state, index) != 0 {
            isCut = length >= Self.longest
            if !isCut, !isElement(-2, of: count) { fields.append(entry("\(name(at: -2)) = ")) }
            pop(state)
        }
        if isCut { pop(state) }
        // Lua does not define an order of the fields.
        let all = elements + fields.sorted() + (isCut ? ["..."] : [])
        text += "{\(all.joined(separator: ", "))}"
    }

    private func isElement(_ key: Int32, of count: lua_Integer) -> Bool {
        guard lua_isinteger(state, key) != 0 else { return false }
        let number = lua_tointegerx(state, key, nil)
        return number >= 1 && number <= count
    }

    private func name(at key: Int32) -> String {
        switch lua_type(state, key) {
        case LUA_TSTRING:
            guard let bytes = bytes(state, key) else { return "" }
            return String(decodingVisibly: UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.longest))).visible(
                keepsLines: false)
        case LUA_TNUMBER:
            var number = "["
            show(lua_absindex(state, key), depth: 0, in: &number)
            return number + "]"
        default: return "[...]"
        }
    }
}
