import CLua
import CLuaHost
import DLP
import Glibc

/// Goes through all that a function can reach, one function or table after another, each once.
///
/// It makes two kinds of digest at the same time. The digest of the whole contains each value where it is met; a table,
/// function or variable that was met before is represented by its number. It therefore changes whenever a value changes, and
/// when two references to the same object become two objects. The digest of a part contains only the part's own values, so
/// that it tells which part has changed.
struct ReachWalk {
    /// A function or table that is still to be looked at.
    struct Item {
        var part: Int
        var name: String
        /// The number of the table in its part, from 1; 0: a function, which is the part itself.
        var table = 0
    }

    /// The contents of a part so far.
    private struct Draft {
        var part: Reach.Part
        /// When the part matters, and what it refers to directly.
        var extent = ReachGraph.Extent.always
        var references: [ReachGraph.Reference] = []
        var mixer = DigestMixer(seed: 0x646C_7070)
        var count = 0
        var tables = 0
    }

    /// The number that is mixed in before a value, by its kind.
    enum Kind: UInt64 {
        case none, no, yes, integer, float, string, library, known, table, function, userdata, variable
        case metatable, end, code, file, absent
    }

    /// Something that cannot be known beforehand.
    struct Obstacle: Hashable {
        /// A clause about the function.
        var clause: String
        /// Whether it is the reading of a file; this does not count where the script itself says what its results depend on.
        var isFile = false
        /// Whether it can be seen, while the function runs, which file that is.
        var isSeen = false
        /// The part in which it was met.
        var part = ReachWalk.root
    }

    /// Numbers in place of a part: where the host itself begins; and the same where everything reached from there matters.
    static let root = -1
    static let wholeRoot = -2

    let host: LuaHost
    let names: LibraryNames
    var state: LuaState { host.state }

    private var whole = DigestMixer(seed: 0x646C_7072)
    private var parts: [Draft] = []
    private var roots: [ReachGraph.Root] = []
    private var count = 0
    private var obstacles: [Obstacle] = []
    /// Whether there is something whose effect can never be known.
    var hasObstacles: Bool { obstacles.contains { !$0.isSeen } }

    /// The numbers of functions and tables by their addresses.
    private(set) var numbers: [UnsafeRawPointer: Int] = [:]
    /// The number and the part of each variable, by its address.
    private var variables: [UnsafeRawPointer: (number: Int, part: Int)] = [:]
    /// The parts of values that were read by their names.
    private var named: [[UInt8]: Int] = [:]
    /// The globals that were read, and the libraries from which something was read.
    private(set) var globals: Set<[UInt8]> = []
    var libraries: Set<String> = []
    /// Whether there is a place where examples may leave something without being watched, as in modules that are loaded when a
    /// function asks for them.
    var isUnwatched = false
    private(set) var items: [Item] = []
    /// The first item that has not been looked at.
    private var next = 0
    /// The stack index of the table that holds the values of all items.
    ///
    /// It keeps them alive, so that their addresses stay valid.
    let anchors: Int32
    var hasCollected = false
    /// The keys of the table that is being read.
    var keys = TableKeys()

    init(_ host: LuaHost, _ names: LibraryNames) {
        (self.host, self.names) = (host, names)
        lua_createtable(host.state, 0, 0)
        anchors = lua_gettop(host.state)
    }

    /// Looks at the function at `index`, and at everything that it reaches.
    mutating func begin(with name: String, at index: Int32, isWhole: Bool) {
        lua_pushvalue(state, index)
        add(ofItsOwn: name, place: "", to: isWhole ? Self.wholeRoot : Self.root)
        pop(state)
        walk()
    }

    /// Returns what was found, together with the script's `dlp.depends` and the metatables of all types.
    mutating func finish() -> Reach {
        addMetatables()
        let dependencies = addDependencies()
        walk()
        if dependencies > 0 { obstacles.removeAll { $0.isFile } }
        let whole = wholeParts()
        for place in obstacles.indices where whole.contains(obstacles[place].part) { obstacles[place].isSeen = false }
        let found = parts.map { draft in
            var part = draft.part
            part.digest = draft.mixer.finish(count: draft.count)
            return part
        }
        return Reach(
            modules: host.digestOfModules(), digest: self.whole.finish(count: count),
            parts: Array(found.prefix(Self.mostParts)), graph: found.count > Self.mostParts ? nil : graph(of: found),
            obstacles: obstacles.filter { !$0.isSeen }.map(\.clause),
            inputs: obstacles.filter(\.isSeen).map(\.clause))
    }

    /// The parts that matter with everything behind them, because it is not observed which functions are entered there.
    private func wholeParts() -> Set<Int> {
        var found: Set<Int> = []
        var waiting = roots.filter(\.isWhole).map(\.part)
        waiting += parts.indices.filter { parts[$0].extent == .whole }
        while let part = waiting.popLast() {
            guard found.insert(part).inserted else { continue }
            waiting += parts[part].references.map(\.part)
        }
        return found
    }

    private func graph(of found: [Reach.Part]) -> ReachGraph {
        var mixer = DigestMixer(seed: 0x646C_706C)
        var count = 0
        func add(_ high: UInt64, _ low: UInt64) {
            mixer.add(high, low)
            count += 1
        }
        for root in roots { add(UInt64(root.part), root.isWhole ? 1 : 0) }
        for (draft, part) in zip(parts, found) {
            add(UInt64(draft.extent.rawValue), UInt64(draft.references.count))
            if draft.extent != .always { add(part.digest.high, part.digest.low) }
            for reference in draft.references { add(UInt64(reference.part), UInt64(reference.table)) }
        }
        return ReachGraph(
            extents: parts.map(\.extent), references: parts.map(\.references), roots: roots,
            layout: mixer.finish(count: count))
    }

    /// The most parts for which it is recorded individually whether they have changed; beyond it, only that something has.
    private static let mostParts = 4000
    /// The most obstacles of a kind that are recorded.
    private static let mostObstacles = 8

    /// Adds the values that the script has named in `dlp.depends`.
    ///
    /// - Returns: how many values there were.
    private mutating func addDependencies() -> Int {
        host.pushDependencies(state)
        defer { pop(state) }
        lua_rawgeti(state, -1, 0)
        let count = Int(lua_tointegerx(state, -1, nil))
        pop(state)
        for number in 0..<count {
            lua_rawgeti(state, -1, lua_Integer(number + 1))
            let part = addPart("value \(number + 1) of dlp.depends", "", isValue: false)
            refer(to: part, from: Self.root)
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
        parts.append(Draft(part: part))
        return parts.count - 1
    }

    /// Notes that `origin` reaches a part, or a table in it.
    mutating func refer(to part: Int, table: Int = 0, from origin: Int) {
        guard origin >= 0 else { return roots.append(.init(part: part, isWhole: origin == Self.wholeRoot)) }
        parts[origin].references.append(.init(part: part, table: table))
    }

    mutating func place(_ place: String, ofPart part: Int) { parts[part].part.place = place }
    func place(ofPart part: Int) -> String { parts[part].part.place }

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

    private mutating func mixPart(_ kind: Kind, _ part: Int, _ value: UInt64 = 0) {
        parts[part].mixer.add(kind.rawValue, value)
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
        obstruct(Obstacle(clause: clause, isFile: isFile))
    }

    private mutating func obstruct(_ obstacle: Obstacle) {
        // Counted by kind, because obstacles of some kinds may later turn out to be none.
        let alike = obstacles.count { $0.isFile == obstacle.isFile && $0.isSeen == obstacle.isSeen }
        guard alike < Self.mostObstacles, !obstacles.contains(obstacle) else { return }
        obstacles.append(obstacle)
    }

    mutating func obstruct(_ obstacle: Obstacle, at place: String, in part: Int) {
        var obstacle = obstacle
        obstacle.clause += " (\(place))"
        obstacle.part = part
        obstruct(obstacle)
    }

    // MARK: Values

    /// Adds the value on top as a separate part, which `origin` reaches.
    ///
    /// - Returns: the part.
    @discardableResult
    mutating func add(ofItsOwn name: String, place: String, to origin: Int, isOfModule: Bool = false) -> Int {
        if origin < 0, let address = functionWithoutName() { return refer(toFunction: address, name, from: origin) }
        let part = addPart(name, place, isValue: true)
        refer(to: part, from: origin)
        add(valueNamed: name, to: part, isOfModule: isOfModule)
        return part
    }

    /// Adds the value on top as a separate part that is identified by its name, as long as no other value is put in its
    /// place.
    ///
    /// Later references to the same name lead to the same part.
    mutating func add(_ key: String, _ member: [UInt8] = [], named name: String, place: String, to origin: Int) {
        let key = Array(key.utf8) + [0] + member
        if let part = named[key] { return refer(to: part, from: origin) }
        // The part is recorded first, because the value may refer to itself.
        let part = addPart(name, place, isValue: true)
        named[key] = part
        refer(to: part, from: origin)
        key.withUnsafeBytes { mix(.string, $0, part) }
        add(valueNamed: name, to: part)
    }

    /// Notes that a global has been read.
    mutating func noteGlobal(_ name: [UInt8]) { globals.insert(name) }

    /// Marks the function on top as one that matters with everything behind it, because it is not observed when it is entered.
    mutating func enterWholly() {
        guard let address = functionWithoutName(), let number = numbers[address] else { return }
        parts[items[number].part].extent = .whole
    }

    /// The address of the value on top, if it is a function that is a part by itself.
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
            if !isOfModule, let obstacle = Self.obstacle(of: known) {
                obstruct(obstacle, at: place, in: part)
            }
            return
        }
        switch lua_type(state, -1) {
        case LUA_TTABLE where address == host.coreAddress: mix(.library, "dlp", part)
        case LUA_TTABLE:
            mixPart(.table, part)
            addTable(at: address, name, part)
        case LUA_TFUNCTION:
            mixPart(.function, part)
            refer(toFunction: address, name, from: part)
        case LUA_TUSERDATA: add(userdataNamed: name, to: part, place)
        default:
            let kind = lua_type(state, -1) == LUA_TTHREAD ? "a coroutine" : "an address"
            mix(.absent, 0, part)
            obstruct("reaches \(kind) in \(name) (\(place))")
        }
    }

    /// Notes that `origin` reaches the function on top, which is a part by itself.
    ///
    /// - Returns: that part.
    @discardableResult
    private mutating func refer(toFunction address: UnsafeRawPointer, _ name: String, from origin: Int) -> Int {
        let part: Int
        if let number = numbers[address] {
            mixWhole(.function, UInt64(number))
            part = items[number].part
        } else {
            part = addPart(name, "", isValue: false)
            parts[part].extent = .entered
            add(.function, at: address, Item(part: part, name: name))
        }
        refer(to: part, from: origin)
        return part
    }

    /// Adds the table on top to a part.
    ///
    /// A new table is the next one of the part's tables.
    private mutating func addTable(at address: UnsafeRawPointer, _ name: String, _ part: Int) {
        if let number = numbers[address] {
            mixWhole(.table, UInt64(number))
            // Mixes in how many new tables the part had so far, so that the position of a known table in the part counts.
            mixPart(.known, part, UInt64(parts[part].tables))
            return refer(to: items[number].part, table: items[number].table, from: part)
        }
        parts[part].tables += 1
        add(.table, at: address, Item(part: part, name: name, table: parts[part].tables))
    }

    /// Records a new table or function, which is the value on top.
    private mutating func add(_ kind: Kind, at address: UnsafeRawPointer, _ item: Item) {
        mixWhole(kind, UInt64(numbers.count))
        numbers[address] = numbers.count
        items.append(item)
        lua_pushvalue(state, -1)
        lua_rawseti(state, anchors, lua_Integer(items.count))
    }

    /// Adds the variable at this address; its value is on top.
    ///
    /// - Parameter library: the library that its value is, if it is one.
    mutating func add(
        variable: UnsafeRawPointer?, _ library: String?, named name: String, place: String, to part: Int,
        isOfModule: Bool
    ) {
        guard let variable else { return }
        mixPart(.variable, part)
        if let known = variables[variable] {
            mixWhole(.variable, UInt64(known.number))
            return refer(to: known.part, from: part)
        }
        mixWhole(.variable, UInt64(variables.count))
        // The variable is recorded first, because its value may refer to it.
        let own = addPart(name, place, isValue: true)
        variables[variable] = (variables.count, own)
        refer(to: own, from: part)
        if let library { return mix(.library, library, own) }
        add(valueNamed: name, to: own, isOfModule: isOfModule)
    }

    private mutating func add(userdataNamed name: String, to part: Int, _ place: String) {
        let kind = luaL_getmetafield(state, -1, "__name") == LUA_TSTRING ? string(state, -1) ?? "" : nil
        if kind != nil { pop(state) }
        mix(.userdata, kind ?? "", part)
        // A coprocess is identified by the definition that the script has given for it.
        if kind == "dlp.coprocess", lua_getiuservalue(state, -1, 1) == LUA_TTABLE {
            push(state, "given")
            lua_rawget(state, -2)
            add(valueNamed: name, to: part)
            return pop(state, 2)
        }
        let what = kind == "FILE*" ? "an open file" : kind.map { "\($0), which is userdata," } ?? "userdata"
        obstruct("reaches \(what) in \(name) (\(place))", isFile: kind == "FILE*")
    }
}
