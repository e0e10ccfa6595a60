public import Scheduling

/// Who looks on while the root serves: progress, the end of the job.
///
/// Called on the service thread.
public protocol JobObserver: Sendable {
    /// How far the newest loop is, after each change.
    func loopChanged(_ progress: LoopProgress?)
    /// A rank reports that it has worked on examples, and what they cost; the last of them may have failed.
    func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost)
    /// Results of the loop `loop` have come to the root; the examples cost `cost` on `host`, and were tried `attempts` times.
    func examplesAreDone(_ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int)
    /// What examples of the loop `loop` have met that the rank `rank` will report next.
    func examplesWereTraced(_ report: TraceReport, of loop: UInt64, by rank: Int)
    /// An example of the loop `loop` has failed for good.
    func exampleFailed(_ fault: Fault, in loop: UInt64)
    /// How a rank ended that was lost, where the launcher knows more than the connection; does not wait for that.
    func explainLoss(of rank: Int) -> LossExplanation
    /// A rank was lost, and the job goes on without it.
    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence)
    /// A rank that was lost is connected again, and goes on.
    func rankReturned(_ rank: Int, host: String)
    /// A worker that came late takes part from now on.
    func rankJoined(_ rank: Int, host: String)
    /// A worker that came late has gone in good order, before the job's end.
    func rankLeft(_ rank: Int, host: String)
    /// Something that the user should know.
    func note(_ text: String)
    /// The ranks have different elements in a loop, and those of rank 0 hold; `text` says where, and what differs.
    func elementsDiffer(_ text: String)
    /// The job is over, and `isDone` or was halted before, but a rank has not said that it has finished, and is not waited for
    /// any longer.
    func rankIsSilent(_ rank: Int, host: String, isDone: Bool)
    /// The job ends early: whatever the main thread does must be abandoned now.
    func jobEnds(_ end: JobEnd)
    /// The main thread did not end although the job has: the process must go, after `leave`, which takes leave of the
    /// other ranks.
    func jobIsStuck(_ end: JobEnd, leave: () -> Void)
}

extension JobObserver {
    /// Says nothing.
    public func note(_ text: String) {}
    /// Keeps nothing.
    public func examplesWereTraced(_ report: TraceReport, of loop: UInt64, by rank: Int) {}
    /// Says so, for a script.
    public func elementsDiffer(_ text: String) {
        note(
            "\(text); Lua's pairs has another order in each process): those of rank 0 hold, and are sent. Sort the "
                + "list to avoid that")
    }
}

/// An observer that lets everything pass.
public struct NoObserver: JobObserver {
    /// An observer.
    public init() {}

    /// Shows nothing.
    public func loopChanged(_ progress: LoopProgress?) {}
    /// Keeps nothing.
    public func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost) {}
    /// Keeps nothing.
    public func examplesAreDone(
        _ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int
    ) {}
    /// Keeps nothing.
    public func exampleFailed(_ fault: Fault, in loop: UInt64) {}
    /// Knows nothing.
    public func explainLoss(of rank: Int) -> LossExplanation { .unknown }
    /// Says nothing.
    public func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence) {}
    /// Says nothing.
    public func rankReturned(_ rank: Int, host: String) {}
    /// Says nothing.
    public func rankJoined(_ rank: Int, host: String) {}
    /// Says nothing.
    public func rankLeft(_ rank: Int, host: String) {}
    /// Says nothing.
    public func rankIsSilent(_ rank: Int, host: String, isDone: Bool) {}
    /// Leaves it to the main thread, which learns of it wherever it waits for other ranks.
    public func jobEnds(_ end: JobEnd) {}
    /// Lets the main thread take its time.
    public func jobIsStuck(_ end: JobEnd, leave: () -> Void) {}
}

/// How far a loop is.
public struct LoopProgress: Sendable {
    /// The loop.
    public var operation: UInt64
    /// Examples that are done or have failed for good.
    public var done: Int
    /// Those that were done before the loop began.
    public var earlier: Int
    /// Those that have failed for good.
    public var failures: Int
    /// All of them, where that is known.
    public var total: Int?
    /// Which part of those that were to be done is, by what they cost; nil where that is not known.
    public var costShare: Double?
    /// Ranks that work on some.
    public var busy: Int
    /// Ranks that take part.
    public var ranks: Int
    /// The sum of the time that ranks worked, in nanoseconds.
    public var work: UInt64
    /// The sum of the processor time that they took for it, in nanoseconds.
    public var cpu: UInt64
    /// The longest of the examples; those that were reported together count as equally long.
    public var longest: LongestExample?
    /// The most memory, in bytes, that a rank held while at examples, or a program that they ran.
    public var peak: Int64?
    /// How many ranks share the root's host.
    public var ranksHere = 1
    /// How many ranks are lost, and have not come back.
    public var lost = 0
}

/// Which example took the longest.
public struct LongestExample: Sendable, Hashable {
    /// The example, from 0.
    public var index: Int
    /// How long it took, in nanoseconds.
    public var nanoseconds: Int64
}

/// What the launcher says of a rank that was lost.
public enum LossExplanation: Sendable {
    /// This is how it ended, as a clause behind its name.
    case known(String)
    /// Nothing yet: it may not have noticed.
    case pending
    /// Nothing: it does not know such ranks, or there is no launcher that says so.
    case unknown
}

/// What follows from the loss of a rank that the job can do without.
public enum LossConsequence: Sendable {
    /// Others do what it had.
    case redone
    /// Nothing, for the job is being halted.
    case leftUndone
    /// Nothing, for all is done.
    case none

    /// What a message about the loss ends with.
    package var clause: String {
        switch self {
        case .none: "; all is done"
        case .redone: "; others do its examples"
        case .leftUndone: ""
        }
    }
}
