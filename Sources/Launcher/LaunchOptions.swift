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
    /// The name under which messages are written.
    public var program = "ameexec"

    /// One rank of `command`.
    public init(command: [SystemString]) { self.command = command }

    /// Adds a variable to `exports`, written as NAME=VALUE or NAME.
    public mutating func export(_ entry: SystemString) {
        let parts = entry.bytes.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        exports.append((SystemString(bytes: parts[0]), parts.count == 2 ? SystemString(bytes: parts[1]) : nil))
    }
}
