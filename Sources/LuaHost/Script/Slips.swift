import CLua
import CLuaHost
import DLP

extension LuaHost {
    /// The functions by which a script and the runtime know each other.
    private static let contract = ["examples", "cost", "setup", "work", "collect", "summarize"]

    /// What looks like a slip in the names of a script that has been run: a sentence for each.
    ///
    /// A global function whose name is almost one of the contract's, and a local one with such a name that nobody calls,
    /// where the script has no other of that name.
    public func slips(in script: Script) -> [String] {
        let functions = globalFunctions
        let missing = Self.contract.filter { !functions.contains($0) }
        var sentences: [String] = []
        for function in functions.sorted() where !Self.contract.contains(function) {
            // One slip changes the first letter or the last, but not both; this spares comparing all of Lua's functions.
            let ends = { (name: String) in [name.utf8.first, name.utf8.last].map { ($0 ?? 0) | 0x20 } }
            let candidates = missing.filter { zip(ends($0), ends(function)).contains { $0 == $1 } }
            guard !candidates.isEmpty, let meant = nearestName(to: function, among: candidates, most: 1) else {
                continue
            }
            // Many names are near the shortest one: a function that the script calls itself is no slip of that.
            guard meant != "cost" || !LocalFunction.isUsed(function, in: script.source) else { continue }
            sentences.append("\(function) is no function that a job calls; is \(meant) meant?")
        }
        let isJob = missing.count < Self.contract.count
        for local in LocalFunction.all(of: missing, in: script.source)
        where !local.isUsed || (local.name == "work" && isJob) {
            sentences.append(
                "line \(local.line): \(local.name) is local, so that the job does not see it: leave out the word local")
        }
        return sentences
    }

    /// The names of the global functions, those of Lua's libraries included.
    private var globalFunctions: Set<String> {
        var names: Set<String> = []
        dlp_push_globals(state)
        defer { pop(state) }
        lua_pushnil(state)
        while lua_next(state, -2) != 0 {
            let isCallable = lua_type(state, -1) == LUA_TFUNCTION || lua_type(state, -1) == LUA_TTABLE
            if isCallable, let name = string(state, -2) { names.insert(name) }
            pop(state)
        }
        return names
    }
}

/// A local variable with the name of a function of the contract.
private struct LocalFunction {
    var name: String
    var line: Int
    /// Whether the script mentions it elsewhere.
    var isUsed: Bool

    /// Those of the `names` that the script declares as local.
    static func all(of names: [String], in source: Bytes) -> [LocalFunction] {
        // Most scripts do without some of the functions, and then do not mention them.
        let mentioned = source.withUnsafeBytes { text in names.filter { contains(text, Array($0.utf8)) } }
        guard !mentioned.isEmpty, source.withUnsafeBytes({ $0.first != 0x1B }) else { return [] }
        let tokens = LuaLexer.tokens(of: source)
        return mentioned.compactMap { name in
            var local = LocalFunction(name: name, line: 0, isUsed: false)
            for index in tokens.indices where tokens[index].text == name {
                let before = index > 0 ? tokens[index - 1].text : ""
                let isLocal =
                    before == "local" || (before == "function" && index > 1 && tokens[index - 2].text == "local")
                if isLocal, local.line == 0 { local.line = tokens[index].line }
                if !isLocal, ![".", ":", "function"].contains(before) { local.isUsed = true }
            }
            return local.line > 0 ? local : nil
        }
    }

    /// Whether the script mentions this name elsewhere than where it defines a function of it.
    static func isUsed(_ name: String, in source: Bytes) -> Bool {
        guard source.withUnsafeBytes({ $0.first != 0x1B }) else { return true }
        let tokens = LuaLexer.tokens(of: source)
        return tokens.indices.contains { index in
            let (before, behind) = (
                index > 0 ? tokens[index - 1].text : "", index + 1 < tokens.count ? tokens[index + 1].text : ""
            )
            return tokens[index].text == name && ![".", ":", "function"].contains(before) && behind != "="
        }
    }

    private static func contains(_ text: UnsafeRawBufferPointer, _ name: [UInt8]) -> Bool {
        guard text.count >= name.count else { return false }
        return (0...(text.count - name.count)).contains { start in
            text[start] == name[0] && text[start..<(start + name.count)].elementsEqual(name)
        }
    }
}
