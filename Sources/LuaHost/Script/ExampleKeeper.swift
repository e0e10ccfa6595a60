import CLua
import DLP

/// Restores examples that are tables to what `examples()` made, after `work` has changed them.
///
/// It compares the encoded example before and after. An example that contains something that cannot be encoded, such as a
/// function, stays as `work` leaves it.
final class ExampleKeeper {
    /// Whether `collect` will see finished examples, and whether failed examples are tried again.
    let isForCollect: Bool
    let isForRetries: Bool
    private let encoder = LuaEncoder()
    /// The current example before `work`, encoded; nil where it is no table.
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
        // An example that a list makes anew each time it is read cannot be changed, and needs no copy.
        guard pushKept(index, in: state) else { return }
        before = encodeTop(state)
        pop(state)
    }

    /// Restores the example at `index` if it has changed.
    func restore(_ index: Int, in state: LuaState) {
        guard let before, pushKept(index, in: state) else { return }
        defer { pop(state) }
        self.before = nil
        guard encodeTop(state) != before else { return }
        guard (try? LuaDecoder.push(before, on: state)) != nil else { return }
        giveMetatables(of: lua_gettop(state) - 1, to: lua_gettop(state), state)
        lua_rawseti(state, LuaHost.Slot.examples, lua_Integer(index + 1))
    }

    private func encodeTop(_ state: LuaState) -> Bytes? {
        do { try encoder.append(state, -1) } catch { return nil }
        return encoder.take()
    }

    /// Pushes the example at `index` from the list of examples if it is a table; returns false otherwise.
    private func pushKept(_ index: Int, in state: LuaState) -> Bool {
        guard lua_type(state, LuaHost.Slot.examples) == LUA_TTABLE else { return false }
        if lua_rawgeti(state, LuaHost.Slot.examples, lua_Integer(index + 1)) == LUA_TTABLE { return true }
        pop(state)
        return false
    }
}

extension LuaHost {
    /// Lets `work` change its examples: `collect` on this rank, and further attempts, get them as `examples()` made them.
    ///
    /// This costs nothing for examples that are no tables, and nothing where examples are not used again.
    public func keepExamples(forCollect: Bool, forRetries: Bool) {
        let isNeeded = forCollect || forRetries
        exampleKeeper = isNeeded ? ExampleKeeper(forCollect: forCollect, forRetries: forRetries) : nil
    }
}
