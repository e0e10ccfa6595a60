import FaultRelay
import Glibc

/// Something bad that happens to one process of a job, or to its connection.
struct ChaosFault: CustomStringConvertible {
    /// To whom.
    enum Victim: Hashable {
        case rank(Int)
        case launcher
    }

    /// What.
    enum Kind: Hashable {
        case kill
        /// It stands still for so many milliseconds.
        case pause(Int)
        /// It stands still for so many milliseconds and is killed then.
        case pauseAndKill(Int)
        /// Its connection with the root breaks.
        case cut(Relay.End)
        /// Its connection passes nothing on for so many milliseconds.
        case hold(Int)
        /// It stands still for so many seconds, or for good, and there is a limit to its examples.
        case stop(seconds: Int?)
        /// It is asked to end by this signal.
        case signal(Int32)
        /// The so manieth call of the system that it makes fails, in the usual way or because a signal interrupts it.
        case failingCall(Int, isInterrupted: Bool)

        /// The kind without its figures, for statistics.
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

    /// When.
    enum Moment: Hashable {
        /// So many milliseconds after so many examples have begun.
        case begun(Int, milliseconds: Int)
        /// So many milliseconds after the start, which may be before all ranks have met.
        case started(milliseconds: Int)
        /// So many microseconds after its victim listens to signals.
        case listening(microseconds: Int)
    }

    var victim: Victim
    var kind: Kind
    var moment: Moment

    var description: String { "\(kind) of \(victim) at \(moment)" }

    /// Which of those that a job can lose without its end it loses.
    var lostWorker: Int? { kind.isDeadly ? worker : nil }

    /// Which of them it may lose: one may stop when it has done its part, and not every failing call costs anything.
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

    /// The signal by which somebody asks the job to end.
    var signal: Int32? { if case .signal(let signal) = kind { signal } else { nil } }

    /// Whether a call fails that should cost something.
    var isFailingCall: Bool { if case .failingCall(_, isInterrupted: false) = kind { true } else { false } }

    /// Whether it stands still for long.
    var isStop: Bool { if case .stop = kind { true } else { false } }

    /// The name under which statistics count it.
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
