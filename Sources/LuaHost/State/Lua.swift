import CLua
import DLP

/// A Lua state, or a coroutine of one.
///
/// From Swift, only functions of Lua's C interface that cannot raise errors may be called on it; `CLuaHost` wraps the others.
typealias LuaState = OpaquePointer

/// Removes the `count` values on top.
///
/// [-count, +0]
@inline(__always)
func pop(_ state: LuaState, _ count: Int32 = 1) { lua_settop(state, -count - 1) }

/// Pushes `text` as a string.
///
/// [-0, +1]
func push(_ state: LuaState, _ text: String) {
    var text = text
    text.withUTF8 { buffer in
        _ = buffer.withMemoryRebound(to: CChar.self) { lua_pushlstring(state, $0.baseAddress, $0.count) }
    }
}

/// Pushes `text` as a string.
///
/// [-0, +1]
func push(_ state: LuaState, _ text: SystemString) {
    text.bytes.withUnsafeBytes { buffer in
        _ = buffer.withMemoryRebound(to: CChar.self) { lua_pushlstring(state, $0.baseAddress, $0.count) }
    }
}

/// The bytes of the string at `index`; valid while that string stays on the stack.
///
/// Returns nil for a number: converting it would change the value on the stack.
@inline(__always)
func bytes(_ state: LuaState, _ index: Int32) -> UnsafeRawBufferPointer? {
    guard lua_type(state, index) == LUA_TSTRING else { return nil }
    var length = 0
    let base = lua_tolstring(state, index, &length)
    return UnsafeRawBufferPointer(start: base, count: length)
}

/// The string at `index`, or nil where there is none.
///
/// Bytes that are not UTF-8 are shown as escapes.
func string(_ state: LuaState, _ index: Int32) -> String? {
    bytes(state, index).map { String(decodingVisibly: $0) }
}
