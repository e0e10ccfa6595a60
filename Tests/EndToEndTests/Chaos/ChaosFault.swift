import FaultRelay
import Glibc

/// Something bad that happens to one process of a job, or to its connection.
struct ChaosFault: CustomStringConvertible {
    /// The process that it happens to.
    enum Victim: Hashable {
        case rank(Int)
        case launcher
    }

    /// What happens.
    enum Kind: Hashable {
        case kill
        /// The process is stopped for this number of milliseconds.
        case pause(Int)
        /// The process is stopped for this number of milliseconds and then killed.
        case pauseAndKill(Int)
        /// Its connection with the root breaks.
        case cut(Relay.End)
        /// Its connection passes nothing on for this number of milliseconds.
        case hold(Int)
        /// The process is stopped for this number of seconds, or for good, in a job with a time limit for examples.
        case stop(seconds: Int?)
        /// The process is asked to end by this signal.
        case signal(Int32)
        /// The system call with this number fails, in the usual way or because a signal interrupts it.
        case failingCall(Int, isInterrupted: Bool)

        /// The kind without its numbers, for statistics.
        var name: String {
            switch self {
            case .kill: "kill"
            case .pause: "pause"
            case .pauseAndKill: "pause-kill"
            case .cut(.close): "cut"
            case .cut(.reset): "reset"
            case .hold: "hold"
            case .stop(nil): "stop"
            case .stop: "stop-go"
            case .signal(SIGINT): "sigint"
            case .signal: "sigterm"
            case .failingCall(_, true): "interrupted-call"
            case .failingCall: "failing-call"
            }
        }

        /// Whether the job loses its victim.
        var isDeadly: Bool {
            switch self {
            case .kill, .pauseAndKill, .cut: true
            case .pause, .hold, .stop, .signal, .failingCall: false
            }
        }
    }

    /// When it happens.
    enum Moment: Hashable {
        /// This number of milliseconds after this number of examples have begun.
        case begun(Int, milliseconds: Int)
        /// This number of milliseconds after the start, which may be before all ranks have met.
        case started(milliseconds: Int)
        /// This number of microseconds after its victim listens to signals.
        case listening(microseconds: Int)
    }

    var victim: Victim
    var kind: Kind
    var moment: Moment

    var description: String { "\(kind) of \(victim) at \(moment)" }

    /// The worker that the job loses for certain, and that it can do without.
    var lostWorker: Int? { kind.isDeadly ? worker : nil }

    /// The worker that the job may lose.
    ///
    /// A worker may be stopped after it has done its part, and not every failing call does harm.
    var threatenedWorker: Int? {
        switch kind {
        case .stop, .failingCall(_, isInterrupted: false): worker
        default: lostWorker
        }
    }

    private var worker: Int? {
        guard case .rank(let rank) = victim, rank > 0 else { return nil }
        return rank
    }

    /// The signal by which the job is asked to end.
    var signal: Int32? { if case .signal(let signal) = kind { signal } else { nil } }

    /// Whether a call fails whose failure should do harm.
    var isFailingCall: Bool { if case .failingCall(_, isInterrupted: false) = kind { true } else { false } }

    /// Whether the process is stopped for long.
    var isStop: Bool { if case .stop = kind { true } else { false } }

    /// Its name in the statistics.
    var name: String {
        switch victim {
        case .launcher: "\(kind.name)-launcher"
        case .rank(0): "\(kind.name)-root"
        case .rank: "\(kind.name)-worker"
        }
    }

    /// Whether the job cannot go on after it.
    var endsJob: Bool { kind.isDeadly && lostWorker == nil }
}
