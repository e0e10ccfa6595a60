import DLP
import LuaHost

/// Calls the script's `setup()` before the first example of a rank.
struct Setup {
    private let host: LuaHost
    private var isDone = false

    init(_ host: LuaHost) { self.host = host }

    /// - Throws: `PhaseError` where `setup()` raises.
    mutating func runOnce() throws {
        guard !isDone else { return }
        isDone = true
        host.seedRandom(index: 0)
        do { try host.setUp() } catch { throw PhaseError(phase: .setup, error: error) }
    }
}
