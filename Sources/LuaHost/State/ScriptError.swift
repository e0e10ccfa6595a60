import CLua
import CLuaHost
public import DLP

/// An error that a script raised.
public struct ScriptError: Error, Sendable {
    /// Lua's message, which begins with the script's line where Lua knows it.
    public var message: String
    /// Lua's traceback, or empty.
    public var traceback: String

    /// What the example has left despite the error, as an encoded value; usually nil.
    public var result: Bytes?

    /// An error that we raise on the script's behalf.
    public init(message: String, traceback: String = "") {
        self.message = message
        self.traceback = traceback
    }
}

extension LuaHost {
    /// Returns the error whose value is on top of the stack, and removes the value.
    func popError() -> ScriptError {
        var error = ScriptError(message: describeTop(), traceback: traceback)
        error.result = resultOfError()
        // The place in our own Lua code where it was raised is of no use to the user.
        if error.result != nil { error.traceback = "" }
        pop(state)
        if let memoryLimit, error.message.hasSuffix("not enough memory") {
            error.message += ": --memory allows this rank \(Self.shortText(bytes: memoryLimit))"
        }
        let element = String(cString: dlp_element(state))
        if !element.isEmpty, !isInterrupted { error.message += " (\(element))" }
        dlp_forget_element(state)
        return error
    }

    /// The value that comes with the error on top of the stack, in its metatable.
    private func resultOfError() -> Bytes? {
        guard lua_type(state, -1) == LUA_TTABLE, luaL_getmetafield(state, -1, "__result") != LUA_TNIL else {
            return nil
        }
        defer { pop(state) }
        let encoder = LuaEncoder()
        do { try encoder.append(state, -1) } catch { return nil }
        return encoder.take()
    }

    private func describeTop() -> String {
        switch lua_type(state, -1) {
        case LUA_TSTRING: return string(state, -1) ?? ""
        case LUA_TNIL: return "the error has no value (error was called with nil)"
        case LUA_TTABLE where luaL_getmetafield(state, -1, "__tostring") == LUA_TNIL:
            return "the error is a table: \(json(at: -1) ?? "it holds what cannot be shown")"
        case LUA_TTABLE: pop(state)
        default: break
        }
        dlp_tostring(state, -1)
        defer { pop(state) }
        return string(state, -1) ?? ""
    }

    /// The value at `index` as JSON; nil where it cannot be encoded.
    func json(at index: Int32) -> String? {
        let encoder = LuaEncoder()
        do {
            try encoder.append(state, index)
            var renderer = JSONRenderer()
            var text = ByteWriter()
            try encoder.take().withUnsafeBytes { (item) throws(CodecError) in
                try renderer.render(item, into: &text)
            }
            return String(decoding: text.finish().array, as: UTF8.self)
        } catch { return nil }
    }

    /// Lua's traceback, without our own frames.
    private var traceback: String {
        var lines = String(decodingVisibly: SystemString(cString: dlp_traceback(state)).bytes).split(
            separator: "\n", omittingEmptySubsequences: false)
        while let last = lines.last, last.hasSuffix("[C]: in ?") { lines.removeLast() }
        return lines.count > 1 ? lines.joined(separator: "\n") : ""
    }
}
