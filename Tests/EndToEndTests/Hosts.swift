import Glibc
import TestSupport
import Testing

/// Several isolated hosts with their own addresses; they are removed with the object.
final class Hosts {
    private let bed: String

    /// Starts hosts.
    ///
    /// - Parameters:
    ///   - count: The number of hosts, named h1, h2, ..., with the addresses `address(_:)`.
    ///   - slurm: Whether they are also the nodes of a Slurm.
    ///   - ssh: Whether each has an sshd.
    init(_ count: Int, slurm: Bool = false, ssh: Bool = false) throws {
        bed = "\(Testbed.directory)/hosts-\(UInt32.random(in: 0 ... .max))"
        try Testbed.call("testbed/hosts", "up \(count)", bed: bed)
        if ssh { try Testbed.call("testbed/ssh", "start", bed: bed) }
        if slurm { try Testbed.call("testbed/slurm", "start --hosts", bed: bed) }
    }

    deinit {
        try? Testbed.call("testbed/slurm", "stop", bed: bed)
        try? Testbed.call("testbed/ssh", "stop", bed: bed)
        try? Testbed.call("testbed/hosts", "down", bed: bed)
    }

    /// A host's address.
    static func address(_ host: Int, isIPv6: Bool = false) -> String { isIPv6 ? "fd77::\(host)" : "10.77.0.\(host)" }

    /// Starts a command on a host; blanks separate its words.
    func start(
        on host: Int, _ command: String, in scratch: Scratch, input: String = "", environment: [String: String] = [:]
    ) throws -> Launched {
        let words = ["\(Program.scripts)/testbed/hosts", "exec", "\(host)"]
        let variables = Testbed.environment.merging(environment) { $1 }.merging(
            ["DLP_TESTBED": bed, "SLURM_CONF": "\(bed)/slurm/slurm.conf"]) { $1 }
        return try Launched(
            words + command.split(separator: " ").map { String($0) }, in: scratch, input: input, environment: variables,
            at: self)
    }

    /// The command by which a host reaches the others.
    var ssh: String { "ssh -F \(bed)/ssh/config" }

    /// Returns the command lines that run on a host, apart from those of the host itself.
    func processes(on host: Int) throws -> [String] {
        let list = try start(on: host, "ps -A -ww -o args=", in: Scratch()).finish()
        let own = ["bash -c ", "sleep infinity", "sshd: /usr/sbin/sshd", "ps -A"]
        return list.lines.filter { line in !line.contains("<defunct>") && !own.contains { line.hasPrefix($0) } }
    }

    /// Sends a signal to the processes on a host whose command line contains these words.
    func kill(_ signal: String, on host: Int, _ words: String) throws {
        _ = try start(on: host, "pkill -\(signal) -f \(words)", in: Scratch()).finish()
    }

    /// Disconnects a host from the network: its packets vanish from now on.
    func cut(_ host: Int) throws { try Testbed.call("testbed/hosts", "cut \(host)", bed: bed) }

    /// Connects a host again.
    func heal(_ host: Int) throws { try Testbed.call("testbed/hosts", "heal \(host)", bed: bed) }

    /// Makes a host accept only ssh connections from others from now on.
    func close(_ host: Int) throws { try Testbed.call("testbed/hosts", "firewall \(host)", bed: bed) }

    /// Drops everything that `other` sends to `host` from now on, or only packets above a size.
    func deafen(_ host: Int, to other: Int, above size: Int? = nil) throws {
        let limit = size.map { " \($0)" } ?? ""
        try Testbed.call("testbed/hosts", "deafen \(host) \(other)\(limit)", bed: bed)
    }

    /// Disconnects a host from the network and ends everything that runs there.
    func crash(_ host: Int) throws { try Testbed.call("testbed/hosts", "crash \(host)", bed: bed) }
}
