public import Scheduling

/// Receives what happens while the root serves a job: progress, results, losses, the end.
///
/// Called on the service thread.
public protocol JobObserver: Sendable {
    /// The newest loop has made this progress; called after each change.
    func loopChanged(_ progress: LoopProgress?)
    /// A rank reports that it has worked on examples, and what they cost; the last of them may have failed.
    func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost)
    /// Results of the loop `loop` have come to the root; the examples cost `cost` on `host`, and were tried `attempts` times.
    func examplesAreDone(_ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int)
    /// The traces have come of examples of the loop `loop` that the rank `rank` will report next.
    func examplesWereTraced(_ report: TraceReport, of loop: UInt64, by rank: Int)
    /// An example of the loop `loop` has failed for good.
    func exampleFailed(_ fault: Fault, in loop: UInt64)
    /// Returns how a lost rank ended, where the launcher knows more than the connection. Does not wait for the
    /// launcher.
    func explainLoss(of rank: Int) -> LossExplanation
    /// A rank was lost, and the job goes on without it.
    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence)
    /// A rank that was lost is connected again, and goes on.
    func rankReturned(_ rank: Int, host: String)
    /// A worker that came late takes part from now on.
    func rankJoined(_ rank: Int, host: String)
    /// A worker that came late has left in good order, before the end of the job.
    func rankLeft(_ rank: Int, host: String)
    /// The user should know this.
    func note(_ text: String)
    /// The ranks have different elements in a loop, and those of rank 0 are used. `text` says where, and what differs.
    func elementsDiffer(_ text: String)
    /// The job is over, but a rank has not said that it has finished, and is not waited for any longer.
    ///
    /// - Parameter isDone: whether the work is done; otherwise the job was halted before.
    func rankIsSilent(_ rank: Int, host: String, isDone: Bool)
    /// The job ends early: the main thread must abandon its work now.
    func jobEnds(_ end: JobEnd)
    /// The job has ended, but the main thread has not: the process must call `leave`, which ends communication with the
    /// other ranks, and then end.
    func jobIsStuck(_ end: JobEnd, leave: () -> Void)
}

extension JobObserver {
    /// Says nothing.
    public func note(_ text: String) {}
    /// Keeps nothing.
    public func examplesWereTraced(_ report: TraceReport, of loop: UInt64, by rank: Int) {}
    /// Notes it, with advice for the author of a script.
    public func elementsDiffer(_ text: String) {
        note(
            "\(text); Lua's pairs has another order in each process): those of rank 0 hold, and are sent. Sort the "
                + "list to avoid that")
    }
}

/// An observer that ignores everything.
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
    /// Does nothing: the main thread learns of it where it waits for other ranks.
    public func jobEnds(_ end: JobEnd) {}
    /// Does nothing: the main thread may take any time.
    public func jobIsStuck(_ end: JobEnd, leave: () -> Void) {}
}

/// How far a loop is.
public struct LoopProgress: Sendable {
    /// The number of the loop.
    public var operation: UInt64
    /// Examples that are done or have failed for good.
    public var done: Int
    /// How many of them were done before the loop began.
    public var earlier: Int
    /// How many of them have failed for good.
    public var failures: Int
    /// The number of all examples; nil where it is not known.
    public var total: Int?
    /// The fraction that is done of the examples to do, weighted by their costs; nil where costs are not known.
    public var costShare: Double?
    /// Ranks that work on examples.
    public var busy: Int
    /// Ranks that take part.
    public var ranks: Int
    /// The sum of the time that ranks worked, in nanoseconds.
    public var work: UInt64
    /// The sum of the processor time that they used for it, in nanoseconds.
    public var cpu: UInt64
    /// The longest example, among those that were reported alone or have failed: of several that were reported together
    /// it is not known how long each took.
    public var longest: LongestExample?
    /// The most memory, in bytes, that a rank, or a program that an example ran, held while at examples.
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
    /// How it ended, as a clause to follow its name.
    case known(String)
    /// Nothing yet: the launcher may not have noticed.
    case pending
    /// Nothing: the launcher does not know such ranks, or there is no launcher that reports them.
    case unknown
}

/// What follows from the loss of a rank that the job can do without.
public enum LossConsequence: Sendable {
    /// Other ranks do its examples.
    case redone
    /// Its examples are not done: the job is being halted.
    case leftUndone
    /// Nothing: all examples are done.
    case none

    /// The end of a message about the loss.
    package var clause: String {
        switch self {
        case .none: "; all is done"
        case .redone: "; others do its examples"
        case .leftUndone: ""
        }
    }
}
