import CLua
import CLuaHost
public import DLP

/// How a command that runs for each example is shown.
public struct CommandOptions: Sendable {
    /// Whether the command's output lines are prefixed with the example.
    public var hasTags = false
    /// Whether commands are only printed, rather than run.
    public var isDry = false
    /// The directory in which rank 0 keeps the output of each command.
    public var outputs: SystemString?

    /// The defaults: commands run, and their output is shown unchanged.
    public init() {}
}

extension Script {
    private static let chunkNameOfCommands: SystemString = "=--each"

    /// A command for `/bin/sh` in place of a script.
    ///
    /// It runs for each example, which takes the place of its replacement strings.
    public init(command: SystemString) {
        self.init(chunkName: Self.chunkNameOfCommands, source: Bytes(command.bytes), name: command, arguments: [])
    }

    /// Whether this is such a command.
    public var isCommand: Bool { chunkName == Self.chunkNameOfCommands }
}

extension LuaHost {
    /// Defines the functions of a job that runs a command for each example.
    ///
    /// - Throws: `ScriptError` where a replacement string is in a place in which it cannot be replaced.
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

    /// Does `core.keep_outputs(index, stdout, stderr, status)`; the last three are missing if the command left nothing.
    func keepOutputs(_ state: LuaState) throws(CallError) -> Int32 {
        let index = Int(lua_tointegerx(state, 1, nil))
        let outcome: OutputFolders.Outcome? =
            if let stdout = bytes(state, 2), let stderr = bytes(state, 3) {
                (stdout, stderr, Int(lua_tointegerx(state, 4, nil)))
            } else {
                nil
            }
        do { try outputFolders?.write(outcome, of: index) } catch {
            throw CallError.output(error.message, on: client.rank)
        }
        return 0
    }
}
