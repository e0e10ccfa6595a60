import CLua
import DLP

// Examples are known by their values; what these do not have, but `work` can see, is reached like anything else.

extension ReachWalk {
    /// Adds the metatables that elements of the list at an index have, at any depth, and sees whether two have a table in common.
    ///
    /// Which element has which counts where it is not the same for all: otherwise the list may grow, or have another order.
    mutating func addMetatables(ofElementsOf list: Int32) {
        let part = addPart("the metatables of examples", "", isValue: true)
        refer(to: part, from: Self.root)
        guard lua_type(state, list) == LUA_TTABLE else { return }
        var walk = ElementWalk(state)
        for index in 0..<Int(lua_rawlen(state, list)) {
            lua_rawgeti(state, list, lua_Integer(index + 1))
            walk.look(at: index) {
                add(valueNamed: "the metatable of examples", to: part)
            }
            pop(state)
        }
        pop(state)
        if walk.haveCommon { isUnwatched = true }
        guard walk.haveMetatables, let first = walk.metatables.first else { return }
        let areAlike = walk.metatables.allSatisfy { $0 == first }
        for numbers in areAlike ? [first] : walk.metatables {
            mix(.end, UInt64(numbers.count), part)
            for number in numbers { mix(.metatable, UInt64(number), part) }
        }
    }
}

/// Looks for metatables in the elements of a list, one after another.
private struct ElementWalk {
    private let state: LuaState
    /// The tables by the element in which they were found.
    private var owners: [UnsafeRawPointer: Int] = [:]
    /// The metatables by their numbers.
    private var numbers: [UnsafeRawPointer: Int] = [:]
    /// The table of those that are still to be looked at.
    private let waiting: Int32
    /// The numbers of those of each element, its own first, which may be 0, for none; nothing where there are none at all.
    private(set) var metatables: [[Int]] = []
    /// Whether there is any.
    var haveMetatables: Bool { !numbers.isEmpty }
    /// Whether two elements have a table in common.
    private(set) var haveCommon = false

    /// A walk that has not begun; its table stays on the stack.
    init(_ state: LuaState) {
        self.state = state
        lua_createtable(state, 0, 0)
        waiting = lua_gettop(state)
    }

    /// Looks at the element on top, and calls `found` with each metatable on top that is new.
    mutating func look(at index: Int, found: () -> Void) {
        var own: [Int] = []
        defer { metatables.append(own) }
        guard lua_type(state, -1) == LUA_TTABLE else { return }
        var (first, end): (lua_Integer, lua_Integer) = (1, 1)
        add(index, &end)
        // Of one that was met before, only its own counts.
        if end == first, case let number = number(found), number > 0 { own.append(number) }
        while first < end {
            lua_rawgeti(state, waiting, first)
            lua_pushnil(state)
            lua_rawseti(state, waiting, first)
            let number = number(found)
            if number > 0 {
                if first > 1, own.isEmpty { own.append(0) }
                own.append(number)
            }
            first += 1
            lua_pushnil(state)
            while lua_next(state, -2) != 0 {
                if lua_type(state, -1) == LUA_TTABLE { add(index, &end) }
                pop(state)
            }
            pop(state)
        }
    }

    /// The table on top is to be looked at, unless it was met before.
    private mutating func add(_ index: Int, _ end: inout lua_Integer) {
        guard let address = lua_topointer(state, -1) else { return }
        if let owner = owners[address] {
            if owner != index { haveCommon = true }
            return
        }
        owners[address] = index
        lua_pushvalue(state, -1)
        lua_rawseti(state, waiting, end)
        end += 1
    }

    /// The number of the metatable that the table on top has.
    private mutating func number(_ found: () -> Void) -> Int {
        guard lua_getmetatable(state, -1) != 0, let address = lua_topointer(state, -1) else { return 0 }
        defer { pop(state) }
        if let number = numbers[address] { return number }
        numbers[address] = numbers.count + 1
        found()
        return numbers.count
    }
}
