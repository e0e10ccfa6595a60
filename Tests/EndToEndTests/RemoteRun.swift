import Glibc
import TestSupport
import Testing

/// A job that is started on the first of several hosts.
struct RemoteRun {
    let hosts: Hosts
    let scratch: Scratch

    init(_ job: String = "", hosts count: Int = 2) throws {
        hosts = try Hosts(count, ssh: true)
        scratch = try Scratch(job: job)
    }

    /// Starts a command on the first host.
    func start(_ command: String, input: String = "", _ environment: [String: String] = [:]) throws -> Launched {
        try hosts.start(
            on: 1, command, in: scratch, input: input,
            environment: environment.merging(["DLP_SSH": hosts.ssh]) { own, _ in own })
    }

    /// Waits until nothing of a job is left on these hosts.
    func isClean(_ numbers: Int...) throws {
        for host in numbers {
            var left: [String] = []
            try eventually("nothing is left on host \(host), but\n\(left.joined(separator: "\n"))") {
                left = try hosts.processes(on: host)
                return left.isEmpty
            }
        }
    }
}
