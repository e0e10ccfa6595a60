import CLua
import CLuaHost
public import DLP

/// How a command that is run for each example is shown.
public struct CommandOptions: Sendable {
    /// Whether each line that it writes has the example before it.
    public var hasTags = false
    /// Whether commands are only printed, rather than run.
    public var isDry = false
    /// The directory in which rank 0 keeps what each has written.
    public var outputs: SystemString?

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
        lua_createtable(state, 0, 3)
        setField("has_tags") { lua_pushboolean(state, commandOptions.hasTags ? 1 : 0) }
        setField("is_dry") { lua_pushboolean(state, commandOptions.isDry ? 1 : 0) }
        setField("keeps_outputs") { lua_pushboolean(state, outputFolders == nil ? 0 : 1) }
        try check(dlp_call(state, 3, 0))
    }

    /// Does `core.keep_outputs(index, stdout, stderr, status)`, without the last three for a command that has left nothing.
    func keepOutputs(_ state: LuaState) throws -> Int32 {
        let index = Int(lua_tointegerx(state, 1, nil))
        let outcome: OutputFolders.Outcome? =
            if let stdout = bytes(state, 2), let stderr = bytes(state, 3) {
                (stdout, stderr, Int(lua_tointegerx(state, 4, nil)))
            } else {
                nil
            }
        try outputFolders?.write(outcome, of: index)
        return 0
    }
}
