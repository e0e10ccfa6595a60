/// Why a job ends before its script does.
///
/// Thrown by functions that wait for other ranks.
public enum JobEnd: Error, Sendable, Equatable {
    /// A rank failed. The root tells the user; the other ranks end without a message.
    case fault(Fault)
    /// A rank called `os.exit`: in the middle of `example`, counted from 1, or, where that is nil, elsewhere in the
    /// script.
    case exit(status: Int32, rank: Int, example: Int? = nil)
    /// The user or the system wants the process to end.
    case interrupted(signal: Int32)
    /// The root said that the job is over.
    case stopped(status: Int32)

    /// The exit status of the job.
    public var status: Int32 {
        switch self {
        case .fault(let fault): fault.status
        case .exit(let status, _, _), .stopped(let status): status
        case .interrupted(let signal): 128 + signal
        }
    }
}
