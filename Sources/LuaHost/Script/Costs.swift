import CLua
import CLuaHost
import DLP

extension LuaHost {
    /// Whether the script has a function `cost`.
    ///
    /// A value of that name that cannot be called is ignored.
    public var hasCost: Bool { (try? isFunction("cost")) ?? false }

    /// Calls the script's `cost` for the examples of these ranges; the examples stay unchanged.
    ///
    /// - Parameter isHalted: called before each call of `cost`; if it returns true, no more calls are made.
    /// - Returns: the costs by index, from 0 to the end of the last range; 0 between the ranges, and where it was halted.
    /// - Throws: `WorkError` with the example for which `cost` fails, or returns something that is no cost.
    public func costs(
        of examples: Examples, in ranges: [Range<Int>], isHalted: () -> Bool
    ) throws(WorkError) -> [Double] {
        seedRandom(index: 0)
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        let keeper = ExampleKeeper(forCollect: false, forRetries: false)
        var costs = [Double](repeating: 0, count: ranges.last?.upperBound ?? 0)
        for range in ranges {
            for index in range {
                guard !isHalted() else { return costs }
                defer { keeper.restore(index, in: state) }
                do throws(ScriptError) {
                    try check(dlp_get_global(state, "cost"))
                    try pushExample(examples, index)
                    keeper.remember(index, in: state)
                    lua_pushinteger(state, lua_Integer(index + 1))
                    try apart { () throws(ScriptError) in try check(dlp_call_handled(state, 2, 1, Slot.handler)) }
                    costs[index] = try cost()
                } catch {
                    lua_settop(state, top)
                    throw WorkError(index: index, error: error, given: shownExample(examples, index) ?? "")
                }
                pop(state)
            }
        }
        return costs
    }

    /// The cost that `cost` has returned, which is on top of the stack.
    private func cost() throws(ScriptError) -> Double {
        let isNumber = lua_type(state, -1) == LUA_TNUMBER
        let cost = isNumber ? lua_tonumberx(state, -1, nil) : .nan
        guard cost.isFinite, cost >= 0 else {
            let type = lua_type(state, -1)
            let what =
                isNumber
                ? cost.isNaN ? "nan" : shown(at: -1)
                : type == LUA_TNIL ? "nothing" : "a \(String(cString: lua_typename(state, type)))"
            throw ScriptError(
                message: "\(placeOfCost)cost() returned \(what); it must return a finite number from 0 on")
        }
        return cost
    }

    /// Where the script defines `cost`, in the form in which Lua's messages begin; empty where that is not known.
    private var placeOfCost: String {
        guard (try? check(dlp_get_global(state, "cost"))) != nil else { return "" }
        guard lua_type(state, -1) == LUA_TFUNCTION else {
            pop(state)
            return ""
        }
        var place = lua_Debug()
        guard lua_getinfo(state, ">S", &place) != 0, place.linedefined > 0 else { return "" }
        let source = withUnsafeBytes(of: place.short_src) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return "\(source):\(place.linedefined): "
    }
}
