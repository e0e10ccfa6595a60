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
        let missing = Self.contract.filter { !isCallable($0) }
        var sentences: [String] = []
        for (function, candidates) in functions(near: missing) where !Self.contract.contains(function) {
            guard let meant = nearestName(to: function, among: candidates, most: 1) else { continue }
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

    /// Whether a global is a function, or may be called like one.
    private func isCallable(_ name: String) -> Bool {
        push(state, name)
        dlp_push_globals(state)
        defer { pop(state, 2) }
        lua_rotate(state, -2, 1)
        lua_rawget(state, -2)
        return isCallable(at: -1)
    }

    private func isCallable(at index: Int32) -> Bool {
        lua_type(state, index) == LUA_TFUNCTION || lua_type(state, index) == LUA_TTABLE
    }

    /// The global functions that may be one slip away from some of `names`, in alphabetical order, each with these.
    ///
    /// One slip adds or takes one letter at most, and changes the first or the last, but not both: this spares making
    /// strings of the names of all of Lua's functions, and comparing them.
    private func functions(near names: [String]) -> [(name: String, candidates: [String])] {
        var functions: [(name: String, candidates: [String])] = []
        dlp_push_globals(state)
        defer { pop(state) }
        lua_pushnil(state)
        while lua_next(state, -2) != 0 {
            defer { pop(state) }
            guard isCallable(at: -1), let bytes = bytes(state, -2) else { continue }
            let candidates = names.filter { Self.haveSameEnd($0.utf8, bytes) }
            if !candidates.isEmpty, let name = string(state, -2) { functions.append((name, candidates)) }
        }
        return functions.sorted { $0.name < $1.name }
    }

    /// Whether a name and what may be meant by it begin or end with the same letter, and are about as long.
    private static func haveSameEnd(_ name: String.UTF8View, _ other: UnsafeRawBufferPointer) -> Bool {
        guard let first = name.first, let last = name.last, let otherFirst = other.first, let otherLast = other.last
        else { return false }
        return abs(name.count - other.count) <= 1
            && (first | 0x20 == otherFirst | 0x20 || last | 0x20 == otherLast | 0x20)
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
