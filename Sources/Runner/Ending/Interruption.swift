import AME
import CSystem
import DLP
import Glibc
import Synchronization

/// What SIGINT, SIGTERM and SIGHUP do to a rank.
///
/// SIGTERM is how batch systems announce the end, and how launchers pass that on: a job that hands out examples finishes
/// those that run, for which it has a time of grace. The other ranks, which often get the signal too, follow the root.
final class Interruption: Sendable {
    private struct State {
        /// Whether examples are being handed out.
        var isInLoop = false
        /// The signal after which no more are.
        var signal: Int32?
        /// The first signal that came.
        var first: Int32?
        var part = Part.starting
    }

    /// What this rank is.
    private enum Part {
        /// It looks for the others still.
        case starting
        case root(halt: @Sendable (UInt64) -> Void, end: @Sendable (JobEnd) -> Void)
        case worker(noted: @Sendable () -> Void)
    }

    /// How long what runs may take to finish, in nanoseconds.
    private static let grace: UInt64 = 10_000_000_000
    /// How long a worker follows the root before it takes a signal to be meant for itself alone.
    private static let patience: UInt64 = 2_000_000_000
    /// The same as long as it is not connected with the root.
    private static let startPatience: UInt64 = 500_000_000

    private let state = Mutex(State())

    /// From now on what runs may finish.
    func loopBegins() { state.withLock { $0.isInLoop = true } }

    /// The loop is over.
    ///
    /// - Returns: the signal that ended it early, if one did.
    func loopEnds() -> Int32? {
        state.withLock { state in
            state.isInLoop = false
            return state.signal
        }
    }

    /// Whether a signal has ended the hand-out.
    var hasCome: Bool { state.withLock { $0.signal != nil } }

    private var isInLoop: Bool { state.withLock { $0.isInLoop } }

    /// The signal that has asked this rank to end, if one has.
    var first: Int32? { state.withLock { $0.first } }

    /// Watches from now on.
    ///
    /// Until it is clear what this rank is, a signal ends it: the root at once, and others after a while, lest the root
    /// takes them for lost.
    ///
    /// - Parameter speaks: whether it says so; else the launcher does, which sees that the signal has ended it.
    /// - Throws: `CommunicationError` where the system has no descriptors or no thread to give.
    func begin(isRoot: Bool, speaks: Bool) throws(CommunicationError) {
        try SignalWatch.start(letsFinish: isRoot, holdsScript: true) { [self] signals in
            guard let signal = signals.next() else { return }
            let part = state.withLock { state in
                state.first = signal
                return state.part
            }
            switch part {
            case .starting where isRoot:
                Rendezvous.removeFile()
                guard speaks else { dlp_die_by_signal(signal) }
                Complaint.write("interrupted")
                Abandonment.finish(status: 128 + signal)
            case .starting: follow(signal, Self.startPatience)
            case .root(let halt, let end): lead(signal, signals, halt, end)
            case .worker(let noted):
                noted()
                follow(signal, Self.patience)
            }
        }
    }

    /// This rank is the root.
    ///
    /// - Parameters:
    ///   - halt: lets every rank finish what it does, from a moment on.
    ///   - end: ends the job.
    func lead(halt: @escaping @Sendable (UInt64) -> Void, end: @escaping @Sendable (JobEnd) -> Void) {
        state.withLock { $0.part = .root(halt: halt, end: end) }
    }

    private func lead(
        _ first: Int32, _ signals: SignalWatch, _ halt: (UInt64) -> Void, _ end: (JobEnd) -> Void
    ) {
        var signal = first
        if signal == SIGTERM, letFinish(signal) {
            halt(dlp_now())
            if let second = signals.next(within: Self.grace) {
                signal = second
            } else if !isInLoop {
                // All that ran has finished, and the job is about to end by itself.
                guard let second = signals.next() else { return }
                signal = second
            }
        }
        end(.interrupted(signal: signal))
    }

    private func letFinish(_ signal: Int32) -> Bool {
        state.withLock { state in
            if state.isInLoop { state.signal = signal }
            return state.isInLoop
        }
    }

    /// This rank is another, which the root ends, and says how far the job came.
    ///
    /// - Parameter noted: called as soon as there is a signal.
    func follow(noted: @escaping @Sendable () -> Void) {
        let hasCome = state.withLock { state in
            state.part = .worker(noted: noted)
            return state.first != nil
        }
        if hasCome { noted() }
    }

    private func follow(_ signal: Int32, _ patience: UInt64) {
        let wasInLoop = isInLoop
        Pause.milliseconds(Int(patience / 1_000_000))
        // A rank that was just about to begin the loop follows the root, too.
        if signal == SIGTERM, wasInLoop || isInLoop {
            Pause.milliseconds(Int(Self.grace / 1_000_000))
            // This rank has done its part, and the root, which is still there, decides when all end.
            guard isInLoop else { return }
        }
        Abandonment.finish(status: 128 + signal)
    }
}
