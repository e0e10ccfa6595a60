import CLua
import CLuaHost
public import DLP
import Glibc

/// A script as the user gave it.
public struct Script: Sendable {
    /// Its name in Lua's messages: `@` and a file name, or `=` and a description.
    public var chunkName: SystemString
    /// Its text or bytecode.
    public var source: Bytes
    /// The value of `arg[0]`.
    public var name: SystemString
    /// Its arguments, which it gets from `arg[1]` on and as the chunk's varargs.
    public var arguments: [SystemString]

    /// A script.
    public init(chunkName: SystemString, source: Bytes, name: SystemString, arguments: [SystemString]) {
        self.chunkName = chunkName
        self.source = source
        self.name = name
        self.arguments = arguments
    }
}

extension LuaHost {
    /// Loads the script and runs it.
    ///
    /// This defines its functions; an imperative script does all its work here.
    ///
    /// - Throws: `ScriptError` for syntax errors, for a rank used as a condition, and for errors that the script raises.
    public func run(_ script: Script) throws(ScriptError) {
        if script.isCommand { return try run(command: script.name) }
        if let misuse = RankCondition.firstMisuse(in: script.source) {
            throw ScriptError(message: "\(displayName(script)):\(misuse.line): \(misuse.message)")
        }
        try setArguments(script)
        try check(dlp_note_libraries(state))
        if !isSandboxed { try runInitialisation() }
        let status = script.source.withUnsafeBytes { source in
            let body = withoutFirstComment(source)
            return body.withMemoryRebound(to: CChar.self) {
                // Lua does not check what bytecode does, so a sandboxed script must be text.
                dlp_load(state, $0.baseAddress, $0.count, script.chunkName.cString, isSandboxed ? "t" : "bt")
            }
        }
        guard status == LUA_OK else { throw popError() }
        if !isSandboxed { try searchBeside(script) }
        guard lua_checkstack(state, Int32(clamping: script.arguments.count + 16)) != 0 else {
            throw ScriptError(message: "too many arguments to script")
        }
        for argument in script.arguments { push(state, argument) }
        try check(dlp_call(state, Int32(script.arguments.count), 0))
    }

    /// Runs the contents of `LUA_INIT`, as the stock interpreter does before it loads a script: Lua code, or `@` and a file name.
    private func runInitialisation() throws(ScriptError) {
        guard let variable = getenv("LUA_INIT_5_4") ?? getenv("LUA_INIT") else { return }
        let value = SystemString(cString: variable)
        let isFile = value.bytes.first == UInt8(ascii: "@")
        let text = isFile ? "dofile(...)" : value
        let status = text.bytes.withUnsafeBytes { text in
            text.withMemoryRebound(to: CChar.self) { dlp_load(state, $0.baseAddress, $0.count, "=LUA_INIT", "bt") }
        }
        guard status == LUA_OK else { throw popError() }
        if isFile { push(state, SystemString(bytes: value.bytes.dropFirst())) }
        try check(dlp_call(state, isFile ? 1 : 0, 0))
    }

    private func displayName(_ script: Script) -> SystemString {
        SystemString(bytes: script.chunkName.bytes.dropFirst())
    }

    /// Removes what Lua's own file loader ignores: a byte order mark, and the text of a first line that begins with
    /// `#`.
    ///
    /// The line still counts for line numbers.
    private func withoutFirstComment(_ source: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let text = source.starts(with: [0xEF, 0xBB, 0xBF]) ? source[3...] : source[...]
        guard text.first == UInt8(ascii: "#") else { return UnsafeRawBufferPointer(rebasing: text) }
        let rest = text[(text.firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex)...]
        // Bytecode has no lines to count.
        let isBytecode = rest.dropFirst().first == 0x1B
        return UnsafeRawBufferPointer(rebasing: isBytecode ? rest.dropFirst() : rest)
    }

    /// Makes `require` also search in the script's directory, after all other places.
    private func searchBeside(_ script: Script) throws(ScriptError) {
        guard script.chunkName.bytes.first == UInt8(ascii: "@") else { return }
        let name = script.name.bytes
        let directory = SystemString(
            bytes: name.lastIndex(of: UInt8(ascii: "/")).map { name[...$0] } ?? Array("./".utf8)[...])
        // Resolved now, because the script may change the working directory before its first `require`.
        guard let path = realpath(directory.cString, nil) else { return }
        defer { free(path) }
        try check(dlp_search_in(state, path))
    }

    private func setArguments(_ script: Script) throws(ScriptError) {
        lua_createtable(state, Int32(clamping: script.arguments.count), 2)
        for (index, argument) in ([script.name] + script.arguments).enumerated() {
            push(state, argument)
            lua_rawseti(state, -2, lua_Integer(index))
        }
        push(state, "dlp-lua")
        lua_rawseti(state, -2, -1)
        try check(dlp_set_global(state, "arg"))
    }

    /// Whether the script defines the function `name`.
    ///
    /// - Throws: `ScriptError` where the global is something that cannot be called.
    public func isFunction(_ name: String) throws(ScriptError) -> Bool {
        try check(dlp_get_global(state, name))
        defer { pop(state) }
        let type = lua_type(state, -1)
        if type == LUA_TFUNCTION || type == LUA_TNIL { return type == LUA_TFUNCTION }
        // Other values can be called if they have the metamethod `__call`.
        guard luaL_getmetafield(state, -1, "__call") != LUA_TNIL else {
            let kind = String(cString: lua_typename(state, type))
            throw ScriptError(message: "\(name) must be a function, but the script makes it a \(kind)")
        }
        pop(state)
        return true
    }

    /// Whether the script's function `name` has a first parameter that it uses: one with a name that does not begin with `_`.
    public func takesArgument(_ name: String) -> Bool {
        guard (try? check(dlp_get_global(state, name))) != nil else { return false }
        defer { pop(state) }
        return dlp_takes_argument(state)
    }

    /// Calls `setup`, if there is one.
    ///
    /// Only ranks that have examples to work on call this.
    public func setUp() throws(ScriptError) {
        checkUntouched()
        try check(dlp_get_global(state, "setup"))
        guard lua_type(state, -1) != LUA_TNIL else { return pop(state) }
        try apart { () throws(ScriptError) in try check(dlp_call(state, 0, 0)) }
    }
}
