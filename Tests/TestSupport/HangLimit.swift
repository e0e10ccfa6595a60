import CSystem
import Engine
import Glibc
import SystemSupport
public import Testing

/// A limit for each test of a suite: when one takes longer, the run ends and names it.
///
/// It is not `timeLimit`, which counts from when a test is queued, while hundreds of others wait for a thread, and which
/// cannot end a test that waits in a system call. This counts from when the test itself begins.
public struct HangLimit: SuiteTrait, TestTrait, TestScoping {
    fileprivate let watch: HangWatch

    /// The tests of a suite have the limit, not the suite.
    public var isRecursive: Bool { true }

    /// Runs a test while the watch looks at it.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let ticket = watch.begin("\(test.displayName ?? test.name) (\(test.sourceLocation))")
        defer { watch.end(ticket) }
        try await function()
    }
}

extension Trait where Self == HangLimit {
    /// No test may take longer than ten minutes.
    public static var hangLimit: HangLimit { HangLimit(watch: .usual) }

    /// No test may take longer than that, unless so many examples or jobs are asked for that they take longer.
    public static func hangLimit(unless isLong: Bool) -> HangLimit { HangLimit(watch: isLong ? .patient : .usual) }
}

/// Ends the process when something that was begun here takes too long.
public final class HangWatch: Sendable {
    fileprivate static let usual = HangWatch(limit: 600)
    fileprivate static let patient = HangWatch(limit: 1e9)

    private struct State {
        var latest: UInt64 = 0
        /// What is under way: its name, and the moment by which it should have ended.
        var running: [UInt64: (name: String, deadline: UInt64)] = [:]
    }

    private let limit: UInt64
    private let state = Monitor(State())

    /// A watch with a limit in seconds.
    public init(limit: Double) {
        self.limit = UInt64(limit * 1e9)
        do { try ServiceThread.detach { [self] in watch() } } catch { fatalError("\(error)") }
    }

    /// Begins to watch, and returns the number with which it ends.
    public func begin(_ name: String) -> UInt64 {
        state.withLock { state in
            state.latest += 1
            state.running[state.latest] = (name, dlp_now() + limit)
            return state.latest
        }
    }

    /// Ends what `begin` has begun.
    public func end(_ ticket: UInt64) { state.withLock { _ = $0.running.removeValue(forKey: ticket) } }

    private func watch() -> Never {
        var latest = dlp_now()
        while true {
            _ = state.wait(until: dlp_now() + Self.interval) { _ in nil as Void? }
            let elapsed = dlp_now() - latest
            latest += elapsed
            let late = state.withLock { state in
                // While this process was stopped no test could go on.
                if elapsed > 3 * Self.interval {
                    for ticket in state.running.keys { state.running[ticket]?.deadline += elapsed }
                }
                return state.running.values.first { $0.deadline <= latest }?.name
            }
            if let late { end(because: late) }
        }
    }

    /// How often to look, in nanoseconds.
    private static let interval: UInt64 = 1_000_000_000

    private func end(because late: String) -> Never {
        let line = Array("✘ Test \(late) has not ended after \(limit / 1_000_000_000) s, and ends the run\n".utf8)
        _ = write(2, line, line.count)
        // What the tests have started would go on otherwise.
        var started = dlp_tree()
        dlp_tree_add_children(&started, getpid())
        dlp_tree_signal(&started, SIGKILL)
        _exit(1)
    }
}
