import CLua
import CLuaHost
public import DLP

/// How a command that is run for each example is shown.
public struct CommandOptions: Sendable {
    /// Whether each line that it writes has the example before it.
    public var hasTags = false
    /// Whether commands are only printed, rather than run.
    public var isDry = false

    /// Run, and shown as it is.
    public init() {}
}

extension Script {
    private static let chunkNameOfCommands: SystemString = "=--each"

    /// A command for `/bin/sh` in place of a script: it is run for each example, for which replacement strings stand in it.
    public init(command: SystemString) {
        self.init(chunkName: Self.chunkNameOfCommands, source: Bytes(command.bytes), name: command, arguments: [])
    }

    /// Whether it is such a command.
    public var isCommand: Bool { chunkName == Self.chunkNameOfCommands }
}

extension LuaHost {
    /// Defines the functions of a job that runs a command for each example.
    ///
    /// - Throws: `ScriptError` where its replacement strings stand where they cannot be replaced.
    func run(command: SystemString) throws(ScriptError) {
        try check(loadPart(PackageResources.each_lua, state))
        pushCore(backend: "", version: "")
        push(state, command)
        lua_createtable(state, 0, 2)
        setField("has_tags") { lua_pushboolean(state, commandOptions.hasTags ? 1 : 0) }
        setField("is_dry") { lua_pushboolean(state, commandOptions.isDry ? 1 : 0) }
        try check(dlp_call(state, 3, 0))
    }
}
