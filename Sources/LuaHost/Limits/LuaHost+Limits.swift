import CLua
import CLuaHost
public import DLP

extension LuaHost {
    /// Makes reports contain the memory that examples took, from now on.
    ///
    /// For this, the system's peak memory of this process is reset each time that it is read.
    public func measureMemory() { memoryMeter.isWanted = true }

    /// Limits the memory of the Lua state to `bytes`; nil: no limit.
    ///
    /// Above the limit, Lua code gets the error "not enough memory". Memory that Swift code needs in between, for example to hand
    /// over results, is granted all the same; the script's next allocation then has to wait for the garbage collector.
    public func limitMemory(to bytes: Int?) {
        memoryLimit = bytes
        dlp_limit_memory(state, bytes ?? 0)
    }

    /// Limits the time of each example.
    ///
    /// - Parameters:
    ///   - seconds: how long its `work` may take; nil: no limit.
    ///   - endPrograms: called on another thread, once the example should have failed, with the programs that it started.
    ///   - giveUp: called on that thread with the example, from 1, where `work` is in a C function that does not return in
    ///     time.
    /// - Throws: `CommunicationError` where the system provides no thread or no waker.
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

    /// Runs `body` as the example `index`, from 0: its time counts as that of the example.
    @inline(__always)
    func timed(_ index: Int, _ body: () throws(ScriptError) -> Void) throws(ScriptError) {
        dlp_begin_example(state, lua_Integer(index + 1))
        defer { dlp_end_example(state) }
        try body()
    }

    /// Returns the message for an example that has used up its time.
    static func lateMessage(_ seconds: Double) -> String {
        "the example takes longer than --timeout allows, \(Int(exactly: seconds).map { String($0) } ?? String(seconds)) s"
    }

    /// Formats an amount of memory as the option --memory takes it.
    static func shortText(bytes: Int) -> String {
        for (power, suffix) in [(30, "G"), (20, "M"), (10, "K")] where bytes % (1 << power) == 0 {
            return "\(bytes >> power)\(suffix)"
        }
        return "\(bytes) bytes"
    }
}
