/// The reason why a Lua value cannot be sent.
struct LuaCodecError: Error, Sendable, CustomStringConvertible {
    /// The path to it from the value that was to be sent, as `.model.loss`; empty for that value itself.
    var path: String
    /// The type of the value that cannot be sent, as `function`.
    var kind: String

    /// The message: `.model.loss is a function`.
    var description: String { path.isEmpty ? "it is a \(kind)" : "\(path) is a \(kind)" }
}
