import CLua
import CLuaHost
import DLP
import Glibc

/// Goes through all that a function can reach, one function or table after another, each once.
///
/// Two digests are made at the same time. That of the whole has each value where it is met, and for a table, function or
/// variable that was met before its number; so it is another one whenever anything has changed, or two that were the same are
/// two. That of a part has its own values only, so that it tells which of them has changed.
struct ReachWalk {
    /// A function or table that is still to be looked at.
    private struct Item {
        var part: Int
        var name: String
    }

    /// What is mixed in before a value, by its kind.
    enum Kind: UInt64 {
        case none, no, yes, integer, float, string, library, known, table, function, userdata, variable
        case metatable, end, code, file, absent
    }

    /// What nobody can know beforehand.
    struct Obstacle: Hashable {
        /// A clause about the function.
        var clause: String
        /// Whether it is a file that is read: none where the script says itself what its results depend on.
        var isFile = false
    }

    let host: LuaHost
    let names: LibraryNames
    var state: LuaState { host.state }

    private var whole = DigestMixer(seed: 0x646C_7072)
    private var parts: [(part: Reach.Part, mixer: DigestMixer, count: Int)] = []
    private var count = 0
    private var obstacles: [Obstacle] = []

    /// The numbers of functions and tables by their addresses, and those of variables.
    private var numbers: [UnsafeRawPointer: Int] = [:]
    private var variables: [UnsafeRawPointer: Int] = [:]
    /// What has been read by its name.
    var globals: Set<[UInt8]> = []
    var members: Set<[UInt8]> = []
    private var items: [Item] = []
    /// The first of them that has not been looked at.
    private var next = 0
    /// The index of the table that holds what the items are about: all of it, for addresses must stay what they are.
    private let anchors: Int32
    private var hasCollected = false
    /// The keys of the present table.
    private var keys = TableKeys()

    init(_ host: LuaHost, _ names: LibraryNames) {
        (self.host, self.names) = (host, names)
        lua_createtable(host.state, 0, 0)
        anchors = lua_gettop(host.state)
    }

    /// Looks at the function at `index`, and at all that it reaches.
    mutating func begin(with name: String, at index: Int32) {
        lua_pushvalue(state, index)
        add(ofItsOwn: name, place: "")
        pop(state)
        walk()
    }

    /// What was found, with what the script has named itself and what holds for all values.
    mutating func finish() -> Reach {
        addMetatables()
        let dependencies = addDependencies()
        walk()
        if dependencies > 0 { obstacles.removeAll { $0.isFile } }
        let found = parts.filter { $0.count > 0 }.map { entry in
            var part = entry.part
            part.digest = entry.mixer.finish(count: entry.count)
            return part
        }
        return Reach(
            modules: host.digestOfModules(), digest: whole.finish(count: count),
            parts: Array(found.prefix(Self.mostParts)), obstacles: obstacles.map(\.clause))
    }

    /// Of so many parts it is told whether they have changed; of the others only that something has.
    private static let mostParts = 2000
    /// So many obstacles are told.
    private static let mostObstacles = 8

    /// Adds what the script has named itself.
    ///
    /// - Returns: how many values that were.
    private mutating func addDependencies() -> Int {
        host.pushDependencies(state)
        defer { pop(state) }
        lua_rawgeti(state, -1, 0)
        let count = Int(lua_tointegerx(state, -1, nil))
        pop(state)
        for number in 0..<count {
            lua_rawgeti(state, -1, lua_Integer(number + 1))
            let part = addPart("value \(number + 1) of dlp.depends", "", isValue: false)
            add(valueNamed: "dlp.depends", to: part)
            pop(state)
        }
        return count
    }

    private mutating func walk() {
        while next < items.count {
            let item = items[next]
            lua_rawgeti(state, anchors, lua_Integer(next + 1))
            switch lua_type(state, -1) {
            case LUA_TTABLE: addEntries(of: item.name, to: item.part)
            default: addFunction(item.name, part: item.part)
            }
            pop(state)
            next += 1
        }
    }

    // MARK: Digests

    mutating func addPart(_ name: String, _ place: String, isValue: Bool) -> Int {
        let part = Reach.Part(name: name, place: place, digest: Digest(high: 0, low: 0), isValue: isValue)
        parts.append((part, DigestMixer(seed: 0x646C_7070), 0))
        return parts.count - 1
    }

    mutating func place(_ place: String, ofPart part: Int) { parts[part].part.place = place }

    @inline(__always)
    mutating func mix(_ kind: Kind, _ value: UInt64 = 0, _ part: Int) {
        mixWhole(kind, value)
        parts[part].mixer.add(kind.rawValue, value)
        parts[part].count += 1
    }

    @inline(__always)
    mutating func mixWhole(_ kind: Kind, _ value: UInt64) {
        whole.add(kind.rawValue, value)
        count += 1
    }

    private mutating func mixPart(_ kind: Kind, _ part: Int) {
        parts[part].mixer.add(kind.rawValue, 0)
        parts[part].count += 1
    }

    @inline(__always)
    mutating func mix(_ kind: Kind, _ bytes: UnsafeRawBufferPointer, _ part: Int) {
        mix(kind, UInt64(bytes.count), part)
        whole.add(bytes)
        parts[part].mixer.add(bytes)
    }

    mutating func mix(_ kind: Kind, _ text: String, _ part: Int) {
        var text = text
        text.withUTF8 { mix(kind, UnsafeRawBufferPointer($0), part) }
    }

    mutating func obstruct(_ clause: String, isFile: Bool = false) {
        let obstacle = Obstacle(clause: clause, isFile: isFile)
        guard obstacles.count < Self.mostObstacles, !obstacles.contains(obstacle) else { return }
        obstacles.append(obstacle)
    }

    mutating func obstruct(_ obstacle: Obstacle, at place: String) {
        obstruct("\(obstacle.clause) (\(place))", isFile: obstacle.isFile)
    }

    // MARK: Values

    /// Adds the value on top as a part of its own.
    mutating func add(ofItsOwn name: String, place: String, isOfModule: Bool = false) {
        guard let address = functionWithoutName() else {
            return add(valueNamed: name, to: addPart(name, place, isValue: true), isOfModule: isOfModule)
        }
        refer(toFunction: address, name)
    }

    /// The address of the value on top, where that is a function which is a part by itself.
    private func functionWithoutName() -> UnsafeRawPointer? {
        guard lua_type(state, -1) == LUA_TFUNCTION, let address = lua_topointer(state, -1), names.values[address] == nil
        else { return nil }
        return address
    }

    /// Adds the value on top to a part.
    @inline(__always)
    mutating func add(valueNamed name: @autoclosure () -> String, to part: Int, isOfModule: Bool = false) {
        switch lua_type(state, -1) {
        case LUA_TNIL: mix(.none, 0, part)
        case LUA_TBOOLEAN: mix(lua_toboolean(state, -1) != 0 ? .yes : .no, 0, part)
        case LUA_TNUMBER:
            if lua_isinteger(state, -1) != 0 {
                mix(.integer, UInt64(bitPattern: lua_tointegerx(state, -1, nil)), part)
            } else {
                mix(.float, lua_tonumberx(state, -1, nil).bitPattern, part)
            }
        case LUA_TSTRING: mix(.string, bytes(state, -1) ?? UnsafeRawBufferPointer(start: nil, count: 0), part)
        default: add(objectNamed: name(), to: part, isOfModule)
        }
    }

    private mutating func add(objectNamed name: String, to part: Int, _ isOfModule: Bool) {
        let place = parts[part].part.place
        guard let address = lua_topointer(state, -1) else { return mix(.absent, 0, part) }
        if let library = names.tables[address] { return add(library: library, to: part, place, isOfModule) }
        if let known = names.values[address] {
            mix(.known, known, part)
            if !isOfModule, let obstacle = Self.obstacle(of: known) { obstruct(obstacle, at: place) }
            return
        }
        switch lua_type(state, -1) {
        case LUA_TTABLE where address == host.coreAddress: mix(.library, "dlp", part)
        case LUA_TTABLE:
            mixPart(.table, part)
            refer(to: address, .table, Item(part: part, name: name))
        case LUA_TFUNCTION:
            mixPart(.function, part)
            refer(toFunction: address, name)
        case LUA_TUSERDATA: add(userdataNamed: name, to: part, place)
        default:
            let kind = lua_type(state, -1) == LUA_TTHREAD ? "a coroutine" : "an address"
            mix(.absent, 0, part)
            obstruct("reaches \(kind) in \(name) (\(place))")
        }
    }

    private mutating func refer(toFunction address: UnsafeRawPointer, _ name: String) {
        // One that was met before has its part.
        let part = numbers[address] == nil ? addPart(name, "", isValue: false) : 0
        refer(to: address, .function, Item(part: part, name: name))
    }

    /// Notes that there is a table or function, which is the value on top.
    private mutating func refer(to address: UnsafeRawPointer, _ kind: Kind, _ item: Item) {
        if let number = numbers[address] { return mixWhole(kind, UInt64(number)) }
        mixWhole(kind, UInt64(numbers.count))
        numbers[address] = numbers.count
        items.append(item)
        lua_pushvalue(state, -1)
        lua_rawseti(state, anchors, lua_Integer(items.count))
    }

    /// Whether the variable at this address is met for the first time; otherwise only its number counts.
    mutating func isNew(variable: UnsafeRawPointer?, part: Int) -> Bool {
        guard let variable else { return false }
        mixPart(.variable, part)
        if let number = variables[variable] {
            mixWhole(.variable, UInt64(number))
            return false
        }
        mixWhole(.variable, UInt64(variables.count))
        variables[variable] = variables.count
        return true
    }

    private mutating func add(userdataNamed name: String, to part: Int, _ place: String) {
        let kind = luaL_getmetafield(state, -1, "__name") == LUA_TSTRING ? string(state, -1) ?? "" : nil
        if kind != nil { pop(state) }
        mix(.userdata, kind ?? "", part)
        // What it is made of stands in the definition that goes with it.
        if kind == "dlp.coprocess", lua_getiuservalue(state, -1, 1) == LUA_TTABLE {
            push(state, "given")
            lua_rawget(state, -2)
            add(valueNamed: name, to: part)
            return pop(state, 2)
        }
        let what = kind == "FILE*" ? "an open file" : kind.map { "\($0), which is userdata," } ?? "userdata"
        obstruct("reaches \(what) in \(name) (\(place))", isFile: kind == "FILE*")
    }

    // MARK: Tables

    /// Adds what is in the table on top.
    private mutating func addEntries(of name: String, to part: Int) {
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
            obstruct("reaches \(name), whose keys are tables or functions (\(parts[part].part.place))")
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
private struct TableKeys {
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
