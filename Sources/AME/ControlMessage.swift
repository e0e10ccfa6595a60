/// One packet on the control descriptor between rank 0 and our launcher, as text.
public enum ControlMessage: Equatable, Sendable {
    /// Rank 0 to launcher: rank 0 handles the death of a worker by itself, and the job's status is rank 0's.
    case lead
    /// Rank 0 to launcher: from now on, if rank 0 ends without `over`, it has not come to its end.
    case begun
    /// Rank 0 to launcher: the job is over, well or not, and rank 0 is about to end.
    case over
    /// Rank 0 to launcher: show `text` as the line at the bottom of the terminal; an empty one takes it away.
    case status(text: String)
    /// Launcher to rank 0: a worker ended with an exit status.
    case exited(rank: Int, status: Int32)
    /// Launcher to rank 0: a worker was killed by a signal.
    case signalled(rank: Int, signal: Int32)
    /// Launcher to rank 0: the launcher has lost the connection with a worker's host.
    case lost(rank: Int)

    /// The packet's text.
    public var text: String {
        switch self {
        case .lead: "lead"
        case .begun: "begun"
        case .over: "over"
        case .status(let text): "status \(text)"
        case .exited(let rank, let status): "exited \(rank) \(status)"
        case .signalled(let rank, let signal): "signalled \(rank) \(signal)"
        case .lost(let rank): "lost \(rank)"
        }
    }

    /// The message that `text` says, or nil where it says none.
    public init?(text: String) {
        let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = words.count == 2 ? words[1].split(separator: " ").compactMap { Int32($0) } : []
        switch words[0] {
        case "lead" where words.count == 1: self = .lead
        case "begun" where words.count == 1: self = .begun
        case "over" where words.count == 1: self = .over
        case "status" where words.count == 2: self = .status(text: String(words[1]))
        case "exited" where numbers.count == 2: self = .exited(rank: Int(numbers[0]), status: numbers[1])
        case "signalled" where numbers.count == 2: self = .signalled(rank: Int(numbers[0]), signal: numbers[1])
        case "lost" where numbers.count == 1: self = .lost(rank: Int(numbers[0]))
        default: return nil
        }
    }
}
