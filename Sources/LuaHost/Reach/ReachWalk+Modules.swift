import CLua
import CLuaHost
import DLP
import Glibc

// Modules that functions load by `require`, and the contents of files.

extension ReachWalk {
    /// Checks whether the script has added a module searcher of its own, which may return anything.
    private mutating func checkSearchers(_ place: String) {
        names.pushTable(of: "package", state)
        push(state, "searchers")
        if lua_rawget(state, -2) == LUA_TTABLE {
            for number in 0..<Int(lua_rawlen(state, -1)) {
                lua_rawgeti(state, -1, lua_Integer(number + 1))
                if lua_type(state, -1) == LUA_TFUNCTION, !host.isOwnFunction(at: -1) {
                    obstruct("requires a module by a function in package.searchers (\(place))")
                }
                pop(state)
            }
        }
        pop(state, 2)
    }

    /// Adds the value that `require` returns, or would return.
    mutating func add(module: [UInt8], at place: String, to part: Int) {
        let name = String(decoding: module, as: UTF8.self)
        push(state, "_LOADED")
        lua_rawget(state, LuaHost.registry)
        push(state, SystemString(bytes: module))
        lua_rawget(state, -2)
        defer { pop(state, 2) }
        guard lua_type(state, -1) == LUA_TNIL else {
            return add("require", module, named: name, place: place, to: part)
        }
        checkSearchers(place)
        isUnwatched = true
        switch host.findModule(SystemString(bytes: module)) {
        case .function?:
            add("require", module, named: "the module \(name)", place: place, to: part)
            enterWholly()
            pop(state)
        case .file(let path)?:
            let own = addPart("the module \(name)", path.description, isValue: false)
            refer(to: own, from: part)
            guard let digest = host.digest(ofFile: path) else { return obstruct("requires \(name) (\(place))") }
            mix(.file, digest.high, own)
            mix(.file, digest.low, own)
        case nil: obstruct("requires \(name), which is not found (\(place))")
        }
    }
}

extension LuaHost {
    /// Where a module that has not been loaded would come from.
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

    /// The digest of the files of all loaded modules, in the order of the modules' names.
    func digestOfModules() -> Digest {
        var names: [SystemString] = []
        push(state, "_LOADED")
        lua_rawget(state, Self.registry)
        lua_pushnil(state)
        while lua_next(state, -2) != 0 {
            pop(state)
            if let name = bytes(state, -1) { names.append(SystemString(bytes: Array(name))) }
        }
        pop(state)
        names.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        var builder = DigestBuilder()
        for name in names where !LibraryNames.isLibrary(name) {
            let file = searchPath(name, "path") ?? searchPath(name, "cpath")
            if let digest = file.flatMap({ digest(ofFile: $0) }) { builder.add(digest) }
        }
        return builder.digest
    }

    /// Returns the file that `package.searchpath` finds for a module.
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

    /// The digest of a file's contents; nil where it cannot be read.
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

    /// Calls `body` with the contents of a file, in pieces of equal length except the last; false where it cannot be read.
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
