import CLua
import CLuaHost
public import DLP

/// The kind of examples that a script's `examples()` returned.
public enum Examples: Equatable, Sendable {
    /// The numbers from 1 to `count`.
    case count(Int)
    /// A table with `count` elements.
    case table(count: Int)
    /// An iterator; the number of examples is known only at its end.
    case iterator
    /// There is no `examples()`: the examples are the records of a file, or of the root's standard input.
    case input

    /// The number of examples, where it is known.
    public var count: Int? {
        switch self {
        case .count(let count), .table(let count): count
        case .iterator, .input: nil
        }
    }
}

extension LuaHost {
    /// The stack indices of a job's values, valid from the first call on.
    enum Slot {
        /// The message handler of protected calls.
        static let handler: Int32 = 1
        static let work: Int32 = 2
        static let collect: Int32 = 3
        /// The table of examples, or the iterator function.
        static let examples: Int32 = 4
        /// The iterator's state, and then its control variable.
        static let iteratorState: Int32 = 5
        static let iteratorControl: Int32 = 6
        /// The value to be closed when the iterator is no longer needed.
        static let iteratorClosing: Int32 = 7
    }

    /// Calls `examples()` and prepares `work` and `collect` to be called.
    ///
    /// - Parameters:
    ///   - evaluate: false where the examples will come from the root; then `examples()` is not called.
    ///   - isApart: whether this rank calls it alone.
    /// - Throws: `ScriptError` where `examples()` fails, or returns something else than a table, a number or an iterator.
    public func openJob(evaluate: Bool, apart isApart: Bool = false) throws(ScriptError) -> Examples {
        clearStack()
        lua_checkstack(state, 64)
        dlp_push_handler(state)
        try check(dlp_get_global(state, "work"))
        try check(dlp_get_global(state, "collect"))
        for _ in Slot.examples...Slot.iteratorClosing { lua_pushnil(state) }
        guard try isFunction("examples") else { return .input }
        guard evaluate else { return .count(0) }
        seedRandom(index: 0)
        try check(dlp_get_global(state, "examples"))
        try apart(when: isApart) { () throws(ScriptError) in try check(dlp_call(state, 0, 4)) }
        for slot in (Slot.examples...Slot.iteratorClosing).reversed() {
            lua_copy(state, -1, slot)
            pop(state)
        }
        let examples = try classifyExamples()
        hasOpenIterator = examples == .iterator
        return examples
    }

    private func classifyExamples() throws(ScriptError) -> Examples {
        switch lua_type(state, Slot.examples) {
        case LUA_TNUMBER:
            var isInteger: Int32 = 0
            let count = lua_tointegerx(state, Slot.examples, &isInteger)
            guard isInteger != 0, count >= 0 else {
                throw ScriptError(
                    message: "examples() returned a number that is not a whole one from 0 on")
            }
            try checkLength(Int(count))
            return .count(Int(count))
        case LUA_TTABLE where isCallable(), LUA_TUSERDATA where isCallable(): return .iterator
        case LUA_TTABLE, LUA_TUSERDATA:
            try check(dlp_length(state, Slot.examples))
            defer { pop(state) }
            let count = Int(lua_tointegerx(state, -1, nil))
            guard count >= 0 else {
                throw ScriptError(message: "examples() returned a value whose length is \(count)")
            }
            try checkLength(count)
            guard count > 0 || isEmpty() else {
                throw ScriptError(
                    message: "examples() returned a table that has keys, but no first example, [1]; it must return a "
                        + "sequence, a whole number or an iterator", traceback: "")
            }
            return .table(count: count)
        case LUA_TFUNCTION: return .iterator
        case let type:
            let kind = type == LUA_TNIL ? "nothing" : "a \(String(cString: lua_typename(state, type)))"
            throw ScriptError(
                message: "examples() returned \(kind); it must return a table, a whole number or an iterator",
                traceback: "")
        }
    }

    private func isCallable() -> Bool {
        guard luaL_getmetafield(state, Slot.examples, "__call") != LUA_TNIL else { return false }
        pop(state)
        return true
    }

    private func checkLength(_ count: Int) throws(ScriptError) {
        guard count > ManagedSchedule.longestList else { return }
        throw ScriptError(message: "examples() returned \(count) examples; there can be 2^62 at most")
    }

    /// Whether a list without a first example has no other entries either, or has a length of its own (`__len`).
    private func isEmpty() -> Bool {
        guard lua_type(state, Slot.examples) == LUA_TTABLE else { return true }
        if luaL_getmetafield(state, Slot.examples, "__len") != LUA_TNIL {
            pop(state)
            return true
        }
        lua_pushnil(state)
        guard lua_next(state, Slot.examples) != 0 else { return true }
        pop(state, 2)
        return false
    }

    /// Returns a digest of the whole list, the same on every rank that has the same list.
    ///
    /// - Returns: an error where an example contains something that has no digest (a function, userdata or thread).
    /// - Throws: `ScriptError` where an example cannot be read.
    public func digest(of examples: Examples) throws(ScriptError) -> Result<Digest, ScriptError> {
        var builder = DigestBuilder()
        for index in 0..<(examples.count ?? 0) {
            dlp_look_ahead(state, Slot.examples, index)
            try pushExample(examples, index)
            defer { pop(state) }
            if let digest = Digest(ofFlatTable: -1, state) {
                builder.add(digest)
                continue
            }
            do { builder.add(try digest(index, encodeTopExample(index, .comparison))) } catch { return .failure(error) }
        }
        return .success(builder.digest)
    }

    /// The purpose for which examples are encoded.
    public enum Purpose: String {
        /// To be sent to another rank.
        case travel =
            "which cannot travel to another rank; where every rank makes the same list, --examples replicate does without"
        /// To be compared with those of other ranks.
        case comparison = "which cannot be compared between ranks"
        /// To be distinguished from others in the journal.
        case journal = "by which a journal cannot tell examples apart"
    }

    /// Returns the digest of the example at `index`, from 0.
    ///
    /// - Throws: `ScriptError` where it contains something that has no digest.
    public func digest(
        of examples: Examples, at index: Int, for purpose: Purpose = .travel
    ) throws(ScriptError) -> Digest {
        try digest(index, encodedExample(examples, index, for: purpose))
    }

    private func digest(_ index: Int, _ bytes: Bytes) throws(ScriptError) -> Digest {
        do {
            return try bytes.withUnsafeBytes { (item) throws(CodecError) in try Digest(of: item) }
        } catch {
            throw ScriptError(message: "example \(index + 1): \(error.description)")
        }
    }

    /// Returns the example at `index`, from 0, encoded.
    ///
    /// - Throws: `ScriptError` where it contains something that cannot be encoded.
    public func encodedExample(
        _ examples: Examples, _ index: Int, for purpose: Purpose = .travel
    ) throws(ScriptError) -> Bytes {
        try pushExample(examples, index)
        defer { pop(state) }
        return try encodeTopExample(index, purpose)
    }

    private func encodeTopExample(_ index: Int, _ purpose: Purpose = .travel) throws(ScriptError) -> Bytes {
        do { try encoder.append(state, -1) } catch {
            throw ScriptError(
                message: "example \(index + 1): \(error.description), \(purpose.rawValue)")
        }
        return encoder.take()
    }

    /// Pushes the example at `index`, from 0.
    ///
    /// [-0, +1]
    func pushExample(_ examples: Examples, _ index: Int) throws(ScriptError) {
        guard case .table = examples else { return lua_pushinteger(state, lua_Integer(index + 1)) }
        if lua_type(state, Slot.examples) == LUA_TTABLE,
            lua_rawgeti(state, Slot.examples, lua_Integer(index + 1)) != LUA_TNIL
        {
            return
        }
        if lua_type(state, Slot.examples) == LUA_TTABLE { pop(state) }
        try check(dlp_get(state, Slot.examples, lua_Integer(index + 1)))
    }

    /// The answer of an iterator over examples.
    public enum NextExample {
        case example(Bytes)
        /// No example until another result has been collected.
        case later
        /// There are no more examples.
        case end
    }

    /// Returns the iterator's next example, encoded; `index`, from 0, is used in messages.
    public func nextExample(_ index: Int) throws(ScriptError) -> NextExample {
        seedRandom(index: 0)
        lua_pushvalue(state, Slot.iteratorControl)
        defer { pop(state) }
        try apart { () throws(ScriptError) in try check(dlp_iterate(state, Slot.examples)) }
        defer { pop(state) }
        if let laterAddress, lua_topointer(state, -1) == laterAddress {
            // The iterator goes on from where it was.
            lua_copy(state, -2, Slot.iteratorControl)
            return .later
        }
        guard lua_type(state, -1) == LUA_TNIL else { return .example(try encodeTopExample(index)) }
        try closeIterator()
        return .end
    }

    /// Closes the value that the iterator has given to be closed, as a Lua loop does at its end.
    func closeIterator() throws(ScriptError) {
        guard hasOpenIterator else { return }
        hasOpenIterator = false
        try apart { () throws(ScriptError) in try check(dlp_close_value(state, Slot.iteratorClosing)) }
    }
}
