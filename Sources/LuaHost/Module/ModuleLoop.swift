public import DLP

/// A loop of the module that this rank begins.
public struct ModuleLoop: Sendable {
    /// Its number, which every rank counts alike.
    public var operation: UInt64
    /// The function that begins it, as the script calls it.
    public var function: String
    /// Where in the script it begins.
    public var place: String
    /// How many elements it has, where that is known.
    public var length: Int?
    /// Whether rank 0 gets a result of each element.
    public var hasResults: Bool
    /// Its name, where the script has given it one.
    public var stage: String?
    /// How long an element may take, in seconds.
    public var timeout: Double?
    /// What becomes of elements that fail, and of ranks that die.
    public var failures: FailurePolicy
    /// Whether its progress is wanted.
    public var showsProgress: Bool
    /// What stands before that.
    public var prefix: String

    /// Its elements, as messages call them.
    public var elements: String { "elements of \(stage.map { "the stage \($0)" } ?? function)" }
}

/// What is kept of a loop of which earlier runs of the job have done a part.
public protocol StageResults: AnyObject {
    /// Takes the next element of the list, encoded.
    func add(_ element: Bytes) throws
    /// The list has ended; from here on nobody is given what is done already.
    func complete() throws
    /// The next results of what was done already; nil after the last.
    func next() throws -> ResultRun?
}

/// Who is told of the loops of the module; called on the thread of the script.
public protocol LoopDelegate: AnyObject {
    /// A loop begins on this rank; what this throws ends the job.
    func loopWillBegin(_ loop: ModuleLoop) throws
    /// What is kept of a loop that has a name; nil where nothing is. Asked on rank 0 only, after `loopWillBegin`.
    ///
    /// - Parameter reach: what the loop's function reaches.
    func results(of loop: ModuleLoop, reach: () -> Reach) throws -> (any StageResults)?
    /// Rank 0 is about to get results.
    func resultsWillCome()
    /// An element has failed for good; told on rank 0 only.
    func elementFailed(_ fault: Fault, in loop: ModuleLoop)
    /// The loop is over on rank 0 before all of it is done, because no more is to be begun.
    ///
    /// - Returns: how the job ends.
    func loopWasCutShort(_ loop: ModuleLoop) -> JobEnd
    /// A loop is over for this rank.
    func loopDidEnd(_ loop: ModuleLoop)
}

/// This rank's part in a loop of the module.
struct LoopPart {
    let loop: ModuleLoop
    /// What earlier runs have done, where rank 0 has not passed all of it on yet.
    var results: (any StageResults)?
    /// Every so many nanoseconds it is reported what is done; 0: at the end of a chunk only.
    var reportInterval: UInt64
}
