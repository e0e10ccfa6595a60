import CLua
import CLuaHost

/// The deepest tables of a copy that get metatables.
private let deepest = 100

/// Gives the table at `copy`, which was decoded, the metatables of the one at `original`, of which it is a copy: to the
/// outermost table, and to those that both have at the same keys.
///
/// Encoded values have no metatables. A copy gets none with a finalizer, which would release what the original still uses,
/// and none of a weak table. [-0, +0]
func giveMetatables(of original: Int32, to copy: Int32, _ state: LuaState) {
    guard lua_type(state, original) == LUA_TTABLE, lua_type(state, copy) == LUA_TTABLE else { return }
    // A finalizer could change the tables meanwhile.
    let hasStopped = dlp_stop_collector(state)
    defer { if hasStopped { dlp_restart_collector(state) } }
    var seen: Set<UnsafeRawPointer> = []
    give(from: lua_absindex(state, original), to: lua_absindex(state, copy), state, depth: 0, &seen)
}

private func give(
    from original: Int32, to copy: Int32, _ state: LuaState, depth: Int, _ seen: inout Set<UnsafeRawPointer>
) {
    guard depth < deepest, lua_checkstack(state, 8) != 0, let table = lua_topointer(state, copy),
        seen.insert(table).inserted
    else { return }
    lua_pushnil(state)
    while lua_next(state, copy) != 0 {
        if lua_type(state, -1) == LUA_TTABLE {
            lua_pushvalue(state, -2)
            if lua_rawget(state, original) == LUA_TTABLE {
                let top = lua_gettop(state)
                give(from: top, to: top - 1, state, depth: depth + 1, &seen)
            }
            pop(state)
        }
        pop(state)
    }
    guard lua_getmetatable(state, original) != 0 else { return }
    if owns(state) { pop(state) } else { lua_setmetatable(state, copy) }
}

/// Whether the metatable on top is of objects that own something, or keep only what others keep, too.
private func owns(_ state: LuaState) -> Bool {
    ["__gc", "__mode"].contains { field in
        push(state, field)
        defer { pop(state) }
        return lua_rawget(state, -2) != LUA_TNIL
    }
}
