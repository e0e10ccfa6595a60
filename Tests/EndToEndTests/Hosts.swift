import Glibc
import Testing

/// Several hosts with addresses of their own, and nobody else's; they go with the object.
final class Hosts {
    private let bed: String

    /// Starts hosts.
    ///
    /// - Parameters:
    ///   - count: How many, named h1, h2, ..., with the addresses `address(_:)`.
    ///   - slurm: Whether they are the nodes of a Slurm, too.
    init(_ count: Int, slurm: Bool = false) throws {
        bed = "\(Testbed.directory)/hosts-\(UInt32.random(in: 0 ... .max))"
        try Testbed.call("testbed/hosts", "up \(count)", bed: bed)
        if slurm { try Testbed.call("testbed/slurm", "start --hosts", bed: bed) }
    }

    deinit {
        try? Testbed.call("testbed/slurm", "stop", bed: bed)
        try? Testbed.call("testbed/hosts", "down", bed: bed)
    }

    /// A host's address.
    static func address(_ host: Int, isIPv6: Bool = false) -> String { isIPv6 ? "fd77::\(host)" : "10.77.0.\(host)" }

    /// Starts a command on a host; its words are parted by blanks.
    func start(
        on host: Int, _ command: String, in scratch: Scratch, environment: [String: String] = [:]
    ) throws -> Launched {
        let words = ["\(Program.scripts)/testbed/hosts", "exec", "\(host)"]
        let variables = Testbed.environment.merging(environment) { $1 }.merging(
            ["DLP_TESTBED": bed, "SLURM_CONF": "\(bed)/slurm/slurm.conf"]) { $1 }
        return try Launched(
            words + command.split(separator: " ").map { String($0) }, in: scratch, environment: variables, at: self)
    }

    /// Takes a host off the network, whose packets vanish from now on.
    func cut(_ host: Int) throws { try Testbed.call("testbed/hosts", "cut \(host)", bed: bed) }

    /// Takes a host back that was cut off.
    func heal(_ host: Int) throws { try Testbed.call("testbed/hosts", "heal \(host)", bed: bed) }

    /// From now on nothing that `other` sends reaches `host`, or only packets up to a size.
    func deafen(_ host: Int, to other: Int, above size: Int? = nil) throws {
        let limit = size.map { " \($0)" } ?? ""
        try Testbed.call("testbed/hosts", "deafen \(host) \(other)\(limit)", bed: bed)
    }

    /// Takes a host off the network and ends all that runs there.
    func crash(_ host: Int) throws { try Testbed.call("testbed/hosts", "crash \(host)", bed: bed) }
}
