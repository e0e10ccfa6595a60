import Glibc
import Synchronization
import Testing

/// Sends signals, as fast as it can, to threads that let it; their system calls are not restarted.
final class Pest: Sendable {
    private struct State {
        var victims: [pthread_t] = []
        var isOver = false
        var count = 0
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private let shared = Shared()
    private let thread: TestThread<Void>

    /// How many signals it has sent.
    var count: Int { shared.state.withLock { $0.count } }

    init() throws {
        var handler = sigaction()
        handler.__sigaction_handler.sa_handler = { _ in }
        try #require(sigaction(SIGUSR1, &handler, nil) == 0)
        thread = try TestThread { [shared] in
            // The lock keeps the threads from ending meanwhile.
            while shared.state.withLock({ state in
                for victim in state.victims { if pthread_kill(victim, SIGUSR1) == 0 { state.count += 1 } }
                return !state.isOver
            }) { usleep(50) }
        }
    }

    deinit {
        shared.state.withLock { $0.isOver = true }
        _ = try? thread.join()
    }

    func begin() { shared.state.withLock { $0.victims.append(pthread_self()) } }

    func end() { shared.state.withLock { state in state.victims.removeAll { $0 == pthread_self() } } }
}

/// Does something on this thread that is disturbed meanwhile.
func disturbed(by pest: Pest?, _ body: () throws -> Void) throws {
    pest?.begin()
    defer { pest?.end() }
    try body()
}
