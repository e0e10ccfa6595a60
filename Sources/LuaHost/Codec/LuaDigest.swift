import CLua
import CLuaHost
import DLP

extension Digest {
    /// The digest of the table at `index`, the same as of its encoding.
    ///
    /// Nil where the table holds something other than scalars, or where the encoder would write it as a typed array.
    ///
    /// [-0, +0]
    init?(ofFlatTable index: Int32, _ state: LuaState) {
        guard lua_type(state, index) == LUA_TTABLE, lua_checkstack(state, 4) != 0 else { return nil }
        let (table, top) = (lua_absindex(state, index), lua_gettop(state))
        defer { lua_settop(state, top) }
        let shape = dlp_classify(state, table)
        var flat = FlatDigest(isMap: !shape.is_sequence)
        if shape.is_sequence {
            let isTyped = shape.count >= LuaEncoder.typedArrayThreshold && (shape.is_floats || shape.is_integers)
            guard !isTyped else { return nil }
            for element in 0..<lua_Integer(shape.count) {
                lua_rawgeti(state, table, element + 1)
                guard Self.add(state, -1, to: &flat) else { return nil }
                pop(state)
            }
        } else {
            lua_pushnil(state)
            while lua_next(state, table) != 0 {
                guard Self.add(state, -2, to: &flat), Self.add(state, -1, to: &flat) else { return nil }
                pop(state)
            }
        }
        self = flat.digest
    }

    /// Adds the value at `index`; returns false where it is no scalar.
    @inline(__always)
    private static func add(_ state: LuaState, _ index: Int32, to flat: inout FlatDigest) -> Bool {
        switch lua_type(state, index) {
        case LUA_TNUMBER where lua_isinteger(state, index) != 0: flat.add(.integer(lua_tointegerx(state, index, nil)))
        case LUA_TNUMBER: flat.add(.double(lua_tonumberx(state, index, nil)))
        case LUA_TBOOLEAN: flat.add(.bool(lua_toboolean(state, index) != 0))
        case LUA_TSTRING:
            var length = 0
            let base = lua_tolstring(state, index, &length)
            flat.add(.string(UnsafeRawBufferPointer(start: base, count: length)))
        default: return false
        }
        return true
    }
}
