import CLua
import CLuaHost
public import DLP

/// An example whose `work` failed.
public struct WorkError: Error, Sendable {
    /// The example, from 0.
    public var index: Int
    /// What it raised.
    public var error: ScriptError
}

/// What came of a chunk.
public struct ChunkOutcome: Sendable {
    /// How many of its examples are done, from the first on.
    public var completed: Int
    /// How long that took.
    public var nanoseconds: UInt64
    /// Their results, one CBOR item each.
    public var results: Bytes
}

extension LuaHost {
    /// Calls `work` on `count` examples from `first` (from 0) on, `stride` apart, or until the time is over.
    ///
    /// - Parameters:
    ///   - sent: the encoded examples where they came with the indices; nil where this rank has them.
    ///   - giveBackAfter: after so many nanoseconds (0: never) the rest stays undone.
    /// - Throws: `WorkError` where `work` raises, or returns what cannot travel.
    public func work(
        first: Int, count: Int, stride: Int = 1, of examples: Examples, sent: Bytes?, giveBackAfter: Int64 = 0
    ) throws(WorkError) -> ChunkOutcome {
        let clock = LoopUnderWay(giveBackAfter: giveBackAfter)
        var completed = 0
        isInWork = true
        exampleWatch?.resume()
        defer {
            exampleWatch?.pause()
            isInWork = false
        }
        try (sent ?? .empty).withUnsafeBytes { (buffer) throws(WorkError) in
            var decoder = LuaDecoder(state, buffer)
            while completed < count {
                let index = first + completed * stride
                try work(index) { () throws(ScriptError) in
                    guard sent != nil else { return try pushExample(examples, index) }
                    try readable { () throws(CodecError) in try decoder.push() }
                }
                completed += 1
                workCounter.increment()
                if clock.isOverTime { break }
            }
        }
        return ChunkOutcome(completed: completed, nanoseconds: clock.elapsed, results: encoder.take())
    }

    /// Calls `work` on one example and encodes its result.
    @inline(__always)
    private func work(_ index: Int, _ pushExample: () throws(ScriptError) -> Void) throws(WorkError) {
        do throws(ScriptError) {
            seedRandom(index: index + 1)
            try timed(index) { () throws(ScriptError) in
                lua_pushvalue(state, Slot.work)
                try pushExample()
                lua_pushinteger(state, lua_Integer(index + 1))
                try check(dlp_call_handled(state, 2, 1, Slot.handler))
            }
            do { try encoder.append(state, -1) } catch {
                throw ScriptError(
                    message: "result of example \(index + 1): \(error.description), which cannot travel to the root",
                    traceback: "")
            }
            pop(state)
        } catch {
            lua_settop(state, Slot.iteratorControl)
            encoder.truncate(to: 0)
            throw WorkError(index: index, error: error)
        }
    }

    /// Calls `collect` with each result of a run.
    ///
    /// - Parameter sent: the encoded examples of the run where the script does not have them any more.
    /// - Throws: `WorkError` with the example whose result it failed on.
    public func collect(_ run: ResultRun, of examples: Examples, sent: Bytes?) throws(WorkError) {
        try run.results.withUnsafeBytes { (results) throws(WorkError) in
            try (sent ?? .empty).withUnsafeBytes { (sentExamples) throws(WorkError) in
                var resultDecoder = LuaDecoder(state, results)
                var exampleDecoder = LuaDecoder(state, sentExamples)
                for number in 0..<run.count {
                    let index = run.first + number * run.stride
                    do throws(ScriptError) {
                        lua_pushvalue(state, Slot.collect)
                        try readable { () throws(CodecError) in try resultDecoder.push() }
                        lua_pushinteger(state, lua_Integer(index + 1))
                        if sent != nil {
                            try readable { () throws(CodecError) in try exampleDecoder.push() }
                        } else {
                            try pushExample(examples, index)
                        }
                        try check(dlp_call_handled(state, 3, 0, Slot.handler))
                    } catch { throw WorkError(index: index, error: error) }
                }
            }
        }
    }

    private func readable(_ body: () throws(CodecError) -> Void) throws(ScriptError) {
        do { try body() } catch {
            throw ScriptError(message: "a value from another rank cannot be read: \(error)")
        }
    }

    /// Calls `summarize` with all results.
    ///
    /// - Parameter runs: taken over and freed one by one, so that encoded and decoded results do not both fill memory.
    public func summarize(_ runs: consuming [ResultRun], count: Int) throws(ScriptError) {
        lua_settop(state, Slot.examples - 1)
        seedRandom(index: 0)
        try check(dlp_get_global(state, "summarize"))
        lua_createtable(state, Int32(clamping: count), 1)
        // A collection while the table grows would find nothing to free.
        let hasStopped = dlp_stop_collector(state)
        defer { if hasStopped { dlp_restart_collector(state) } }
        runs.reverse()
        while let run = runs.popLast() {
            try run.results.withUnsafeBytes { (buffer) throws(ScriptError) in
                var decoder = LuaDecoder(state, buffer)
                for number in 0..<run.count {
                    try readable { () throws(CodecError) in try decoder.push() }
                    lua_rawseti(state, -2, lua_Integer(run.first + number * run.stride + 1))
                }
            }
        }
        push(state, "n")
        lua_pushinteger(state, lua_Integer(count))
        lua_rawset(state, -3)
        if hasStopped { dlp_restart_collector(state) }
        try check(dlp_call(state, 1, 0))
    }
}
