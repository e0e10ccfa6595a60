import CLua
import CLuaHost
import CSystem
import DLP

// The functions that the module's loops call, which are written in Lua. The first argument is mostly the number of the loop.

extension LuaHost {
    /// Does `core.enter(name, list, options, fn)`: begins a loop of the function `name`; returns its number.
    ///
    /// `list` describes the elements: `length`, nil where it is unknown, and `value`, where ranks can compare the elements.
    /// `fn` is called with each element; it is missing where the loop is a `for` with a body.
    func enterLoop(_ state: LuaState) throws(CallError) -> Int32 {
        // A script can get at the module's own functions, and pass any values.
        guard lua_type(state, 2) == LUA_TTABLE, lua_type(state, 3) == LUA_TTABLE else {
            throw .script("a loop of the module begins with a list and options")
        }
        let number = { (name: String) -> Int? in
            self.field(state, 3, name) { lua_type(state, -1) == LUA_TNIL ? nil : Int(lua_tointegerx(state, -1, nil)) }
        }
        let flag = { (name: String) in self.field(state, 3, name) { lua_toboolean(state, -1) != 0 } }
        let text = { (name: String) in self.field(state, 3, name) { string(state, -1) } }
        let length = field(state, 2, "length") {
            lua_type(state, -1) == LUA_TNIL ? nil : max(0, Int(lua_tointegerx(state, -1, nil)))
        }
        let hasResults = flag("has_results")
        var options = LoopOptions(
            results: hasResults ? .stream : .none, examples: .replicated, chunk: number("chunk") ?? loopDefaults.chunk)
        options.isUnbounded = length == nil
        if flag("is_shared") { (options.shares, options.chunk) = (client.size, nil) }
        if hasResults {
            options.failures = FailurePolicy(
                continues: flag("continues"), retries: number("retries") ?? 0,
                crashLimit: loopDefaults.failures.crashLimit)
        }
        // The list comes to lie at index 5.
        lua_settop(state, 4)
        push(state, "value")
        lua_rawget(state, 2)
        let list = loopList(state, length: length ?? -1, 5)
        let loop = ModuleLoop(
            operation: client.loops + 1, function: string(state, 1) ?? "", place: list.place, length: length,
            hasResults: hasResults, stage: text("stage"),
            timeout: field(state, 3, "timeout") { timeout(lua_tonumberx(state, -1, nil)) },
            failures: options.failures, showsProgress: flag("progress"), prefix: text("prefix") ?? "")
        let part = LoopPart(loop: loop, reportInterval: hasResults ? Self.reportInterval(ranks: client.size) : 0)
        // What elements enter is recorded by their numbers, which those of two loops have in common. Without a record they are
        // done again after any edit.
        if !moduleLoops.isEmpty { endTracking() }
        try told { try loopDelegate?.loopWillBegin(loop) }
        if client.isRoot, loop.stage != nil {
            part.results = try keptResults(of: loop, state)
        } else if loop.stage != nil, loopDefaults.tracks {
            _ = reach(of: loop, state)
        }
        if loop.stage != nil, moduleLoops.isEmpty {
            // The script's code that handles results as they come, or that makes elements, runs between the elements.
            let isClosed = loop.function == "map" && length != nil
            beginTracking(hasBetween: client.isRoot && !isClosed)
        }
        if let root = client.root, let costs = field(state, 3, "costs", { bytes(state, -1).map(Self.costs) }) {
            root.order(by: costs, in: loop.operation)
        }
        moduleLoops[loop.operation] = part
        let works = flag("works")
        let operation = try communicate { () throws(JobEnd) in
            try client.enterLoop(list, length: length, options: options, working: works)
        }
        lua_pushinteger(state, lua_Integer(bitPattern: operation))
        return 1
    }

    /// Reads costs that the module has packed, eight bytes each; a number that cannot be a cost counts as 0.
    private static func costs(_ bytes: UnsafeRawBufferPointer) -> [Double] {
        (0..<bytes.count / 8).map { place in
            let cost = bytes.loadUnaligned(fromByteOffset: 8 * place, as: Double.self)
            return cost.isFinite && cost >= 0 ? cost : 0
        }
    }

    /// Returns the timeout, in seconds, if the number can be one; otherwise nil.
    private func timeout(_ seconds: Double) -> Double? { 0 < seconds && seconds <= 1e9 ? seconds : nil }

    /// Returns the time between reports, in nanoseconds.
    ///
    /// With more ranks it is longer, because the root reads all reports.
    private static func reportInterval(ranks: Int) -> UInt64 {
        UInt64(min(max(20_000_000, ranks * 80_000), 250_000_000))
    }

    /// Returns what is kept of a loop.
    ///
    /// Its function lies at index 4 and its elements at index 5.
    private func keptResults(of loop: ModuleLoop, _ state: LuaState) throws(CallError) -> (any StageResults)? {
        guard let results = try told({ try loopDelegate?.results(of: loop, reach: { reach(of: loop, state) }) }) ?? nil
        else { return nil }
        let isNumber = lua_type(state, 5) == LUA_TNUMBER
        for index in 0..<(loop.length ?? 0) {
            if isNumber {
                lua_pushinteger(state, lua_Integer(index + 1))
            } else {
                lua_rawgeti(state, 5, lua_Integer(index + 1))
            }
            defer { pop(state) }
            do { try collectiveEncoder.append(state, -1) } catch {
                throw .script(
                    "element \(index + 1) of \(loop.function)\(error.path) is a \(error.kind), which a journal cannot tell from "
                        + "others: a stage needs elements that can be kept")
            }
            let element = collectiveEncoder.take()
            try told { try results.add(element) }
        }
        try told { try results.complete() }
        return results
    }

    /// Finds what the function of a loop reaches.
    ///
    /// The function lies at index 4, the elements at index 5.
    private func reach(of loop: ModuleLoop, _ state: LuaState) -> Reach {
        lua_pushvalue(state, 4)
        lua_pushvalue(state, 5)
        // A coroutine has a stack of its own.
        if state != self.state {
            lua_checkstack(self.state, 2)
            lua_xmove(state, self.state, 2)
        }
        defer { pop(self.state, 2) }
        return reach(
            of: -2, named: "the function of \(loop.function)", examples: -1,
            tracks: loopDefaults.tracks && moduleLoops.isEmpty)
    }

    /// Calls the delegate; an error that it throws ends the job.
    private func told<Result>(_ body: () throws -> Result) throws(CallError) -> Result {
        do { return try body() } catch let end as JobEnd { throw .end(end) } catch {
            throw .end(
                .fault(Fault(phase: .load, message: "\(error)", rank: client.rank, host: HostName.current, status: 2)))
        }
    }

    /// Calls `body` with the field `name` of the table at `index` on top of the stack, and returns its result.
    ///
    /// The table has no metatable.
    private func field<Result>(_ state: LuaState, _ index: Int32, _ name: String, _ body: () -> Result) -> Result {
        push(state, name)
        lua_rawget(state, index)
        defer { pop(state) }
        return body()
    }

    private func operation(_ state: LuaState) -> UInt64 { UInt64(bitPattern: lua_tointegerx(state, 1, nil)) }

    /// Returns this rank's part in the loop; nil where it takes no part in it, or no longer.
    private func part(of operation: UInt64) -> LoopPart? {
        if let latestPart, latestPart.loop.operation == operation { return latestPart }
        latestPart = moduleLoops[operation]
        return latestPart
    }

    /// Returns this rank's part in the loop that a function of the module names.
    private func takenPart(_ state: LuaState) throws(CallError) -> LoopPart {
        // A script can get at the module's own functions, and pass any values.
        guard let part = part(of: operation(state)) else { throw .script("this loop is not under way") }
        return part
    }

    private func removePart(of operation: UInt64) -> LoopPart? {
        latestPart = nil
        return moduleLoops.removeValue(forKey: operation)
    }

    /// Does `core.leave(loop)`.
    func leaveLoop(_ state: LuaState) throws(CallError) -> Int32 {
        let operation = operation(state)
        endLoop(operation)
        try communicate { () throws(JobEnd) in try client.post(.leave(loop: operation)) }
        return 0
    }

    private func endLoop(_ operation: UInt64) {
        exampleWatch?.pause()
        endTracking()
        if let part = removePart(of: operation) { loopDelegate?.loopDidEnd(part.loop) }
    }

    /// Does `core.next(loop)`: returns WORK, first, count, stride; or RESULTS, values, first, count; or LIST and a list or a
    /// number, which replace the elements from now on; or FAILED, the index and the failure; or nothing at the end.
    func nextEvent(_ state: LuaState) throws(CallError) -> Int32 {
        let operation = operation(state)
        exampleWatch?.pause()
        if let run = try nextKept(operation) { return try pushResults(run, state) }
        while true {
            switch try communicate({ () throws(JobEnd) in try client.event(of: operation) }) {
            case .work(let chunk, let giveBackAfter, _):
                let part = try takenPart(state)
                // An iterator cannot go back, so there is no time limit for its chunks.
                part.underWay = LoopUnderWay(
                    giveBackAfter: part.loop.length == nil ? 0 : giveBackAfter, reportInterval: part.reportInterval)
                part.reported = (0, dlp_processor_time())
                memoryMeter.begin(at: part.underWay.start)
                try resume(part)
                lua_pushinteger(state, EventCode.work)
                lua_pushinteger(state, lua_Integer(chunk.first + 1))
                lua_pushinteger(state, lua_Integer(chunk.count))
                lua_pushinteger(state, lua_Integer(chunk.stride))
                return 4
            case .results(let run):
                loopDelegate?.resultsWillCome()
                return try pushResults(run, state)
            case .list(let list, let length):
                lua_pushinteger(state, EventCode.list)
                if list.count > 0 {
                    try pushDecoded(list, state)
                } else {
                    lua_pushinteger(state, lua_Integer(length))
                }
                return 2
            case .failed(let fault):
                if let loop = part(of: operation)?.loop { loopDelegate?.elementFailed(fault, in: loop) }
                lua_pushinteger(state, EventCode.failed)
                lua_pushinteger(state, lua_Integer(fault.example ?? 0))
                pushFailure(fault, state)
                return 3
            case .needsExamples, .workedOff, .deliver, .returned: continue
            case .end:
                endLoop(operation)
                return 0
            case .halted:
                if client.isRoot, let part = removePart(of: operation), let loopDelegate {
                    throw .end(loopDelegate.loopWasCutShort(part.loop))
                }
                // The root is about to end the job.
                try communicate { () throws(JobEnd) in try client.waitForEnd(of: operation) }
            }
        }
    }

    /// Does `core.resume(loop)`: this rank goes on with a chunk, after other loops perhaps.
    func resumeChunk(_ state: LuaState) throws(CallError) -> Int32 {
        try resume(try takenPart(state))
        return 0
    }

    private func resume(_ part: LoopPart) throws(CallError) {
        try told { try loopDelegate?.chunkWillGoOn(part.loop) }
        exampleWatch?.resume()
    }

    /// Returns the next results of earlier runs.
    private func nextKept(_ operation: UInt64) throws(CallError) -> ResultRun? {
        guard let part = part(of: operation), let results = part.results else { return nil }
        if let run = try told({ try results.next() }) { return run }
        part.results = nil
        return nil
    }

    private func pushResults(_ run: ResultRun, _ state: LuaState) throws(CallError) -> Int32 {
        lua_pushinteger(state, EventCode.results)
        do { try pushList(run.results, count: run.count, state) } catch {
            throw CallError.script("results of rank \(run.rank) cannot be read: \(error.description)")
        }
        lua_pushinteger(state, lua_Integer(run.first + 1))
        lua_pushinteger(state, lua_Integer(run.count))
        return 4
    }

    /// Pushes a table of the `count` values in `bytes`. [-0, +1]
    func pushList(_ bytes: Bytes, count: Int, _ state: LuaState) throws(CodecError) {
        lua_createtable(state, Int32(clamping: count), 0)
        try bytes.withUnsafeBytes { (buffer) throws(CodecError) in
            var decoder = LuaDecoder(state, buffer)
            for index in 0..<count {
                try decoder.push()
                lua_rawseti(state, -2, lua_Integer(index + 1))
            }
        }
    }

    /// Does `core.what_next(loop)`, between two elements of a chunk: returns 0 to go on, 1 to give the rest back, 2 to first
    /// report what is done.
    func whatNext(_ state: LuaState) throws(CallError) -> Int32 {
        let part = try takenPart(state)
        let step = try communicate { () throws(JobEnd) in
            try part.underWay.step { () throws(JobEnd) in try client.isHalted() }
        }
        let number: lua_Integer =
            switch step {
            case .goOn: 0
            case .giveBack: 1
            case .report: 2
            }
        lua_pushinteger(state, number)
        return 1
    }

    /// Returns the working time since the last report, in nanoseconds, the processor time, the peak memory, and the results.
    private func takeReport(
        of part: LoopPart
    ) -> (nanoseconds: UInt64, cpu: UInt64, peak: Int64, results: Bytes) {
        let (now, cpu) = (dlp_now(), dlp_processor_time())
        let time = now - part.underWay.start
        defer { part.reported = (time, cpu) }
        return (
            time - part.reported.time, Self.processorTime(from: part.reported.cpu, to: cpu), memoryMeter.take(at: now),
            part.encoder.take()
        )
    }

    /// Does `core.finish(loop, first, completed)`, or `core.part` if the chunk goes on with the next elements.
    func finish(_ state: LuaState, goesOn: Bool) throws(CallError) -> Int32 {
        if !goesOn { exampleWatch?.pause() }
        let (first, completed) = (Int(lua_tointegerx(state, 2, nil)) &- 1, Int(lua_tointegerx(state, 3, nil)))
        let (loop, worked) = (operation(state), takeReport(of: try takenPart(state)))
        let report = ChunkReport(
            first: first, completed: completed, goesOn: goesOn, nanoseconds: worked.nanoseconds, cpu: worked.cpu,
            peak: worked.peak, results: worked.results)
        try communicate { () throws(JobEnd) in
            try postTraces(of: loop)
            try client.post(.done(loop: loop, report))
        }
        return 0
    }

    /// Does `core.add(loop, result, index)`: returns a message if the result cannot be sent, otherwise nothing.
    func addResult(_ state: LuaState) throws(CallError) -> Int32 {
        let encoder = try takenPart(state).encoder
        let before = encoder.count
        do { try encoder.append(state, 2) } catch {
            encoder.truncate(to: before)
            push(
                state,
                "result of element \(lua_tointegerx(state, 3, nil)): \(error.description), which cannot travel to the root"
            )
            return 1
        }
        return 0
    }

    /// Does `core.fail(loop, first, completed, index, value, error)`: after the completed elements, the element `value`
    /// at `index` has failed with `error`.
    ///
    /// The chunk goes on with the elements that follow.
    func failElement(_ state: LuaState) throws(CallError) -> Int32 {
        let (operation, part) = (operation(state), try takenPart(state))
        let (first, completed) = (Int(lua_tointegerx(state, 2, nil)) &- 1, Int(lua_tointegerx(state, 3, nil)))
        // A coroutine has a stack of its own.
        lua_settop(state, 6)
        if state != self.state { lua_xmove(state, self.state, 2) }
        dlp_forget_element(self.state)
        let error = popError()
        let given = lua_type(self.state, -1) == LUA_TNUMBER ? "" : shown(at: -1)
        pop(self.state)
        // An error that comes from the end of the job is not reported as a failure.
        if isInterrupted { throw .script(error.message) }
        let failedFor = part.underWay.sinceLatest
        let report = takeReport(of: part)
        var fault = Fault(
            phase: .work, message: error.message, traceback: error.traceback,
            example: Int(lua_tointegerx(state, 4, nil)), rank: client.rank, host: HostName.current)
        fault.given = given
        fault.loop = part.loop.function
        let share = report.nanoseconds / UInt64(clamping: max(completed, 0)).addingReportingOverflow(1).partialValue
        fault.nanoseconds = Int64(clamping: min(failedFor ?? share, report.nanoseconds))
        let chunk = ChunkReport(
            first: first, completed: completed, nanoseconds: report.nanoseconds, cpu: report.cpu,
            peak: report.peak, results: report.results)
        try communicate { () throws(JobEnd) in
            try postTraces(of: operation)
            try client.post(.failed(loop: operation, chunk, fault))
        }
        return 0
    }

    /// Does `core.copy(value)`: returns the value as a string, or nothing where it cannot be copied.
    func copy(_ state: LuaState) -> Int32 {
        do { try collectiveEncoder.append(state, 1) } catch { return 0 }
        collectiveEncoder.take().withUnsafeBytes { bytes in
            _ = lua_pushlstring(state, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        return 1
    }

    /// Does `core.copied(string, value)`: returns the value that `core.copy` has copied, with the metatables of `value`.
    func copied(_ state: LuaState) throws(CallError) -> Int32 {
        try pushDecoded(Bytes(bytes(state, 1).map { Array($0) } ?? []), state)
        giveMetatables(of: 2, to: lua_gettop(state), state)
        return 1
    }
}
