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
    /// Whether rank r may run on the r-th of the CPUs that this process may run on, and on no other.
    public var bindToCore = false
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
    public init(command: [SystemString]) { self.command = command }

    /// Adds a variable to `exports`, written as NAME=VALUE or NAME.
    public mutating func export(_ entry: SystemString) {
        let parts = entry.bytes.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        exports.append((SystemString(bytes: parts[0]), parts.count == 2 ? SystemString(bytes: parts[1]) : nil))
    }
}
