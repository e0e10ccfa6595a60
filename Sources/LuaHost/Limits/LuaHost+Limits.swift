import CLua
import CLuaHost
public import DLP

extension LuaHost {
    /// From now on reports say how much memory examples took: the peak that the system keeps of this process begins anew for
    /// each of them.
    public func measureMemory() { memoryMeter.isWanted = true }

    /// Limits the memory of the Lua state to so many bytes; nil: no limit.
    ///
    /// Beyond it Lua code gets the error "not enough memory". What Swift code needs in between, to hand over results for
    /// example, it gets all the same; the script's next allocation then has to wait for the garbage collector.
    public func limitMemory(to bytes: Int?) {
        memoryLimit = bytes
        dlp_limit_memory(state, bytes ?? 0)
    }

    /// Limits the time of each example.
    ///
    /// - Parameters:
    ///   - seconds: how long its `work` may take; nil: for ever.
    ///   - endPrograms: called on another thread with the programs that it has started, once it should have failed.
    ///   - giveUp: called on that thread, with the example counted from 1, where `work` is in a function in C which
    ///     does not come back in time.
    /// - Throws: `CommunicationError` where the system has no thread to give.
    public func limitTime(
        to seconds: Double?, endPrograms: @escaping @Sendable (_ programs: [Int32]) -> Void = { _ in },
        giveUp: @escaping @Sendable (_ example: Int) -> Void
    ) throws(CommunicationError) {
        exampleWatch?.stop()
        exampleWatch = nil
        guard let seconds else { return }
        dlp_set_late_message(state, Self.lateMessage(seconds))
        exampleWatch = try ExampleWatch(state, limit: UInt64(seconds * 1e9), endPrograms: endPrograms, giveUp: giveUp)
    }

    /// Does what counts as the time of the example `index`, from 0.
    @inline(__always)
    func timed(_ index: Int, _ body: () throws(ScriptError) -> Void) throws(ScriptError) {
        dlp_begin_example(state, lua_Integer(index + 1))
        defer { dlp_end_example(state) }
        try body()
    }

    /// Says that an example has had its time.
    static func lateMessage(_ seconds: Double) -> String {
        "the example takes longer than --timeout allows, \(Int(exactly: seconds).map { String($0) } ?? String(seconds)) s"
    }

    /// An amount of memory as the option --memory takes it.
    static func shortText(bytes: Int) -> String {
        for (power, suffix) in [(30, "G"), (20, "M"), (10, "K")] where bytes % (1 << power) == 0 {
            return "\(bytes >> power)\(suffix)"
        }
        return "\(bytes) bytes"
    }
}
