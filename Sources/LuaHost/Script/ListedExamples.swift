import CLua
import CLuaHost
public import DLP

extension LuaHost {
    /// Defines `examples` for a script that has none: it returns the words of one list, or tables with one word of each list.
    ///
    /// - Parameter lists: for each list its words, and whether they are linked with those of the list before.
    public func defineExamples(
        _ lists: [(words: [SystemString], isLinked: Bool)]
    ) throws(ScriptError) {
        try check(loadPart(PackageResources.lists_lua, state))
        lua_createtable(state, Int32(clamping: lists.count), 0)
        for (number, list) in lists.enumerated() {
            lua_createtable(state, Int32(clamping: list.words.count), list.isLinked ? 1 : 0)
            for (place, word) in list.words.enumerated() {
                push(state, word)
                lua_rawseti(state, -2, lua_Integer(place + 1))
            }
            if list.isLinked { setField("linked") { lua_pushboolean(state, 1) } }
            lua_rawseti(state, -2, lua_Integer(number + 1))
        }
        try check(dlp_call(state, 1, 0))
    }
}
