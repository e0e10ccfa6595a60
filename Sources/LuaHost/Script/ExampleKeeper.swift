import CLua
import DLP

/// Puts examples that are tables back as `examples()` made them after `work` has changed them.
///
/// It compares the encoded example before and after. One that holds what cannot be encoded, such as functions, stays as
/// `work` leaves it.
final class ExampleKeeper {
    /// Whether `collect` will see examples that are done, and whether those that failed are tried again.
    let isForCollect: Bool
    let isForRetries: Bool
    private let encoder = LuaEncoder()
    /// The example under work as it was; nil where it is no table.
    private var before: Bytes?

    init(forCollect: Bool, forRetries: Bool) {
        isForCollect = forCollect
        isForRetries = forRetries
    }

    /// Remembers the example at `index`, which is on top of the stack.
    @inline(__always)
    func remember(_ index: Int, in state: LuaState) {
        before = nil
        if lua_type(state, -1) == LUA_TTABLE { encode(index, in: state) }
    }

    private func encode(_ index: Int, in state: LuaState) {
        // What a list makes anew for each look at it nobody can change.
        guard pushKept(index, in: state) else { return }
        before = encodeTop(state)
        pop(state)
    }

    /// Puts the example at `index` back if it is not what it was.
    func restore(_ index: Int, in state: LuaState) {
        guard let before, pushKept(index, in: state) else { return }
        defer { pop(state) }
        self.before = nil
        guard encodeTop(state) != before else { return }
        guard (try? LuaDecoder.push(before, on: state)) != nil else { return }
        if lua_getmetatable(state, -2) != 0 { lua_setmetatable(state, -2) }
        lua_rawseti(state, LuaHost.Slot.examples, lua_Integer(index + 1))
    }

    private func encodeTop(_ state: LuaState) -> Bytes? {
        do { try encoder.append(state, -1) } catch { return nil }
        return encoder.take()
    }

    /// Pushes the example that the list of examples holds at `index`, if it is a table; false where it is none.
    private func pushKept(_ index: Int, in state: LuaState) -> Bool {
        guard lua_type(state, LuaHost.Slot.examples) == LUA_TTABLE else { return false }
        if lua_rawgeti(state, LuaHost.Slot.examples, lua_Integer(index + 1)) == LUA_TTABLE { return true }
        pop(state)
        return false
    }
}

extension LuaHost {
    /// Lets `work` change its examples: `collect` here, and further attempts, get them as `examples()` made them.
    ///
    /// Examples that are no tables cost nothing, and neither do others where nobody sees them again.
    public func keepExamples(forCollect: Bool, forRetries: Bool) {
        let isNeeded = forCollect || forRetries
        exampleKeeper = isNeeded ? ExampleKeeper(forCollect: forCollect, forRetries: forRetries) : nil
    }
}
