import CLuaHost
import Synchronization

/// Makes a script fail from any thread, because its job is over.
public final class Interrupter: Sendable {
    private struct State {
        /// The address of the Lua state, or nil once it is closed: a pointer could not be shared between threads.
        var address: UInt?
        var isInterrupted = false
    }

    private let state: Mutex<State>

    init(_ lua: LuaState) { state = Mutex(State(address: UInt(bitPattern: lua))) }

    /// Makes the script fail at its next instruction, and, should it catch the error, at each one after that.
    public func interrupt() {
        state.withLock { state in
            state.isInterrupted = true
            if let lua = state.address.flatMap({ LuaState(bitPattern: $0) }) { dlp_interrupt(lua) }
        }
    }

    /// Whether `interrupt` was called.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// The state is about to be closed.
    func forget() { state.withLock { $0.address = nil } }
}
