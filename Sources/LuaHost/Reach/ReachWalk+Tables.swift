import CLua
import CLuaHost
import DLP
import Glibc

// What is in tables.

extension ReachWalk {
    /// Adds what is in the table on top.
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
            // One element is called as the others are: there may be many.
            add(valueNamed: name, to: part)
            pop(state)
        }
        pop(state)
        mix(.end, UInt64(length), part)
        // What `#` gives where there are holes.
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
            // No hook is called where Lua calls this one.
            guard key.elementsEqual("__gc".utf8) else { continue }
            push(state, "__gc")
            lua_rawget(state, table)
            enterWholly()
            pop(state)
        }
        mix(.end, 0, part)
    }

    /// What is in something, as a message calls it; deep in there the whole way would be too long.
    private static func name(_ whole: String, _ place: String) -> String {
        whole.utf8.count + place.utf8.count > 60 ? whole : whole + place
    }

    /// Adds the key on top, which is taken away, and the value that the table has for it.
    @inline(__always)
    private mutating func add(entryOf table: Int32, _ name: @autoclosure () -> String, _ part: Int) {
        add(valueNamed: "", to: part)
        lua_rawget(state, table)
        add(valueNamed: name(), to: part)
        pop(state)
    }

    /// What a weak table still has must not depend on when there was a collection last; its metatable is on top.
    private mutating func collectIfWeak() {
        push(state, "__mode")
        let isWeak = lua_rawget(state, -2) == LUA_TSTRING
        pop(state)
        guard isWeak, !hasCollected else { return }
        hasCollected = true
        dlp_collect(state)
    }
}

/// The keys of a table behind its sequence, in an order that is the same in each process.
struct TableKeys {
    private(set) var integers: [lua_Integer] = []
    private(set) var numbers: [Double] = []
    private(set) var strings: [UnsafeRawBufferPointer] = []
    private(set) var truths: [Bool] = []
    /// Whether there are some that have no such order.
    private(set) var hasOthers = false

    /// Takes those of the table at an index, in the place of what was there.
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
            // The table keeps it.
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
