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

        /// The kind without its figures, for statistics.
        var name: String {
            switch self {
            case .kill: "kill"
            case .pause: "pause"
            case .pauseAndKill: "pause-kill"
            case .cut(.close): "cut"
            case .cut(.reset): "reset"
            case .hold: "hold"
            }
        }

        /// Whether the job loses its victim.
        var isDeadly: Bool {
            switch self {
            case .kill, .pauseAndKill, .cut: true
            case .pause, .hold: false
            }
        }
    }

    /// When.
    enum Moment: Hashable {
        /// So many milliseconds after so many examples have begun.
        case begun(Int, milliseconds: Int)
        /// So many milliseconds after the start, which may be before all ranks have met.
        case started(milliseconds: Int)
    }

    var victim: Victim
    var kind: Kind
    var moment: Moment

    var description: String { "\(kind) of \(victim) at \(moment)" }

    /// Which of those that a job can lose without its end it loses.
    var lostWorker: Int? {
        guard kind.isDeadly, case .rank(let rank) = victim, rank > 0 else { return nil }
        return rank
    }

    /// The name under which statistics count it.
    var name: String {
        switch victim {
        case .launcher: "\(kind.name) launcher"
        case .rank(0): "\(kind.name) root"
        case .rank: "\(kind.name) worker"
        }
    }

    /// Whether the job cannot go on after it.
    var endsJob: Bool { kind.isDeadly && lostWorker == nil }
}
