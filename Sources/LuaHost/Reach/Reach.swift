import CLua
import CLuaHost
public import DLP

/// Everything that a function of the script can reach before it runs.
///
/// Its results depend on this, on its arguments, on the random numbers, and on what it asks the system for.
public struct Reach: Sendable {
    /// A function or a value that it reaches.
    public struct Part: Sendable, Hashable {
        /// What the script calls it where the walk first met it, as `helper` or `config.rate`.
        public var name: String
        /// The line where the function begins, or, for a value, the line of the function that led to it, as `job.lua:12`.
        public var place: String
        /// The digest of the part itself; of the tables and functions in it, it contains only that they exist.
        public var digest: Digest
        /// Whether it is a value that the script made while it was loaded, and not code or something that `dlp.depends`
        /// names.
        ///
        /// Such a value may be different in each process.
        public var isValue: Bool
    }

    /// The digest of the files of the modules that the script has loaded.
    public var modules: Digest
    /// The digest of everything reached, and of how it is connected.
    public var digest: Digest
    /// The parts, the function itself first.
    public var parts: [Part]
    /// How the parts are connected; nil where there are too many.
    public var graph: ReachGraph?
    /// Things that it may reach but that cannot be known beforehand, as clauses about the function.
    ///
    /// If empty, the digest covers everything.
    public var obstacles: [String]
    /// Files that it reads, as clauses, too, if it can be seen while it runs which files these are.
    public var inputs: [String]
}

extension LuaHost {
    /// Finds what `work` reaches, and `setup` before it; `openJob` must have been called.
    ///
    /// - Parameter tracks: whether examples are to be tracked, from the first one on.
    public func reachOfWork(tracks: Bool = false) -> Reach {
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        lua_pushvalue(state, Slot.work)
        let work = lua_gettop(state)
        let hasSetup = dlp_get_global(state, "setup") == LUA_OK && lua_type(state, -1) != LUA_TNIL
        // It is not observed which functions `setup` enters.
        return reach(
            from: [("work", work, false)] + (hasSetup ? [("setup", work + 1, true)] : []), examples: Slot.examples,
            tracks: tracks)
    }

    /// Finds what the function at `index`, which messages call `name`, and the elements of the list at `examples` reach.
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

    /// Finds what `work` reaches once `setup` has run: there may be more to watch then.
    func watchedAfterSetup() -> ReachWalk {
        lua_checkstack(state, 64)
        var walk = ReachWalk(self, LibraryNames(self))
        walk.begin(with: "work", at: Slot.work, isWhole: false)
        walk.addMetatables(ofElementsOf: Slot.examples)
        _ = walk.finish()
        return walk
    }

    /// Does `core.depends(...)`: records that results depend on these values, too.
    func noteDependencies(_ state: LuaState) -> Int32 {
        let count = lua_gettop(state)
        pushDependencies(state)
        // Nil is a value, too, so the number of values is kept at index 0.
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

    /// Pushes the table of the values that the script has named in `dlp.depends`. [-0, +1]
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
