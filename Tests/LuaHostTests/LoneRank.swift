import CLua
import DLP
import Testing

@testable import LuaHost

/// The only rank of a job, with a Lua state that can also encode and decode values.
final class LoneRank {
    let client: RootClient
    let host: LuaHost

    init(seed: Int64 = 0, isSandboxed: Bool = false) throws {
        client = try RootClient { LoneCommunicator() }
        host = try LuaHost(client: client, backend: "none", version: "test", seed: seed, isSandboxed: isSandboxed)
        try define("encode", luaEncode)
        try define("decode", luaDecode)
        try run(comparison)
    }

    deinit {
        host.close()
        client.stop(status: 0)
    }

    /// Runs `text`, whose first line is line 1 of the chunk `job.lua`.
    func run(_ text: String, arguments: [SystemString] = []) throws(ScriptError) {
        try host.run(script(text, arguments: arguments))
    }

    /// Returns the global `name` as `tostring` shows it.
    func global(_ name: String) -> String { luaGlobal(name, in: host) }

    /// The error that running `text` raises.
    func error(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) -> ScriptError {
        do {
            try run(text)
            Issue.record("the script does not fail", sourceLocation: sourceLocation)
            return ScriptError(message: "")
        } catch { return error }
    }

    /// Returns the results of `work` for the examples of a chunk, none of which may fail.
    func results(of chunk: Chunk, _ examples: Examples, sent: Bytes? = nil) throws -> Bytes {
        let report = try host.work(chunk, of: examples, sent: sent) { throw $1 }
        return try #require(report).results
    }

    private func define(_ name: String, _ function: lua_CFunction) throws {
        lua_pushcclosure(host.state, function, 0)
        lua_setglobal(host.state, name)
    }
}

/// A script of this text in the file `job.lua`.
func script(_ text: String, arguments: [SystemString] = []) -> Script {
    Script(chunkName: "@job.lua", source: Bytes(Array(text.utf8)), name: "job.lua", arguments: arguments)
}

/// Returns the global `name` of the host's state as `tostring` shows it.
func luaGlobal(_ name: String, in host: LuaHost) -> String {
    lua_getglobal(host.state, name)
    defer { pop(host.state) }
    return luaText(host.state)
}

private func luaText(_ state: LuaState) -> String {
    var length = 0
    guard let base = luaL_tolstring(state, -1, &length) else { return "" }
    defer { pop(state) }
    return String(decoding: UnsafeRawBufferPointer(start: base, count: length), as: UTF8.self)
}

/// `encode(value)`: the encoding, or nil and the message; fails if anything else is left on the stack.
private let luaEncode: lua_CFunction = { state in
    guard let state else { return 0 }
    let top = lua_gettop(state)
    let encoder = LuaEncoder()
    do {
        try encoder.append(state, 1)
        guard lua_gettop(state) == top else { return failure(state, "the encoder leaves the stack changed") }
        encoder.take().withUnsafeBytes {
            _ = lua_pushlstring(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return 1
    } catch {
        guard lua_gettop(state) == top else { return failure(state, "a failing encoder leaves the stack changed") }
        guard encoder.count == 0 else { return failure(state, "a failing encoder leaves bytes behind") }
        return failure(state, "\(error)")
    }
}

/// `decode(bytes)`: the value, or nil and the message; fails if anything else is left on the stack.
private let luaDecode: lua_CFunction = { state in
    guard let state, let source = bytes(state, 1) else { return 0 }
    let top = lua_gettop(state)
    do {
        try LuaDecoder.push(Bytes(copying: source), on: state)
        guard lua_gettop(state) == top + 1 else { return failure(state, "the decoder leaves the stack changed") }
        return 1
    } catch {
        guard lua_gettop(state) == top else { return failure(state, "a failing decoder leaves the stack changed") }
        return failure(state, "\(error)")
    }
}

private func failure(_ state: LuaState, _ message: String) -> Int32 {
    lua_settop(state, 0)
    lua_pushnil(state)
    push(state, message)
    return 2
}

/// Lua's `roundtrip(value)` and `same(a, b)`.
///
/// `same` says whether two values are equal to the bit, even if they contain themselves. Keys that are tables are
/// matched by their field `id`.
private let comparison = """
    function roundtrip(value)
      local back, message = decode(assert(encode(value)))
      return message and error(message) or back
    end

    local function bits(number) return math.type(number) .. string.pack('j', string.unpack('j', string.pack('n', number))) end

    function same(a, b, partners)
      if math.type(a) == 'integer' then return math.type(b) == 'integer' and a == b end
      if math.type(a) == 'float' then return math.type(b) == 'float' and bits(a) == bits(b) end
      if type(a) ~= 'table' or type(b) ~= 'table' then return a == b end
      partners = partners or {}
      if partners[a] or partners[b] then return partners[a] == b and partners[b] == a end
      partners[a], partners[b] = b, a
      local tables, count = {}, 0
      for key in pairs(b) do
        if type(key) == 'table' then tables[key.id] = key end
        count = count + 1
      end
      for key, value in pairs(a) do
        local other = key
        if type(key) == 'table' then
          other = tables[key.id]
          if not same(key, other, partners) then return false end
        end
        if not same(value, b[other], partners) then return false end
        count = count - 1
      end
      return count == 0
    end
    """
