public import DLP

/// What to start, how many times and in which way.
public struct LaunchOptions: Sendable {
    /// The number of ranks.
    public var size = 1
    /// The program, looked up in PATH, and its arguments.
    public var command: [SystemString]
    /// The rank that reads standard input; nil: rank 0, unless standard input is a terminal.
    public var pty: Int?
    /// Whether each line is prefixed with `[rank] `.
    public var tagOutput = false
    /// The CPUs that each rank may use; all by default.
    public var binding: Binding?
    /// Variables to set in the environment of the ranks; one without a value is passed on unchanged.
    public var exports: [(name: SystemString, value: SystemString?)] = []
    /// The seconds after which the job is ended.
    public var timeout: Double?
    /// Whether the start and the end of each rank are reported on standard error.
    public var debug = false
    /// The hosts on which to start the ranks; nil: all on this machine.
    public var hosts: HostOptions?
    /// The name under which messages are written.
    public var program = "ameexec"

    /// The CPUs that each rank may use.
    public enum Binding: String, CaseIterable, Sendable {
        /// Rank r only on the r-th of the CPUs that this process may use.
        case core
        /// All of these CPUs.
        case none
    }

    /// On which hosts ranks are started, and how.
    public struct HostOptions: Sendable {
        /// The hosts.
        public var list: HostList
        /// The directory of these programs on the hosts; nil: the same as here.
        public var remotePath: SystemString?
        /// How many of the hosts' places are used, from the first one on; nil: all.
        public var ranks: Int?
        /// Whether the connections between ranks also go over the ssh connections.
        public var tunnels = false
        /// Whether the command's program is one of this package, which lies beside ameexec on each host.
        public var startsOwnProgram = false

        /// Creates options for the places on these hosts.
        public init(list: HostList) { self.list = list }
    }

    /// Creates options for one rank of `command`.
    public init(command: [SystemString] = []) { self.command = command }

    /// Parses a variable for `exports`, written as NAME=VALUE or NAME.
    static func export(_ entry: SystemString) -> (name: SystemString, value: SystemString?) {
        let parts = entry.bytes.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        return (SystemString(bytes: parts[0]), parts.count == 2 ? SystemString(bytes: parts[1]) : nil)
    }

    /// Sets the number of ranks and the hosts, as far as the command line gives them.
    ///
    /// - Throws: `LaunchError` where the options are invalid.
    public mutating func set(_ start: StartOptions) throws(LaunchError) {
        if let ranks = start.ranks { size = try rankCount(ranks) }
        hosts = try HostOptions(start)
    }
}
