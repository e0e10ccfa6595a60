import Glibc

/// How a process ended.
enum Ending: Hashable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)
    /// Unknown, because the connection with the process's host has broken.
    case lost

    /// The exit status that a shell would report.
    var status: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        case .lost: 3
        }
    }

    /// A predicate that follows the name of the process.
    var description: String {
        switch self {
        case .exited(let status): "ended with status \(status)"
        case .signalled(let signal): "was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
        case .lost: "was lost with its host"
        }
    }
}
