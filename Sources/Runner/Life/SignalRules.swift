import Glibc

/// What signals that ask for the end mean, one after another; times are nanoseconds.
///
/// It is used in a signal handler, so that it must not allocate.
struct SignalRules {
    enum Verdict: Equatable {
        /// What runs may still finish.
        case finish
        /// What runs is abandoned.
        case abandon
        /// The process ends at once.
        case die
        /// It belongs to the one before.
        case ignore
    }

    private enum Stage { case running, finishing, abandoning }

    private let letsFinish: Bool
    private var stage = Stage.running
    private var last: UInt64 = 0

    /// - Parameter letsFinish: whether SIGTERM, with which batch systems announce the end, lets what runs finish.
    init(letsFinish: Bool) { self.letsFinish = letsFinish }

    /// What `signal` means that came at the time `now`.
    mutating func handle(_ signal: Int32, at now: UInt64) -> Verdict {
        switch stage {
        case .running:
            last = now
            stage = letsFinish && signal == SIGTERM ? .finishing : .abandoning
            return stage == .finishing ? .finish : .abandon
        case .finishing:
            // Whoever presses Ctrl-C means it.
            if signal == SIGTERM, now - last <= LifePeriods.sameSignal { return .ignore }
            last = now
            stage = .abandoning
            return .abandon
        case .abandoning: return now - last > LifePeriods.sameSignal ? .die : .ignore
        }
    }
}
