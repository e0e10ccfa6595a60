import CSystem
import Glibc

/// The processes that a process has started, and those that they have started, as they were at one moment.
package struct Descendants {
    private struct Member {
        var process: pid_t
        /// A later process of the same number began later.
        var start: UInt64
    }

    private var members: [Member] = []

    /// Those of this process.
    package init() { self.init(and: Self.children(of: getpid())) }

    /// `processes` and those of theirs.
    package init(and processes: [Int32]) {
        for process in processes { add(process) }
        addNew()
    }

    /// Adds what the members have started meanwhile.
    private mutating func addNew() {
        var next = 0
        while next < members.count {
            for child in Self.children(of: members[next].process) { add(child) }
            next += 1
        }
    }

    private mutating func add(_ process: pid_t) {
        let start = dlp_start_of(process)
        guard start > 0, !members.contains(where: { $0.process == process && $0.start == start }) else { return }
        members.append(Member(process: process, start: start))
    }

    private func isRunning(_ member: Member) -> Bool { dlp_start_of(member.process) == member.start }

    /// Sends `signal` to those that still run.
    package func signal(_ signal: Int32) {
        for member in members where isRunning(member) { send(signal, to: member.process) }
    }

    /// Asks them to end, waits for that, and kills those that have not done so in half a second.
    package mutating func end() {
        signal(SIGTERM)
        for _ in 0..<50 {
            if !members.contains(where: isRunning) { return }
            usleep(10_000)
        }
        addNew()
        signal(SIGKILL)
    }

    /// The processes whose parent is `process`.
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
    // Who is stopped would not notice.
    if signal == SIGTERM { kill(target, SIGCONT) }
}
