import CLua
import CLuaHost
import CSystem
public import DLP
import Glibc

/// An example whose `work` failed.
public struct WorkError: Error, Sendable {
    /// The example's index, from 0.
    public var index: Int
    /// The error that `work` raised.
    public var error: ScriptError
    /// The example's value, shortened for a message; empty where the index alone identifies it.
    public var given = ""
}

/// A report on some examples of a chunk.
public struct WorkReport: Sendable {
    /// The examples that are done.
    public var done: Chunk
    /// How long these examples took.
    public var nanoseconds: UInt64
    /// How long the example took that then failed, if one has.
    public var failedNanoseconds: UInt64 = 0
    /// The processor time of all this, including programs that were waited for.
    public var cpu: UInt64
    /// The peak memory of this rank, or of one of these programs, in that time, in bytes; 0 where it is not known.
    public var peak: Int64
    /// Their results, one CBOR item each.
    public var results: Bytes
}

extension LuaHost {
    /// Calls `work` on the examples of `chunk`, one after another, until the time is over, the root wants no more results, or
    /// this rank is to leave.
    ///
    /// - Parameters:
    ///   - sent: the encoded examples if they were sent with the indices; nil where this rank has all of them.
    ///   - ownCount: this rank has the first `ownCount` examples of the list itself; they were not sent.
    ///   - giveBackAfter: the time in nanoseconds (0: no limit) after which the rest stays undone.
    ///   - reportInterval: the time in nanoseconds (0: never) between calls of `partDone`, which gets what was done since the
    ///     last report.
    ///   - failed: called where `work` raises an error, or returns something that cannot be sent. It also gets what was done
    ///     since the last report. Afterwards the rest of the chunk is done.
    /// - Returns: what was done since the last report; nil where the chunk ended with a failure.
    /// - Throws: errors of `failed`, and `JobEnd`.
    public func work(
        _ chunk: Chunk, of examples: Examples, sent: Bytes?, ownCount: Int = 0, giveBackAfter: Int64 = 0,
        reportInterval: UInt64 = 0,
        partDone: (WorkReport) throws -> Void = { _ in }, failed: (WorkReport, WorkError) throws -> Void
    ) throws -> WorkReport? {
        try apart {
            let clock = LoopUnderWay(giveBackAfter: giveBackAfter, reportInterval: reportInterval)
            return try workAll(
                chunk, of: examples, sent: sent, ownCount: ownCount, clock, partDone: partDone, failed: failed)
        }
    }

    /// The processor time between two readings, which goes back where the system did not count a program that has ended.
    static func processorTime(from earlier: UInt64, to later: UInt64) -> UInt64 {
        later > earlier ? later - earlier : 0
    }

    private func workAll(
        _ chunk: Chunk, of examples: Examples, sent: Bytes?, ownCount: Int, _ clock: LoopUnderWay,
        partDone: (WorkReport) throws -> Void, failed: (WorkReport, WorkError) throws -> Void
    ) throws -> WorkReport? {
        var clock = clock
        var reported: UInt64 = 0
        var reportedCPU = dlp_processor_time()
        var rest = chunk
        var completed = 0
        func report() -> WorkReport {
            let (now, cpu) = (dlp_now(), dlp_processor_time())
            let elapsed = now - clock.start
            defer { (reported, reportedCPU) = (elapsed, cpu) }
            return WorkReport(
                done: rest.prefix(completed), nanoseconds: elapsed - reported,
                cpu: Self.processorTime(from: reportedCPU, to: cpu),
                peak: memoryMeter.take(at: now), results: encoder.take())
        }
        let keeper = sent == nil || ownCount > 0 ? exampleKeeper : nil
        memoryMeter.begin(at: clock.start)
        exampleWatch?.resume()
        defer { exampleWatch?.pause() }
        return try (sent ?? .empty).withUnsafeBytes { buffer in
            var decoder = LuaDecoder(state, buffer)
            while completed < rest.count {
                let index = rest.first + completed * rest.stride
                do throws(WorkError) {
                    try work(index, keeper) { () throws(ScriptError) in
                        guard sent != nil, index >= ownCount else { return try pushExample(examples, index) }
                        try readable("example", index) { () throws(CodecError) in try decoder.push() }
                    }
                    completed += 1
                    workCounter.increment()
                } catch {
                    if try isToStayUndone() { break }
                    var done = report()
                    let share = done.nanoseconds / UInt64(completed + 1)
                    done.failedNanoseconds = min(clock.sinceLatest ?? share, done.nanoseconds)
                    let place = chunk.count - rest.count + completed
                    let sentPlace = place - chunk.indices.prefix { $0 < ownCount }.count
                    let itsBytes = sentPlace < 0 || ownCount > error.index ? nil : sent
                    try failed(done, naming(error, examples, at: sentPlace, of: itsBytes))
                    rest = rest.dropFirst(completed + 1)
                    completed = 0
                    if rest.count == 0 { return nil }
                }
                if isLeaving() { break }
                let step = try clock.step { () throws(JobEnd) in try client.isHalted() }
                if step == .giveBack { break }
                if step == .report, completed > 0, completed < rest.count {
                    try partDone(report())
                    rest = rest.dropFirst(completed)
                    completed = 0
                }
            }
            return report()
        }
    }

    /// Returns the error with the value of its example added; the example is at `place` among the sent ones.
    private func naming(_ error: WorkError, _ examples: Examples, at place: Int, of sent: Bytes?) -> WorkError {
        var error = error
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        do {
            if let sent {
                try sent.withUnsafeBytes { (buffer) throws(CodecError) in
                    var reader = CBORReader(buffer)
                    for _ in 0..<place { try reader.skip() }
                    var decoder = LuaDecoder(state, UnsafeRawBufferPointer(rebasing: buffer[reader.position...]))
                    try decoder.push()
                }
                error.given = shown(at: -1)
            } else {
                error.given = shownExample(examples, error.index) ?? ""
            }
        } catch {
            // The message then does not show the value.
        }
        return error
    }

    /// The example at `index`, from 0, as a message shows it; nil where the index identifies it, or where it cannot be read here.
    public func shownExample(_ examples: Examples, _ index: Int) -> String? {
        guard case .table = examples else { return nil }
        let top = lua_gettop(state)
        defer { lua_settop(state, top) }
        do { try pushExample(examples, index) } catch { return nil }
        return shown(at: -1)
    }

    /// Whether an example failed only because its program got the signal that is about to stop the job, too.
    func isToStayUndone() throws -> Bool {
        guard dlp_is_cut_short(state) else { return false }
        while try !isInterrupted && !isLeaving() && !client.isHalted() { usleep(1000) }
        return !isInterrupted
    }

    /// Calls `work` on one example and encodes its result.
    @inline(__always)
    private func work(
        _ index: Int, _ keeper: ExampleKeeper?, _ pushExample: () throws(ScriptError) -> Void
    ) throws(WorkError) {
        let before = encoder.count
        do throws(ScriptError) {
            seedRandom(index: index + 1)
            try timed(index) { () throws(ScriptError) in
                lua_pushvalue(state, Slot.work)
                try pushExample()
                keeper?.remember(index, in: state)
                lua_pushinteger(state, lua_Integer(index + 1))
                try check(dlp_call_handled(state, 2, 1, Slot.handler))
            }
            do { try encoder.append(state, -1) } catch {
                throw ScriptError(
                    message: "result of example \(index + 1): \(error.description), which cannot travel to the root",
                    traceback: "")
            }
            pop(state)
            if let keeper, keeper.isForCollect { keeper.restore(index, in: state) }
        } catch {
            lua_settop(state, Slot.iteratorClosing)
            encoder.truncate(to: before)
            if let keeper, keeper.isForRetries { keeper.restore(index, in: state) }
            throw WorkError(index: index, error: error)
        }
    }

    /// Calls `collect` with each result of a run.
    ///
    /// - Parameter sent: the encoded examples of the run that the script does not have, or no longer has.
    /// - Returns: how many of the results `collect` was called with: all, or those up to the one after which it wanted no more.
    /// - Throws: `WorkError` with the example for whose result `collect` failed.
    @discardableResult
    public func collect(_ run: ResultRun, of examples: Examples, sent: Bytes?) throws(WorkError) -> Int {
        isCollecting = true
        defer { isCollecting = false }
        return try apart { () throws(WorkError) in try collectAll(run, of: examples, sent: sent) }
    }

    private func collectAll(_ run: ResultRun, of examples: Examples, sent: Bytes?) throws(WorkError) -> Int {
        try run.results.withUnsafeBytes { (results) throws(WorkError) in
            try (sent ?? .empty).withUnsafeBytes { (sentExamples) throws(WorkError) in
                var resultDecoder = LuaDecoder(state, results)
                var exampleDecoder = LuaDecoder(state, sentExamples)
                for number in 0..<run.count {
                    let index = run.first + number * run.stride
                    do throws(ScriptError) {
                        seedRandom(index: -(index + 1))
                        lua_pushvalue(state, Slot.collect)
                        try readable("result of example", index) { () throws(CodecError) in try resultDecoder.push() }
                        lua_pushinteger(state, lua_Integer(index + 1))
                        if sent != nil, index >= examples.count ?? 0 {
                            try readable("example", index) { () throws(CodecError) in try exampleDecoder.push() }
                        } else {
                            try pushExample(examples, index)
                        }
                        try check(dlp_call_handled(state, 3, 0, Slot.handler))
                    } catch { throw WorkError(index: index, error: error) }
                    if wantsNoMore { return number + 1 }
                }
                return run.count
            }
        }
    }

    /// Calls `body`, which decodes data from another rank or a journal.
    ///
    /// Errors name it by `what` and the index, from 0.
    func readable(
        _ what: StaticString, _ index: Int, _ body: () throws(CodecError) -> Void
    ) throws(ScriptError) {
        do { try body() } catch {
            throw ScriptError(message: "the \(what) \(index + 1) cannot be read: \(error)")
        }
    }
}
