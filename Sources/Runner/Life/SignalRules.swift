import Glibc

/// The meaning of signals that ask for the end, one after another.
///
/// Times are in nanoseconds.
///
/// It is used in a signal handler, so it must not allocate.
struct SignalRules {
    enum Verdict: Equatable {
        /// Running examples may still finish.
        case finish
        /// Running examples are abandoned.
        case abandon
        /// The process ends at once.
        case die
        /// The signal belongs to the one before it.
        case ignore
    }

    private enum Stage { case running, finishing, abandoning }

    private let letsFinish: Bool
    private var stage = Stage.running
    private var last: UInt64 = 0

    /// - Parameter letsFinish: whether running examples may finish after SIGTERM, with which batch systems announce
    ///   the end.
    init(letsFinish: Bool) { self.letsFinish = letsFinish }

    /// Returns the meaning of `signal`, which came at the time `now`.
    mutating func handle(_ signal: Int32, at now: UInt64) -> Verdict {
        switch stage {
        case .running:
            last = now
            stage = letsFinish && signal == SIGTERM ? .finishing : .abandoning
            return stage == .finishing ? .finish : .abandon
        case .finishing:
            // A Ctrl-C by the user always counts; a SIGTERM right after the first one does not.
            if signal == SIGTERM, now - last <= LifePeriods.sameSignal { return .ignore }
            last = now
            stage = .abandoning
            return .abandon
        case .abandoning: return now - last > LifePeriods.sameSignal ? .die : .ignore
        }
    }
}
