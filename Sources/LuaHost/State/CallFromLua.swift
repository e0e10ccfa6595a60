import CLua
import CLuaHost
import DLP

/// The functions of the module `dlp` that are written in Swift, by the number that their Lua closure holds.
enum HostFunction: Int32, CaseIterable {
    case loadPart, exit, barrier, broadcast, gather
    case enterLoop, nextEvent, finishChunk, finishPart, addResult, failElement, leaveLoop, cancelLoop, reportLength
    case stopJob, addExamples, noteLater, whatNext, resumeChunk, staysUndone, isApart, nearest, shown, copy, copied,
        encodeJSON
    case encodeLine, keepOutputs, failOutput, depends, digestFile
}

/// The reason why a call from Lua fails.
enum CallError: Error {
    /// The script has made an error.
    case script(String)
    /// The job is over.
    case end(JobEnd)

    /// What the user asked for cannot be written, which ends the job.
    static func output(_ message: String, on rank: Int) -> CallError {
        .end(.fault(Fault(phase: .communication, message: message, rank: rank, host: HostName.current, status: 2)))
    }
}

/// Runs the function `number`; Lua's trampoline calls it.
///
/// Nothing here raises a Lua error. Errors are returned as a status, and C raises them after this frame has returned.
func dispatchCallFromLua(_ context: UnsafeMutableRawPointer?, _ state: LuaState?, _ number: Int32) -> Int32 {
    guard let context, let state, let function = HostFunction(rawValue: number) else {
        lua_pushnil(state)
        return dlp_raise
    }
    let host = Unmanaged<LuaHost>.fromOpaque(context).takeUnretainedValue()
    do {
        if let end = host.jobEnd { throw CallError.end(end) }
        return try host.call(function, state)
    } catch CallError.script(let message) {
        push(state, message)
    } catch CallError.end(let end) {
        host.end(end)
        push(state, "the job is over")
    } catch {
        push(state, "\(error)")
    }
    return dlp_raise
}
