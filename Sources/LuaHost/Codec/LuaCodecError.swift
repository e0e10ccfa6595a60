/// Why a Lua value cannot travel.
struct LuaCodecError: Error, Sendable, CustomStringConvertible {
    /// The way to it from the value that was to travel: `.model.loss`; empty for that value itself.
    var path: String
    /// What it is: `function`.
    var kind: String

    /// What is wrong: `.model.loss is a function`.
    var description: String { path.isEmpty ? "it is a \(kind)" : "\(path) is a \(kind)" }
}
