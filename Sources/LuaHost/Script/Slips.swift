import CLua
import CLuaHost
import DLP

extension LuaHost {
    /// The functions of a script that the runtime calls.
    private static let contract = ["examples", "cost", "setup", "work", "collect", "summarize"]

    /// Returns a sentence for each probable misspelling in the names of a script that has run.
    ///
    /// These are: a global function with a name close to one of the contract's, and a local function with exactly such a name
    /// that is not used (in a job, `work` even if it is used). Both count only where the script has no global of that name.
    public func slips(in script: Script) -> [String] {
        let functions = globalFunctions
        let missing = Self.contract.filter { !functions.contains($0) }
        var sentences: [String] = []
        for function in functions.sorted() where !Self.contract.contains(function) {
            // One misspelling changes the first letter or the last, but not both. This saves comparing all of Lua's functions.
            let ends = { (name: String) in [name.utf8.first, name.utf8.last].map { ($0 ?? 0) | 0x20 } }
            let candidates = missing.filter { zip(ends($0), ends(function)).contains { $0 == $1 } }
            guard !candidates.isEmpty, let meant = nearestName(to: function, among: candidates, most: 1) else {
                continue
            }
            // Many names are close to the short name `cost`; a function that the script itself calls is no misspelling of it.
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

    /// The names of all globals that are functions or tables, including Lua's libraries.
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

/// A local variable that has the name of a function of the contract.
private struct LocalFunction {
    var name: String
    var line: Int
    /// Whether the script mentions it elsewhere.
    var isUsed: Bool

    /// Finds the local variables of the script that have one of the `names`.
    static func all(of names: [String], in source: Bytes) -> [LocalFunction] {
        // Most scripts leave out some of the functions, and do not mention them either.
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

    /// Whether the script mentions this name in other places than the definition of a function of that name.
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
