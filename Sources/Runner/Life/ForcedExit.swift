import Glibc
import Launcher

/// The end of this process at once, whatever its threads do: the supervisor's last means, and that of the handler of signals.
enum ForcedExit {
    /// Ends this process, whose script may be in a function that does not come back, and all that it has started.
    static func withDescendants(status: Int32) -> Never {
        Descendants().signal(SIGKILL)
        alone(status: status)
    }

    /// Ends this process alone; may be called by the handler of a signal.
    static func alone(status: Int32) -> Never { _exit(status) }
}
