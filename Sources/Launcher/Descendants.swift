import CSystem
import Glibc

/// The processes that a process has started, directly or through others, as they were at one moment.
package struct Descendants: ~Copyable {
    private var tree = dlp_tree()

    /// The descendants of this process.
    package init() { dlp_tree_add_children(&tree, getpid()) }

    /// `processes` and their descendants.
    package init(and processes: [Int32]) { for process in processes { dlp_tree_add(&tree, process) } }

    deinit {
        var tree = tree
        dlp_tree_clear(&tree)
    }

    /// Sends `signal` to those that are still running.
    package func signal(_ signal: Int32) { withUnsafePointer(to: tree) { dlp_tree_signal($0, signal) } }

    /// Sends SIGTERM, waits for the processes to end, and kills those that have not ended in half a second.
    package mutating func end() {
        signal(SIGTERM)
        for _ in 0..<50 {
            if !dlp_tree_runs(&tree) { return }
            usleep(10_000)
        }
        dlp_tree_grow(&tree)
        signal(SIGKILL)
    }

    /// Returns the processes whose parent is `process`.
    static func children(of process: pid_t) -> [pid_t] {
        var children = [pid_t](repeating: 0, count: 64)
        while true {
            let count = dlp_children_of(process, &children, children.count)
            if count <= children.count { return Array(children[..<count]) }
            children = [pid_t](repeating: 0, count: 2 * count)
        }
    }
}

/// Sends `signal` to a process or, with a negative number, to a process group.
func send(_ signal: Int32, to target: pid_t) {
    kill(target, signal)
    // A stopped process would not notice the signal.
    if signal == SIGTERM { kill(target, SIGCONT) }
}
