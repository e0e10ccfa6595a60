import CLua
import DLP

// The values of examples identify them. Their metatables are not part of these values, but `work` can see them; so they count
// as reached.

extension ReachWalk {
    /// Adds the metatables in the elements of the list at an index, at any depth, and finds whether two elements share a table.
    ///
    /// If all elements have the same metatables, the list may grow or be reordered; otherwise it counts which element has which.
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
    /// The element in which each table was found, by the table's address.
    private var owners: [UnsafeRawPointer: Int] = [:]
    /// The number of each metatable, by its address.
    private var numbers: [UnsafeRawPointer: Int] = [:]
    /// The stack index of the table of tables that are still to be looked at.
    private let waiting: Int32
    /// For each element, the numbers of its metatables.
    ///
    /// The first is that of the element itself, or 0 if only tables in it have one; empty where there is none at all.
    private(set) var metatables: [[Int]] = []
    /// Whether any metatable was found.
    var haveMetatables: Bool { !numbers.isEmpty }
    /// Whether two elements share a table.
    private(set) var haveCommon = false

    /// Prepares a walk; the table that it makes stays on the stack.
    init(_ state: LuaState) {
        self.state = state
        lua_createtable(state, 0, 0)
        waiting = lua_gettop(state)
    }

    /// Looks at the element on top.
    ///
    /// Calls `found` for each new metatable, which is then on top.
    mutating func look(at index: Int, found: () -> Void) {
        var own: [Int] = []
        defer { metatables.append(own) }
        guard lua_type(state, -1) == LUA_TTABLE else { return }
        var (first, end): (lua_Integer, lua_Integer) = (1, 1)
        add(index, &end)
        // If the element itself was met before, only its own metatable counts.
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

    /// Adds the table on top to those to look at, unless it was met before.
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

    /// Returns the number of the metatable of the table on top; 0 where it has none.
    private mutating func number(_ found: () -> Void) -> Int {
        guard lua_getmetatable(state, -1) != 0, let address = lua_topointer(state, -1) else { return 0 }
        defer { pop(state) }
        if let number = numbers[address] { return number }
        numbers[address] = numbers.count + 1
        found()
        return numbers.count
    }
}
