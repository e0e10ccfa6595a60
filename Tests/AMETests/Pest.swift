import Glibc
import Synchronization
import Testing

/// Sends signals as fast as it can to threads that allow it; their system calls are not restarted.
final class Pest: Sendable {
    private struct State {
        var victims: [pthread_t] = []
        var isOver = false
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    /// How many signals have arrived, from any pest.
    private static let arrived = Atomic(0)

    private let shared = Shared()
    private let thread: TestThread<Void>
    private let before: Int

    /// How many signals have arrived since this pest began; those of other pests at the same time count as well.
    var count: Int { Self.arrived.load(ordering: .relaxed) - before }

    init() throws {
        before = Self.arrived.load(ordering: .relaxed)
        var handler = sigaction()
        handler.__sigaction_handler.sa_handler = { _ in Pest.arrived.add(1, ordering: .relaxed) }
        try #require(sigaction(SIGUSR1, &handler, nil) == 0)
        thread = try TestThread { [shared] in
            // The lock keeps the threads from ending meanwhile.
            while shared.state.withLock({ state in
                for victim in state.victims { pthread_kill(victim, SIGUSR1) }
                return !state.isOver
            }) { usleep(50) }
        }
    }

    deinit {
        shared.state.withLock { $0.isOver = true }
        _ = try? thread.join()
    }

    func begin() {
        // Tests run on threads of libdispatch, which block all signals, and the threads that they start inherit that.
        block(false)
        shared.state.withLock { $0.victims.append(pthread_self()) }
    }

    func end() {
        shared.state.withLock { state in state.victims.removeAll { $0 == pthread_self() } }
        block(true)
    }

    private func block(_ isBlocked: Bool) {
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGUSR1)
        pthread_sigmask(isBlocked ? SIG_BLOCK : SIG_UNBLOCK, &mask, nil)
    }
}

/// Runs `body` on this thread, which is disturbed meanwhile.
func disturbed(by pest: Pest?, _ body: () throws -> Void) throws {
    pest?.begin()
    defer { pest?.end() }
    try body()
}
