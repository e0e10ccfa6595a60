import DLP
import LuaHost

/// A script's error, with the part of the job in which it happened.
struct PhaseError: Error {
    var phase: Fault.Phase
    var error: ScriptError
    /// The example at work, counted from 1.
    var example: Int?
    /// Its value, shortened.
    var given = ""
}
