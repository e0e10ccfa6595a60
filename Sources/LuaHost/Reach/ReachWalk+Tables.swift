import CLua
import CLuaHost
import DLP
import Glibc

// The contents of tables.

extension ReachWalk {
    /// Adds the contents of the table on top.
    mutating func addEntries(of name: String, to part: Int) {
        let table = lua_gettop(state)
        if lua_getmetatable(state, table) != 0 {
            mix(.metatable, 0, part)
            collectIfWeak()
            add(valueNamed: Self.name(name, "'s metatable"), to: part)
            pop(state)
        }
        var length: lua_Integer = 0
        while true {
            let type = lua_rawgeti(state, table, length + 1)
            guard type != LUA_TNIL else { break }
            length += 1
            // All elements get the table's name, as there may be many.
            add(valueNamed: name, to: part)
            pop(state)
        }
        pop(state)
        mix(.end, UInt64(length), part)
        // The value of `#`, which is not determined if the sequence has holes.
        mix(.end, UInt64(lua_rawlen(state, table)), part)
        keys.read(state, table, behind: length)
        if keys.hasOthers {
            obstruct("reaches \(name), whose keys are tables or functions (\(place(ofPart: part)))")
        }
        for key in keys.numbers {
            lua_pushnumber(state, key)
            add(entryOf: table, Self.name(name, "[\(key)]"), part)
        }
        for key in keys.integers {
            lua_pushinteger(state, key)
            add(entryOf: table, Self.name(name, "[\(key)]"), part)
        }
        for key in keys.truths {
            lua_pushboolean(state, key ? 1 : 0)
            add(entryOf: table, Self.name(name, "[\(key)]"), part)
        }
        for key in keys.strings {
            _ = lua_pushlstring(state, key.baseAddress?.assumingMemoryBound(to: CChar.self), key.count)
            add(entryOf: table, Self.name(name, ".\(String(decodingVisibly: key))"), part)
            // Lua runs no debug hook for a finalizer, so that its call would not be observed.
            guard key.elementsEqual("__gc".utf8) else { continue }
            push(state, "__gc")
            lua_rawget(state, table)
            enterWholly()
            pop(state)
        }
        mix(.end, 0, part)
    }

    /// The name of a value inside another, for messages; without the place in it where that would become too long.
    private static func name(_ whole: String, _ place: String) -> String {
        whole.utf8.count + place.utf8.count > 60 ? whole : whole + place
    }

    /// Adds the key on top, which is removed, and its value in the table.
    @inline(__always)
    private mutating func add(entryOf table: Int32, _ name: @autoclosure () -> String, _ part: Int) {
        add(valueNamed: "", to: part)
        lua_rawget(state, table)
        add(valueNamed: name(), to: part)
        pop(state)
    }

    /// Collects garbage before a weak table is read, once, so that its contents do not depend on when the last
    /// collection was.
    ///
    /// The table's metatable is on top.
    private mutating func collectIfWeak() {
        push(state, "__mode")
        let isWeak = lua_rawget(state, -2) == LUA_TSTRING
        pop(state)
        guard isWeak, !hasCollected else { return }
        hasCollected = true
        dlp_collect(state)
    }
}

/// The keys of a table after its sequence, in an order that is the same in each process.
struct TableKeys {
    private(set) var integers: [lua_Integer] = []
    private(set) var numbers: [Double] = []
    private(set) var strings: [UnsafeRawBufferPointer] = []
    private(set) var truths: [Bool] = []
    /// Whether there are keys of other types, which have no such order.
    private(set) var hasOthers = false

    /// Reads the keys of the table at an index, and replaces those of the table before.
    mutating func read(_ state: LuaState, _ table: Int32, behind length: lua_Integer) {
        integers.removeAll(keepingCapacity: true)
        numbers.removeAll(keepingCapacity: true)
        strings.removeAll(keepingCapacity: true)
        truths.removeAll(keepingCapacity: true)
        hasOthers = false
        lua_pushnil(state)
        while lua_next(state, table) != 0 {
            pop(state)
            switch lua_type(state, -1) {
            case LUA_TNUMBER where lua_isinteger(state, -1) != 0:
                let key = lua_tointegerx(state, -1, nil)
                if key < 1 || key > length { integers.append(key) }
            case LUA_TNUMBER: numbers.append(lua_tonumberx(state, -1, nil))
            // The pointer stays valid, because the table keeps the string.
            case LUA_TSTRING: strings.append(bytes(state, -1) ?? UnsafeRawBufferPointer(start: nil, count: 0))
            case LUA_TBOOLEAN: truths.append(lua_toboolean(state, -1) != 0)
            default: hasOthers = true
            }
        }
        integers.sort()
        numbers.sort()
        truths.sort { !$0 && $1 }
        strings.sort { left, right in
            guard let first = left.baseAddress, let second = right.baseAddress else { return left.count < right.count }
            let order = memcmp(first, second, min(left.count, right.count))
            return order == 0 ? left.count < right.count : order < 0
        }
    }
}
