public import DLP

/// What to start, how often and how.
public struct LaunchOptions: Sendable {
    /// The number of ranks.
    public var size = 1
    /// The program, looked up in PATH, and its arguments.
    public var command: [SystemString]
    /// The rank that reads standard input; nil: rank 0, where standard input is no terminal.
    public var pty: Int?
    /// Whether each line is prefixed with `[rank] `.
    public var tagOutput = false
    /// What each rank may run on; anywhere by default.
    public var binding: Binding?
    /// Variables to set in the environment of the ranks; one without a value is passed on as it is.
    public var exports: [(name: SystemString, value: SystemString?)] = []
    /// The seconds after which the job is ended.
    public var timeout: Double?
    /// Whether the start and the end of each rank are reported on standard error.
    public var debug = false
    /// Where to start the ranks; nil: all on this machine.
    public var hosts: HostOptions?
    /// The name under which messages are written.
    public var program = "ameexec"

    /// What each rank may run on.
    public enum Binding: String, CaseIterable, Sendable {
        /// Rank r on the r-th of the CPUs that this process may run on, and on no other.
        case core
        /// All of these CPUs.
        case none
    }

    /// On which hosts ranks are started, and how.
    public struct HostOptions: Sendable {
        /// The hosts.
        public var list: HostList
        /// The directory of these programs there; nil: the same as here.
        public var remotePath: SystemString?
        /// How many of the places of the hosts are used, from the first on; nil: all.
        public var ranks: Int?
        /// Whether the connections between ranks go over the ssh connections, too.
        public var tunnels = false
        /// Whether the command's program is one of ours, which lies beside ameexec on each host.
        public var startsOwnProgram = false

        /// Places on these hosts.
        public init(list: HostList) { self.list = list }
    }

    /// One rank of `command`.
    public init(command: [SystemString] = []) { self.command = command }

    /// A variable for `exports`, written as NAME=VALUE or NAME.
    static func export(_ entry: SystemString) -> (name: SystemString, value: SystemString?) {
        let parts = entry.bytes.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        return (SystemString(bytes: parts[0]), parts.count == 2 ? SystemString(bytes: parts[1]) : nil)
    }

    /// Where the command line says so, how many ranks are started, and on which hosts.
    ///
    /// - Throws: `LaunchError` where that makes no sense.
    public mutating func set(_ start: StartOptions) throws(LaunchError) {
        if let ranks = start.ranks { size = try rankCount(ranks) }
        hosts = try HostOptions(start)
    }
}
