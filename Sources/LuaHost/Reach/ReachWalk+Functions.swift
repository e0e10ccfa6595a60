import CLua
import CLuaHost
import DLP
import Glibc

// What functions reach: by their upvalues, by the names of globals, in libraries and in modules.

extension ReachWalk {
    /// Adds the function on top, whose part has been made.
    mutating func addFunction(_ name: String, part: Int) {
        let function = lua_gettop(state)
        // What the module does is none of the script's; what it holds may be.
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
            let name = String(cString: text)
            if isNew(variable: lua_upvalueid(state, function, Int32(number + 1)), part: part) {
                if lua_type(state, -1) == LUA_TTABLE,
                    let library = lua_topointer(state, -1).flatMap({ names.tables[$0] })
                {
                    tables[number] = library
                    mix(.library, library, part)
                } else {
                    add(ofItsOwn: name.isEmpty ? "an upvalue" : name, place: place, isOfModule: isOfModule)
                }
            } else if lua_type(state, -1) == LUA_TTABLE {
                tables[number] = lua_topointer(state, -1).flatMap { names.tables[$0] }
            }
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

    /// A line of the file in which a function stands that begins at `place`.
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

    /// Adds what a function in C is known by: nothing where it is ours or Lua's, for then it has a name or stands in something
    /// that has one; otherwise its file and its place in there.
    private mutating func add(functionInC function: lua_CFunction, _ name: String, _ part: Int) {
        var (file, offset): (UnsafePointer<CChar>?, Int) = (nil, 0)
        guard !dlp_is_own_function(function, &file, &offset) else { return mix(.known, "", part) }
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

    /// Adds what a function reads by a constant name.
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
            mix(.library, library, part)
            guard let member = field.member else { return add(all: library, to: part, at: place) }
            if library == "_G" {
                return add(global: FunctionCode.Field(upvalue: 0, name: member), to: part, at: place)
            }
            return add(member: member, of: library, to: part, at: place, isWritten: field.isOfWriting)
        }
        if let known = address.flatMap({ names.values[$0] }) {
            if globals.insert(field.name).inserted { mix(.known, known, part) }
            if known == "require", let module = field.argument { return add(module: module, to: part, at: place) }
            if let reason = Self.obstacle(of: known) { obstruct("\(reason) (\(place))") }
            return
        }
        guard globals.insert(field.name).inserted else { return }
        add(ofItsOwn: name, place: place)
        guard lua_type(state, -1) == LUA_TNIL else { return }
        // What is not there may be made when it is asked for.
        dlp_push_globals(state)
        if lua_getmetatable(state, -1) != 0 {
            add(ofItsOwn: "the metatable of the globals", place: place)
            pop(state)
        }
        pop(state)
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
    /// - Parameter isWritten: whether `io.open` is told that the file is to be written only.
    private mutating func add(
        member: [UInt8], of library: String, to part: Int, at place: String, isWritten: Bool = false
    ) {
        let name = "\(library).\(String(decoding: member, as: UTF8.self))"
        pushLibrary(library)
        push(state, SystemString(bytes: member))
        lua_rawget(state, -2)
        defer { pop(state, 2) }
        let address = lua_topointer(state, -1)
        let known = address.flatMap { names.values[$0] }
        if !(isWritten && known == "io.open"), let reason = Self.obstacle(of: known ?? name) {
            obstruct("\(reason) (\(place))")
        }
        guard members.insert(name).inserted else { return }
        // The constants of the module say who the rank is, and not what it does; its functions come when one is asked for.
        let isOwn = library.hasPrefix("dlp") && !(lua_type(state, -1) == LUA_TFUNCTION && !host.isOwnFunction(at: -1))
        guard !names.isUnchanged(name, address), !isOwn else { return mix(.known, name, part) }
        add(ofItsOwn: name, place: place)
    }

    private func pushLibrary(_ library: String) {
        push(state, "_LOADED")
        lua_rawget(state, LuaHost.registry)
        for name in library.split(separator: ".") {
            if lua_type(state, -1) == LUA_TTABLE {
                push(state, String(name))
                lua_rawget(state, -2)
            } else {
                lua_pushnil(state)
            }
            lua_rotate(state, -2, 1)
            pop(state)
        }
        if lua_type(state, -1) != LUA_TTABLE {
            pop(state)
            lua_createtable(state, 0, 0)
        }
    }

    /// Adds a library that stands somewhere as a value.
    mutating func add(library: String, to part: Int, _ place: String, _ isOfModule: Bool) {
        mix(.library, library, part)
        if !isOfModule { add(all: library, to: part, at: place) }
    }

    /// Adds a library of which any field may be read.
    private mutating func add(all library: String, to part: Int, at place: String) {
        switch library {
        case "_G": return obstruct("may read any global (\(place))")
        case "io", "debug", "package": return obstruct("may use all of \(library) (\(place))")
        default: addReplaced(in: library)
        }
    }

    /// Adds the fields of a library that the script has replaced, or added.
    private mutating func addReplaced(in library: String) {
        guard !library.hasPrefix("dlp"), members.insert(library).inserted else { return }
        pushLibrary(library)
        var replaced: [String] = []
        let table = lua_gettop(state)
        lua_pushnil(state)
        while lua_next(state, table) != 0 {
            if let field = LuaHost.text(state, -2), lua_type(state, -1) == LUA_TFUNCTION,
                !names.isUnchanged("\(library).\(field)", lua_topointer(state, -1))
            {
                replaced.append(field)
            }
            pop(state)
        }
        for field in replaced.sorted() where members.insert("\(library).\(field)").inserted {
            push(state, field)
            lua_rawget(state, table)
            add(ofItsOwn: "\(library).\(field)", place: "")
            pop(state)
        }
        pop(state)
    }

    /// Adds what every value of a kind has: methods of strings, and what a script may have given to numbers and others.
    mutating func addMetatables() {
        addReplaced(in: "string")
        let kinds: [(String, (LuaState) -> Void)] = [
            ("strings", { push($0, "") }), ("numbers", { lua_pushinteger($0, 0) }),
            ("booleans", { lua_pushboolean($0, 0) }),
            ("nil", { lua_pushnil($0) }), ("functions", { lua_pushcclosure($0, { _ in 0 }, 0) }),
        ]
        for (name, pushValue) in kinds {
            pushValue(state)
            if lua_getmetatable(state, -1) != 0 {
                add(ofItsOwn: "the metatable of \(name)", place: "")
                pop(state)
            }
            pop(state)
        }
    }

    /// Why nobody can know what comes of a function of a library, as a clause; nil where its name says all.
    static func obstacle(of name: String) -> String? {
        switch name {
        case "load", "loadstring", "loadfile", "dofile": "calls \(name)"
        case "require": "calls require with a name that is made when it runs"
        case "io.open", "io.lines", "io.input", "io.read", "io.stdin", "dlp.csv", "dlp.jsonl", "dlp.lines":
            "\(filePrefix) by \(name), which no dlp.depends names"
        case "debug.traceback", "debug.getinfo", "package.config", "package.path", "package.cpath": nil
        case _ where name.hasPrefix("debug.") || name.hasPrefix("package."): "uses \(name)"
        default: nil
        }
    }

    // MARK: Modules

    /// Adds what `require` gives, or would give.
    private mutating func add(module: [UInt8], to part: Int, at place: String) {
        let name = String(decoding: module, as: UTF8.self)
        guard members.insert("require \(name)").inserted else { return }
        push(state, "_LOADED")
        lua_rawget(state, LuaHost.registry)
        push(state, SystemString(bytes: module))
        lua_rawget(state, -2)
        defer { pop(state, 2) }
        guard lua_type(state, -1) == LUA_TNIL else { return add(ofItsOwn: name, place: place) }
        switch host.findModule(SystemString(bytes: module)) {
        case .function?:
            add(ofItsOwn: "the module \(name)", place: place)
            pop(state)
        case .file(let path)?:
            let part = addPart("the module \(name)", path.description)
            guard let digest = host.digest(ofFile: path) else { return obstruct("requires \(name) (\(place))") }
            mix(.file, digest.high, part)
            mix(.file, digest.low, part)
        case nil: obstruct("requires \(name), which is not found (\(place))")
        }
    }
}

extension FunctionCode.Field {
    /// Whether a file that is opened so is not read.
    fileprivate var isOfWriting: Bool {
        guard let first = second?.first else { return false }
        return [UInt8(ascii: "w"), UInt8(ascii: "a")].contains(first) && !(second ?? []).contains(UInt8(ascii: "+"))
    }
}

extension LuaHost {
    /// Where a module comes from that has not been loaded.
    enum ModuleOrigin {
        /// The function is on top of the stack.
        case function
        /// A file in C.
        case file(SystemString)
    }

    /// Finds a module as `require` would. [-0, +(0|1)]
    func findModule(_ name: SystemString) -> ModuleOrigin? {
        push(state, "_PRELOAD")
        if lua_rawget(state, Self.registry) == LUA_TTABLE {
            push(state, name)
            if lua_rawget(state, -2) == LUA_TFUNCTION {
                lua_rotate(state, -2, 1)
                pop(state)
                return .function
            }
            pop(state)
        }
        pop(state)
        if let path = searchPath(name, "path") {
            guard let text = Self.contents(of: path) else { return nil }
            let chunk = SystemString(bytes: Array("@".utf8) + path.bytes)
            let status = text.withUnsafeBytes { text in
                text.withMemoryRebound(to: CChar.self) {
                    dlp_load(state, $0.baseAddress, $0.count, chunk.cString, "bt")
                }
            }
            if status == LUA_OK { return .function }
            pop(state)
            return nil
        }
        return searchPath(name, "cpath").map { .file($0) }
    }

    /// What `package.searchpath` says of a module.
    private func searchPath(_ name: SystemString, _ path: String) -> SystemString? {
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        push(state, "_LOADED")
        lua_rawget(state, Self.registry)
        push(state, "package")
        guard lua_rawget(state, -2) == LUA_TTABLE else { return nil }
        push(state, "searchpath")
        guard lua_rawget(state, -2) == LUA_TFUNCTION else { return nil }
        push(state, name)
        push(state, path)
        lua_rawget(state, -4)
        guard dlp_call(state, 2, 1) == LUA_OK else { return nil }
        return bytes(state, -1).map { SystemString(bytes: Array($0)) }
    }

    /// The digest of what a file has in it; nil where it cannot be read.
    func digest(ofFile path: SystemString) -> Digest? {
        var mixer = DigestMixer(seed: 0x646C_7066)
        var count = 0
        let isRead = Self.read(path) { piece in
            mixer.add(piece)
            count += piece.count
        }
        return isRead ? mixer.finish(count: count) : nil
    }

    private static func contents(of path: SystemString) -> Bytes? {
        var writer = ByteWriter()
        return read(path) { writer.append(contentsOf: $0) } ? writer.finish() : nil
    }

    /// Calls `body` with what a file has in it, in pieces that are as long but for the last; false where it cannot be read.
    private static func read(_ path: SystemString, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        guard let file = fopen(path.cString, "re") else { return false }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count > 0 { buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
            if count < buffer.count { return ferror(file) == 0 }
        }
    }
}
