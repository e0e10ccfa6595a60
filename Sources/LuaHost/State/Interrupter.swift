import CLuaHost
import Synchronization

/// Makes a script fail because its job is over; it can be used from any thread.
public final class Interrupter: Sendable {
    private struct State {
        /// The address of the Lua state, or nil once it is closed. (A pointer could not be shared between threads.)
        var address: UInt?
        var isInterrupted = false
    }

    private let state: Mutex<State>

    init(_ lua: LuaState) { state = Mutex(State(address: UInt(bitPattern: lua))) }

    /// Makes the script fail at its next instruction; if it catches the error, it fails again at each following one.
    public func interrupt() {
        state.withLock { state in
            state.isInterrupted = true
            if let lua = state.address.flatMap({ LuaState(bitPattern: $0) }) { dlp_interrupt(lua) }
        }
    }

    /// Whether `interrupt` was called.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// Must be called before the state is closed.
    func forget() { state.withLock { $0.address = nil } }
}
