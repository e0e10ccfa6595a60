import CLua
import CLuaHost
public import DLP

/// What a function of the script can reach before it has done anything: what its results depend on, but for its arguments, the
/// random numbers, and whatever it asks the system for.
public struct Reach: Sendable {
    /// A function or a value that it reaches.
    public struct Part: Sendable, Hashable {
        /// What the script calls it where it was first met, as `helper` or `config.rate`.
        public var name: String
        /// The line where the function begins, or that of the function by which a value was met, as `job.lua:12`.
        public var place: String
        /// Of what it is by itself; of tables and functions in it only that there are some.
        public var digest: Digest
        /// Whether it is a value that the script has made while it was loaded, rather than code or what `dlp.depends` names: such
        /// a value may be another one in each process.
        public var isValue: Bool
    }

    /// Of the files of the modules that the script has loaded.
    public var modules: Digest
    /// Of all of it, and of how it hangs together.
    public var digest: Digest
    /// What it consists of, the function itself first.
    public var parts: [Part]
    /// How they hang together; nil where they are too many.
    public var graph: ReachGraph?
    /// What it may reach that nobody can know beforehand, as clauses about the function; none: the digest says all.
    public var obstacles: [String]
    /// Files that it reads, likewise, as far as it can be seen while it runs which these are.
    public var inputs: [String]
}

extension LuaHost {
    /// What `work` reaches, and `setup` before it; `openJob` has been called.
    ///
    /// - Parameter tracks: whether examples are to be tracked, from the first one on.
    public func reachOfWork(tracks: Bool = false) -> Reach {
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        lua_pushvalue(state, Slot.work)
        let work = lua_gettop(state)
        let hasSetup = dlp_get_global(state, "setup") == LUA_OK && lua_type(state, -1) != LUA_TNIL
        // Nobody sees what `setup` enters.
        return reach(
            from: [("work", work, false)] + (hasSetup ? [("setup", work + 1, true)] : []), examples: Slot.examples,
            tracks: tracks)
    }

    /// What the function at `index` reaches, which messages call `name`, and the elements of the list at `examples`.
    func reach(of index: Int32, named name: String, examples: Int32, tracks: Bool) -> Reach {
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        return reach(
            from: [(name, lua_absindex(state, index), false)], examples: lua_absindex(state, examples), tracks: tracks)
    }

    private func reach(
        from roots: [(name: String, index: Int32, isWhole: Bool)], examples: Int32, tracks: Bool
    ) -> Reach {
        let hadCollector = dlp_stop_collector(state)
        defer { if hadCollector { dlp_restart_collector(state) } }
        lua_checkstack(state, 64)
        var walk = ReachWalk(self, LibraryNames(self))
        for root in roots { walk.begin(with: root.name, at: root.index, isWhole: root.isWhole) }
        walk.addMetatables(ofElementsOf: examples)
        let reach = walk.finish()
        if tracks {
            tracking = Tracking(reach, walk, hasSetup: roots.contains { $0.isWhole })
            prepareTracking()
        }
        return reach
    }

    /// What `work` reaches once `setup` has run: there may be more to be watched.
    func watchedAfterSetup() -> ReachWalk {
        lua_checkstack(state, 64)
        var walk = ReachWalk(self, LibraryNames(self))
        walk.begin(with: "work", at: Slot.work, isWhole: false)
        walk.addMetatables(ofElementsOf: Slot.examples)
        _ = walk.finish()
        return walk
    }

    /// Does `core.depends(...)`: results depend on these values, too.
    func noteDependencies(_ state: LuaState) -> Int32 {
        let count = lua_gettop(state)
        pushDependencies(state)
        // Nil is a value, too: their number stands at 0.
        lua_rawgeti(state, -1, 0)
        let before = lua_tointegerx(state, -1, nil)
        pop(state)
        for index in 0..<count {
            lua_pushvalue(state, index + 1)
            lua_rawseti(state, -2, before + lua_Integer(index) + 1)
        }
        lua_pushinteger(state, before + lua_Integer(count))
        lua_rawseti(state, -2, 0)
        return 0
    }

    /// Pushes the table of what the script has named so. [-0, +1]
    func pushDependencies(_ state: LuaState) {
        push(state, "dlp.depends")
        if lua_rawget(state, LuaHost.registry) == LUA_TTABLE { return }
        pop(state)
        lua_createtable(state, 0, 0)
        push(state, "dlp.depends")
        lua_pushvalue(state, -2)
        lua_rawset(state, LuaHost.registry)
    }

    /// Lua's macro `LUA_REGISTRYINDEX`.
    static var registry: Int32 { -LUAI_MAXSTACK - 1000 }
}
