public import Codec
public import Scheduling
import SystemSupport

/// What a loop wants next from a rank that takes part in it.
public enum LoopEvent: Sendable {
    /// Do these examples, and give the rest back after `giveBackAfter` nanoseconds (0: never). `examples` holds their
    /// encoded values, one after another, where the rank does not have them.
    case work(Chunk, giveBackAfter: Int64, examples: Bytes)
    /// Root only: results have come, of evenly spaced examples.
    case results(ResultRun)
    /// Root only: an example has failed for good.
    indirect case failed(Fault)
    /// Root only: the hand-out runs short of examples; give it more.
    case needsExamples(LoopDemand)
    /// Root only, for a list that may grow: all of it so far is done, and `added` of its examples were added.
    case workedOff(added: Int)
    /// The loop has other elements than this rank: the encoded list or, where that is empty, the numbers up to
    /// `length`.
    case list(Bytes, length: Int)
    /// Deliver the results that have stayed here, and then say so.
    case deliver
    /// The root had lost this rank, and has given its examples to others. Send the results that have stayed here, which
    /// count where no other rank has made them, and then call `WorkerClient.resume`.
    case returned
    /// The loop is over for this rank. `length`: how many examples the loop has, where that is known.
    case end(length: Int?)
    /// The loop is over before all of it is done, since no more examples are to be begun. In a loop of a script, only
    /// the end of the job comes after that.
    case halted(length: Int?)
}

/// How many examples a loop needs from the code that makes them.
public struct LoopDemand: Sendable, Hashable {
    /// How many examples keep its ranks busy for the next moments.
    public var count: Int
    /// How many ranks have nothing to do.
    public var idle: Int
    /// How many examples of the list the loop had been given by then.
    public var given: Int

    /// A demand.
    public init(count: Int, idle: Int, given: Int) {
        self.count = count
        self.idle = idle
        self.given = given
    }
}

/// Encoded results of evenly spaced examples.
public struct ResultRun: Sendable {
    /// The first example, from 0.
    public var first: Int
    /// How many examples there are.
    public var count: Int
    /// The distance from one example to the next.
    public var stride: Int
    /// The results, one CBOR item each, in the order of the examples.
    public var results: Bytes
    /// The rank that made them.
    public var rank: Int

    /// Results of evenly spaced examples.
    public init(first: Int, count: Int, stride: Int = 1, results: Bytes, rank: Int) {
        self.first = first
        self.count = count
        self.stride = stride
        self.results = results
        self.rank = rank
    }

    /// Results of the examples of `chunk`.
    public init(_ chunk: Chunk, results: Bytes, rank: Int) {
        self.init(first: chunk.first, count: chunk.count, stride: chunk.stride, results: results, rank: rank)
    }

    /// Whether such examples can exist, with at least one byte of results each: another rank may claim anything.
    var isPossible: Bool {
        count <= results.count && Chunk(first: first, count: count, stride: stride).isPossible
    }
}

/// A rank's place in the job as its main thread uses it: collectives, loops, the end.
///
/// The main thread owns the Lua state. On a worker it owns the communicator too (`WorkerClient`); on the root that belongs
/// to a service thread (`RootClient`), so that handing out work never waits for the root's own example.
public protocol RankClient: AnyObject {
    /// What this rank can do that others cannot.
    var role: RankRole { get }
    /// This rank, from 0.
    var rank: Int { get }
    /// How many ranks the job has.
    var size: Int { get }
    /// Counts the collectives that this rank took part in; every rank counts alike.
    var collectives: UInt64 { get set }
    /// Counts the loops that this rank entered; every rank counts alike.
    var loops: UInt64 { get set }

    /// The line of the script that calls a collective, or 0.
    var line: Int { get set }

    /// Sends a message to the root: from another rank, or from rank 0 in its role as a worker.
    func post(_ message: ToRoot) throws(JobEnd)
    /// Waits for the next part of a collective from `source`.
    ///
    /// A worker that waits for long sends the root `announcement`. In a broadcast it sends nothing else, so without
    /// this the root would never learn that the worker is at another collective.
    ///
    /// - Returns: nil, on the root, where `source` was lost in a loop that can do without it.
    func collective(
        from source: Int, announcing announcement: CollectiveMessage
    ) throws(JobEnd) -> CollectiveMessage?

    /// Gives the bytes of rank `root` to every rank.
    func broadcast(_ bytes: Bytes, root: Int) throws(JobEnd) -> Bytes
    /// Brings the bytes of all ranks to the root, by rank; nil on the others.
    func gather(_ bytes: Bytes) throws(JobEnd) -> [Bytes]?
    /// Returns once every rank that was not lost has called it.
    func barrier() throws(JobEnd)
    /// Gathers the statements of all ranks on the root, and sends what `judge` makes of them to all ranks.
    ///
    /// - Parameters:
    ///   - statement: what this rank says.
    ///   - judge: called on the root with what the ranks say, by rank; what it returns is for all.
    func agree(_ statement: Bytes, judge: ([Bytes]) throws(JobEnd) -> Bytes) throws(JobEnd) -> Bytes

    /// Waits for what the loop `loop` wants next.
    func event(of loop: UInt64) throws(JobEnd) -> LoopEvent
    /// Whether no more examples are to be begun; does not wait.
    ///
    /// Worth checking now and then between the examples of a long chunk.
    func isHalted() throws(JobEnd) -> Bool
}

/// A rank is the root or a worker, and each has functions that the other lacks.
public enum RankRole {
    /// Rank 0.
    case root(RootClient)
    /// Any other rank.
    case worker(WorkerClient)
}

extension RankClient {
    /// Whether this is rank 0.
    public var isRoot: Bool { rank == 0 }
    /// This client where it is the root's.
    public var root: RootClient? { if case .root(let root) = role { root } else { nil } }
    /// This client where it is a worker's.
    public var worker: WorkerClient? { if case .worker(let worker) = role { worker } else { nil } }

    /// Takes part in a new loop over `length` examples (nil: not known) and returns its number.
    ///
    /// A rank that only watches (the root with `working` false) calls it too.
    ///
    /// - Parameter list: the elements, in a loop that the script begins on every rank by itself.
    public func enterLoop(
        _ list: LoopList? = nil, length: Int?, options: LoopOptions, working: Bool = true
    ) throws(JobEnd) -> UInt64 {
        loops += 1
        let beginning = list.map { LoopBeginning(list: $0, collectives: collectives) }
        try post(
            .enter(
                loop: loops,
                LoopEntry(
                    length: length, options: options, isWorking: working, host: HostName.current,
                    beginning: beginning)))
        return loops
    }

    /// Waits for the end of the job, which this rank has caused.
    ///
    /// Returns where the root had lost this rank, and may not know of it.
    public func waitForEnd(of loop: UInt64) throws(JobEnd) {
        while true { if case .returned = try event(of: loop) { return } }
    }
}
