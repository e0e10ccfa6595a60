public import DLP

/// A loop of the module that begins on this rank.
public struct ModuleLoop: Sendable {
    /// Its number, the same on every rank.
    public var operation: UInt64
    /// The name of the function that begins it, as the script writes it.
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
    /// What happens when elements fail and when ranks die.
    public var failures: FailurePolicy
    /// Whether its progress is shown.
    public var showsProgress: Bool
    /// The text before the progress.
    public var prefix: String

    /// What messages call its elements.
    public var elements: String { "elements of \(stage.map { "the stage \($0)" } ?? function)" }
}

/// What is kept of a loop when earlier runs of the job have done a part of it.
public protocol StageResults: AnyObject {
    /// Takes the next element of the list, encoded.
    func add(_ element: Bytes) throws
    /// The list has ended. From here on, elements that are done already are not handed out.
    func complete() throws
    /// Returns the next results of earlier runs; nil after the last.
    func next() throws -> ResultRun?
}

/// The object that is told of the module's loops; it is called on the script's thread.
public protocol LoopDelegate: AnyObject {
    /// A loop begins on this rank. An error thrown here ends the job.
    func loopWillBegin(_ loop: ModuleLoop) throws
    /// This rank is about to work on a chunk of a loop, or to go on with it; other loops may have been worked on since.
    func chunkWillGoOn(_ loop: ModuleLoop) throws
    /// Returns what is kept of a loop that has a name; nil where nothing is kept. Called on rank 0 only, after `loopWillBegin`.
    ///
    /// - Parameter reach: finds what the loop's function reaches.
    func results(of loop: ModuleLoop, reach: () -> Reach) throws -> (any StageResults)?
    /// Rank 0 is about to get results.
    func resultsWillCome()
    /// An element has failed for good; called on rank 0 only.
    func elementFailed(_ fault: Fault, in loop: ModuleLoop)
    /// The loop is over on rank 0 before all of it is done, because the job is to start no more work.
    ///
    /// - Returns: how the job ends.
    func loopWasCutShort(_ loop: ModuleLoop) -> JobEnd
    /// A loop is over for this rank.
    func loopDidEnd(_ loop: ModuleLoop)
}

/// This rank's part in a loop of the module.
///
/// Several loops can be under way at once, each with a chunk: the elements of one may come from another.
final class LoopPart {
    let loop: ModuleLoop
    /// The results of earlier runs, until rank 0 has passed on all of them.
    var results: (any StageResults)?
    /// The time between reports on finished elements, in nanoseconds; 0: they are reported at the end of a chunk only.
    let reportInterval: UInt64
    /// Collects the results of the current chunk.
    let encoder = LuaEncoder()
    /// The clock of the current chunk.
    var underWay = LoopUnderWay()
    /// What has been reported of it: the time since its beginning, and the processor time then.
    var reported: (time: UInt64, cpu: UInt64) = (0, 0)

    init(loop: ModuleLoop, reportInterval: UInt64) {
        self.loop = loop
        self.reportInterval = reportInterval
    }
}
