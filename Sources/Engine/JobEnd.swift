/// Why a job ends before its script does; thrown by whatever waits for other ranks.
public enum JobEnd: Error, Sendable, Equatable {
    /// Some rank failed. The root tells the user; the others go quietly.
    case fault(Fault)
    /// Some rank called `os.exit`; in the middle of an example, counted from 1, or elsewhere in the script.
    case exit(status: Int32, rank: Int, example: Int? = nil)
    /// The user or the system wants the process to end.
    case interrupted(signal: Int32)
    /// The root said that the job is over.
    case stopped(status: Int32)

    /// The exit status that goes with it.
    public var status: Int32 {
        switch self {
        case .fault(let fault): fault.status
        case .exit(let status, _, _), .stopped(let status): status
        case .interrupted(let signal): 128 + signal
        }
    }
}
