/// Decides which worker does which example, on the root, as ranks ask.
///
/// It is a value without clock, socket or thread: events go in, actions come out, and its owner carries them out. The
/// root's own rank is a worker like the others. Every example is with at most one worker at a time. It is done exactly
/// once, unless its result died with a worker, or fails for good; an event that contradicts this throws and changes
/// nothing. Every event takes constant time, apart from what it gives back and the actions it causes; a death takes a
/// look at every worker.
///
/// Where workers have shares (mode `round-robin`), each is given its own first; what comes back of a share may go to
/// any worker.
///
/// An example that fails rests until `retry` brings it back, and is then for another worker than the one on which it
/// failed, as long as there is one. The owner, which has a clock, decides how long it rests.
///
/// A worker that finds nothing to do waits until every example is done or has failed, since examples of another worker
/// may come back. Then workers that keep results deliver them, and when all results are safe all workers are ended
/// together. Results that die with a worker before that are made again by those that wait.
///
/// After `halt` nothing more is handed out: as soon as no worker has a chunk, results are delivered and workers ended as
/// if all were done.
///
/// Where costs are known (`order`), the longest examples are begun first; otherwise they are in the order of the list.
///
/// Workers may come late, and may retire early: what they were given goes back then, and what they have done counts.
///
/// A worker that was lost may return. It goes on with that part of its work that no other worker has been given
/// meanwhile, and what it has done counts where no other worker has been given it.
public struct ManagedSchedule: Sendable {
    /// How many examples there are, as far as that is known beforehand.
    public enum Extent: Sendable, Hashable {
        /// This many.
        case known(Int)
        /// None yet: the root adds them with `extend` and ends the list with `close`.
        case growing
        /// Every rank has its own copy of the list and `lengthBecameKnown` tells when one has come to its end; until
        /// then examples are handed out as if there were always more.
        case unbounded
    }

    /// The longest list.
    ///
    /// It is short enough that one can count beyond its end.
    public static let longestList = 1 << 62

    // What events change cannot be private, since the events are in files of their own.

    /// The number of examples; nil where it is not known yet.
    public internal(set) var length: Int?
    /// How many examples are done.
    public internal(set) var doneCount = 0
    /// How many of them were done before the loop began.
    public internal(set) var skippedCount = 0
    /// How many examples have failed for good.
    public internal(set) var failedCount = 0
    /// The cost of all examples that are done or have failed, where costs are known.
    @usableFromInline var workedOffAmount = 0.0
    /// The cost of all examples that were ordered by their costs; nil where none were.
    @usableFromInline var orderedAmount: Double?
    /// How many workers have a chunk.
    public internal(set) var busyWorkers = 0
    /// Whether nothing more is handed out, even if not all is done.
    public internal(set) var isHalted = false
    /// How many workers take part: they have a chunk, deliver results or wait.
    public internal(set) var activeWorkers = 0

    let extent: Extent
    /// Whether the root may add examples until it ends the list.
    let grows: Bool
    let policy: ChunkPolicy
    let failures: FailurePolicy
    let resultsStay: Bool
    /// The workers that have a share each.
    let shareholders: Range<Int>?
    /// Whether they get it chunk by chunk.
    let sharesInChunks: Bool
    /// What is to be shared out once the list is complete.
    var reserved: [Chunk] = []
    /// How many examples have been shared out.
    var sharedCount = 0
    var queue: HandOutQueue
    /// From which end of the queue examples are taken; nil: always from the front.
    var tailProbe: TailProbe?
    var cost = CostEstimate()
    @usableFromInline var workers: [ScheduledWorker]
    /// Workers that wait, and some that no longer do because they left or died.
    var waiting: [Int] = []
    /// How many of the workers have left or died, or are not expected.
    var goneWorkers = 0
    /// One more than the last example that was ever done, or failed.
    var doneEnd = 0
    /// How often the examples that are to be tried again were tried.
    package internal(set) var attempts: [Int: Int] = [:]
    /// The examples that failed and have not been brought back yet, with the worker on which they did.
    var resting: [Int: Int] = [:]
    var retries = RetryQueue()
    /// How many workers died with something under work.
    var deaths = 0
    /// How many of the done examples have results that are not safe yet.
    @usableFromInline var undeliveredCount = 0
    /// Whether the workers that wait have been asked for the results that they keep.
    var hasAskedForResults = false

    /// A schedule for ranks `0 ..< workers`; others may enter later, and are not expected before.
    ///
    /// - Parameters:
    ///   - extent: how many examples there are, as far as that is known.
    ///   - workers: how many ranks the job begins with.
    ///   - policy: how large chunks are.
    ///   - failures: what becomes of examples that fail; only `retries` and `crashLimit` matter here.
    ///   - resultsStay: a worker keeps the results of what it has done until it is asked for them, and they die with it.
    ///   - shares: the last `shares` ranks have a share each, by round robin; nil: no rank has.
    ///   - sharesInChunks: they get it chunk by chunk.
    ///   - mayGrow: a known list may get longer until `close`, like a growing one.
    ///   - mayBeginAtEnd: where the last examples of a known list take longer than the first, those come first.
    ///   - done: examples of a known list that are done already, in their order.
    public init(
        _ extent: Extent, workers: Int, policy: ChunkPolicy = .adaptive, failures: FailurePolicy = FailurePolicy(),
        resultsStay: Bool = false, shares: Int? = nil, sharesInChunks: Bool = false, mayGrow: Bool = false,
        mayBeginAtEnd: Bool = false,
        done: [Range<Int>] = []
    ) {
        self.extent = extent
        grows = extent == .growing || mayGrow
        self.policy = policy
        self.failures = failures
        self.resultsStay = resultsStay
        self.sharesInChunks = sharesInChunks
        self.workers = Array(repeating: ScheduledWorker(), count: max(workers, 1))
        let ranks = self.workers.count
        shareholders = shares.map { ranks - max(1, min($0, ranks))..<ranks }
        switch extent {
        case .known(let count):
            length = mayGrow ? nil : max(count, 0)
            tailProbe = mayBeginAtEnd && shares == nil && done.isEmpty ? TailProbe() : nil
            queue = HandOutQueue(end: max(count, 0), done: done)
            skippedCount = done.reduce(0) { $0 + $1.count }
            doneCount = skippedCount
            shareOut()
        case .growing: queue = HandOutQueue(end: 0)
        case .unbounded:
            queue = HandOutQueue(end: Self.longestList)
            shareOut()
        }
    }

    /// Whether every example is done or has failed, or after `halt` those that were under work; results may still be with
    /// workers, and die with them.
    ///
    /// Inlinable, like `finished`: asked for after each event, and a call would copy the schedule.
    @inlinable public var isSettled: Bool { doneCount + failedCount == length || isHalted && busyWorkers == 0 }
    /// Whether every example that there is so far is done or has failed.
    public var isWorkedOff: Bool { doneCount + failedCount == queue.end }
    /// How many examples there are so far.
    public var listedCount: Int { queue.end }
    /// Whether in addition the results of all that is done are safe.
    @inlinable public var finished: Bool { isSettled && undeliveredCount == 0 }
    /// How many examples are there to be handed out; very many where the list is unbounded.
    public var available: Int {
        let ownCount = shareholders?.reduce(0) { $0 + workers[$1].shares.reduce(0) { $0 + $1.count } } ?? 0
        return queue.count + ownCount
    }
    /// How many more examples are needed, beside those that are there, so that every worker that takes part has one.
    public var idleWorkers: Int { max(0, activeWorkers - busyWorkers - available) }
    /// How long an example takes, in nanoseconds; nil where that is not known.
    public var exampleCost: Double? { cost.recent }
    /// The fraction of the work that is done, by the costs of the examples; nil where these are not known.
    ///
    /// Inlinable, like `finished`.
    @inlinable public var costShare: Double? {
        orderedAmount.map { $0 > 0 ? min(max(workedOffAmount / $0, 0), 1) : 1 }
    }
    /// How many examples were handed out, or are meant for a worker, and did not come back.
    public var handedOut: Int { queue.end - skippedCount - queue.count }

    /// Whether `worker` waits for something to do.
    public func isWaiting(_ worker: Int) -> Bool {
        workers.indices.contains(worker) && workers[worker].phase == .waiting
    }

    /// Whether `worker` takes part.
    public func isActive(_ worker: Int) -> Bool {
        workers.indices.contains(worker)
            && [.working, .waiting, .delivering, .returning].contains(workers[worker].phase)
    }

    /// What `worker` is at work on, as far as it has not reported on it; nil where it has nothing.
    ///
    /// Inlinable, like `finished`.
    @inlinable public func chunk(of worker: Int) -> Chunk? {
        workers.indices.contains(worker) ? workers[worker].current?.chunk : nil
    }

    /// How many examples `worker` has.
    public func outstanding(_ worker: Int) -> Int {
        workers.indices.contains(worker) ? workers[worker].outstanding : 0
    }

    /// How many results `worker` keeps, and how many of them it has delivered.
    public func results(of worker: Int) -> (kept: Int, delivered: Int) {
        guard workers.indices.contains(worker) else { return (0, 0) }
        return (workers[worker].finishedCount, workers[worker].deliveredCount)
    }
}
