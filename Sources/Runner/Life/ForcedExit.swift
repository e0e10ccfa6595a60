import Glibc
import Launcher

/// The immediate end of this process, whatever its threads do.
///
/// The supervisor uses it as its last means; so does the signal handler.
enum ForcedExit {
    /// Ends this process and all processes that it has started.
    ///
    /// The script may be in a function that does not return.
    static func withDescendants(status: Int32) -> Never {
        Descendants().signal(SIGKILL)
        alone(status: status)
    }

    /// Ends this process alone; may be called by the handler of a signal.
    static func alone(status: Int32) -> Never { _exit(status) }
}
