import CLua
import CLuaHost
import DLP

// What functions reach: through their upvalues, through the names of globals, and in libraries.

extension ReachWalk {
    /// Adds the function on top; its part exists already.
    mutating func addFunction(_ name: String, part: Int) {
        let function = lua_gettop(state)
        // The code of the module does not count as the script's; values that it holds may be the script's.
        let isOfModule = host.isOfModule(function)
        let place = isOfModule ? "dlp" : host.description(of: function)?.place ?? ""
        self.place(place, ofPart: part)
        var code: FunctionCode?
        if let inC = lua_tocfunction(state, function) {
            add(functionInC: inC, name, part)
        } else {
            code = self.code(of: function)
            guard let code else { return obstruct("is of a kind of bytecode that is not known (\(place))") }
            code.substance.withUnsafeBytes { mix(.code, $0, part) }
        }
        var tables: [Int: String] = [:]
        var number = 0
        while let text = lua_getupvalue(state, function, Int32(number + 1)) {
            let upvalue = text.pointee == 0 ? "an upvalue of \(name)" : String(cString: text)
            if lua_type(state, -1) == LUA_TTABLE {
                tables[number] = lua_topointer(state, -1).flatMap { names.tables[$0] }
            }
            add(
                variable: lua_upvalueid(state, function, Int32(number + 1)), tables[number], named: upvalue,
                place: place, to: part, isOfModule: isOfModule)
            pop(state)
            number += 1
        }
        guard let code, !isOfModule else { return }
        for (upvalue, line) in code.wholes {
            if let library = tables[upvalue] { add(all: library, to: part, at: self.line(line, of: place)) }
        }
        for (field, line) in code.fields {
            guard let library = tables[field.upvalue] else { continue }
            add(field, of: library, to: part, at: self.line(line, of: place))
        }
    }

    /// A line of the file that contains the function which begins at `place`.
    private func line(_ line: Int, of place: String) -> String {
        guard line > 0, let end = place.lastIndex(of: ":"), Int(place[place.index(after: end)...]) != nil else {
            return line > 0 ? "\(place):\(line)" : place
        }
        return "\(place[..<end]):\(line)"
    }

    private func code(of function: Int32) -> FunctionCode? {
        var dump = ByteWriter(capacity: 1024)
        lua_pushvalue(state, function)
        defer { pop(state) }
        let status = withUnsafeMutablePointer(to: &dump) { pointer in
            lua_dump(
                state,
                { _, bytes, count, context in
                    context?.assumingMemoryBound(to: ByteWriter.self).pointee
                        .append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
                    return 0
                }, pointer, 0)
        }
        guard status == 0 else { return nil }
        return dump.finish().withUnsafeBytes { FunctionCode(dump: $0) }
    }

    /// Adds what identifies a C function without a name: its place in its file, and, unless the file is ours or Lua's, the file's
    /// contents.
    private mutating func add(functionInC function: lua_CFunction, _ name: String, _ part: Int) {
        var (file, offset): (UnsafePointer<CChar>?, Int) = (nil, 0)
        guard !dlp_is_own_function(function, &file, &offset) else { return mix(.known, UInt64(offset), part) }
        guard let file, let digest = host.digest(ofFile: SystemString(cString: file)) else {
            mix(.absent, 0, part)
            return obstruct("calls \(name), which is in C, and nobody knows in which file")
        }
        place(String(cString: file), ofPart: part)
        mix(.file, digest.high, part)
        mix(.file, digest.low, part)
        mix(.file, UInt64(offset), part)
    }

    // MARK: Names

    /// Adds a value that a function reads by a constant name.
    private mutating func add(_ field: FunctionCode.Field, of library: String, to part: Int, at place: String) {
        guard library != "_G" else { return add(global: field, to: part, at: place) }
        add(member: field.name, of: library, to: part, at: place, isWritten: field.isOfWriting)
    }

    private mutating func add(global field: FunctionCode.Field, to part: Int, at place: String) {
        pushGlobal(field.name)
        defer { pop(state) }
        let name = String(decoding: field.name, as: UTF8.self)
        let address = lua_topointer(state, -1)
        if let library = address.flatMap({ names.tables[$0] }) {
            mix(.library, "\(name)=\(library)", part)
            noteGlobal(field.name)
            guard let member = field.member else { return add(all: library, to: part, at: place) }
            if library == "_G" {
                return add(global: FunctionCode.Field(upvalue: 0, name: member), to: part, at: place)
            }
            return add(member: member, of: library, to: part, at: place, isWritten: field.isOfWriting)
        }
        if let known = address.flatMap({ names.values[$0] }) {
            mix(.known, "\(name)=\(known)", part)
            noteGlobal(field.name)
            if known == "require", let module = field.argument { return add(module: module, at: place, to: part) }
            if let obstacle = Self.obstacle(of: known) { obstruct(obstacle, at: place, in: part) }
            return
        }
        noteGlobal(field.name)
        add("_G", field.name, named: name, place: place, to: part)
    }

    private func pushGlobal(_ name: [UInt8]) {
        dlp_push_globals(state)
        push(state, SystemString(bytes: name))
        lua_rawget(state, -2)
        lua_rotate(state, -2, 1)
        pop(state)
    }

    /// Adds a field of a library.
    ///
    /// - Parameter isWritten: whether `io.open` opens the file for writing only.
    private mutating func add(
        member: [UInt8], of library: String, to part: Int, at place: String, isWritten: Bool = false
    ) {
        let name = "\(library).\(String(decoding: member, as: UTF8.self))"
        names.pushTable(of: library, state)
        addMetatable(of: library, to: part)
        push(state, SystemString(bytes: member))
        lua_rawget(state, -2)
        defer { pop(state, 2) }
        let known = lua_topointer(state, -1).flatMap { names.values[$0] } ?? name
        if !(isWritten && known == "io.open"), let obstacle = Self.obstacle(of: known) {
            obstruct(obstacle, at: place, in: part)
        }
        if let inner = lua_topointer(state, -1).flatMap({ names.tables[$0] }) {
            return add(library: inner, to: part, place, false)
        }
        guard !names.isUnchanged(name, state) else { return mix(.known, name, part) }
        if library.hasPrefix("dlp"), lua_type(state, -1) != LUA_TNIL { isUnwatched = true }
        add(library, member, named: name, place: place, to: part)
    }

    /// Adds a library that occurs as a value.
    mutating func add(library: String, to part: Int, _ place: String, _ isOfModule: Bool) {
        mix(.library, library, part)
        if !isOfModule { add(all: library, to: part, at: place) }
    }

    /// Adds a library if any of its fields may be read.
    private mutating func add(all library: String, to part: Int, at place: String) {
        switch library {
        case "_G": return obstruct("may read any global (\(place))")
        case "io", "debug", "package": return obstruct("may use all of \(library) (\(place))")
        default:
            if library.hasPrefix("dlp") { isUnwatched = true }
            addReplaced(in: library, to: part)
        }
    }

    /// Adds the fields of a library that the script has replaced or added.
    private mutating func addReplaced(in library: String, to part: Int) {
        names.pushTable(of: library, state)
        addMetatable(of: library, to: part)
        var replaced: [[UInt8]] = []
        let table = lua_gettop(state)
        lua_pushnil(state)
        while lua_next(state, table) != 0 {
            let inner = lua_topointer(state, -1).flatMap { names.tables[$0] }
            if let field = bytes(state, -2),
                inner != nil || !names.isUnchanged("\(library).\(String(decoding: field, as: UTF8.self))", state)
            {
                replaced.append(Array(field))
            }
            pop(state)
        }
        replaced.sort { $0.lexicographicallyPrecedes($1) }
        for field in replaced {
            push(state, SystemString(bytes: field))
            lua_rawget(state, table)
            let name = "\(library).\(String(decoding: field, as: UTF8.self))"
            add(library, field, named: name, place: "", to: part)
            pop(state)
        }
        pop(state)
    }

    /// Adds the metatable that a script has given to the library whose table is on top.
    private mutating func addMetatable(of library: String, to part: Int) {
        libraries.insert(library)
        guard lua_getmetatable(state, -1) != 0 else { return }
        defer { pop(state) }
        push(state, "__index")
        lua_rawget(state, -2)
        // The metatable that loads the module's functions on demand, and refuses misspelt names.
        let isOfModule = library.hasPrefix("dlp") && host.isOwnFunction(at: -1)
        pop(state)
        guard !isOfModule else { return }
        add("metatable of \(library)", named: "the metatable of \(library)", place: "", to: part)
    }

    /// Adds what all values of a type share: the methods of strings and files, and the metatables that a script may have given to
    /// numbers, to other types, and to the globals.
    mutating func addMetatables() {
        for library in ["string", "file", "FILE*"] { addReplaced(in: library, to: Self.root) }
        let kinds: [(String, (LuaState) -> Void)] = [
            ("strings", { push($0, "") }), ("numbers", { lua_pushinteger($0, 0) }),
            ("booleans", { lua_pushboolean($0, 0) }), ("nil", { lua_pushnil($0) }),
            ("functions", { lua_pushcclosure($0, { _ in 0 }, 0) }), ("coroutines", { lua_pushthread($0) }),
            ("the globals", { dlp_push_globals($0) }),
        ]
        for (name, pushValue) in kinds {
            pushValue(state)
            if lua_getmetatable(state, -1) != 0 {
                add("metatable of \(name)", named: "the metatable of \(name)", place: "", to: Self.root)
                pop(state)
            }
            pop(state)
        }
    }

    /// The functions that open the file named by their first argument.
    static let openers: Set<String> = ["io.open", "io.lines", "io.input", "dlp.csv", "dlp.jsonl", "dlp.lines"]

    /// Says in a clause why the effect of a library function cannot be known; nil where its name identifies it completely.
    static func obstacle(of name: String) -> Obstacle? {
        switch name {
        case "load", "loadstring", "loadfile", "dofile": Obstacle(clause: "calls \(name)")
        case "require": Obstacle(clause: "calls require with a name that is made when it runs")
        case "io.read", "io.stdin":
            Obstacle(clause: "reads a file by \(name), which no dlp.depends names", isFile: true)
        case _ where openers.contains(name):
            Obstacle(clause: "reads a file by \(name), which no dlp.depends names", isFile: true, isSeen: true)
        // Its result depends on lines and names, which otherwise do not count.
        case "string.dump": Obstacle(clause: "uses \(name)")
        case "debug.traceback", "package.config": nil
        case _ where name.hasPrefix("debug.") || name.hasPrefix("package."): Obstacle(clause: "uses \(name)")
        default: nil
        }
    }
}

extension FunctionCode.Field {
    /// Whether a file opened in this mode is only written.
    fileprivate var isOfWriting: Bool {
        guard let first = second?.first else { return false }
        return [UInt8(ascii: "w"), UInt8(ascii: "a")].contains(first) && !(second ?? []).contains(UInt8(ascii: "+"))
    }
}
