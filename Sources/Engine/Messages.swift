public import Codec
public import Scheduling

/// What a rank says to the root.
///
/// Rare and large payloads are `indirect`, so that the frequent messages stay small.
public enum ToRoot: Sendable {
    /// Its part of a collective.
    case collective(CollectiveMessage)
    /// It takes part in a loop.
    indirect case enter(loop: UInt64, LoopEntry)
    /// It was lost, has returned and has finished what it had: it takes part like any other rank from now on.
    indirect case resume(loop: UInt64, LoopOptions, host: String)
    /// Examples of a chunk are done.
    case done(loop: UInt64, ChunkReport)
    /// The example behind those of the report has failed; the rank goes on with the rest of its chunk.
    indirect case failed(loop: UInt64, ChunkReport, Fault)
    /// The traces of the examples that its next report is about.
    indirect case traces(loop: UInt64, TraceReport)
    /// It takes no more of the loop; what it holds and has not begun goes back.
    case leave(loop: UInt64)
    /// The number of examples turned out to be `count`.
    case length(loop: UInt64, count: Int)
    /// Results that had stayed with it.
    case results(loop: UInt64, ResultRun)
    /// All results that had stayed with it have been sent.
    case delivered(loop: UInt64)
    /// It has reported on all that it worked on, and takes no more.
    ///
    /// What it was given meanwhile goes back; the root answers with `deliver` where results stayed with it, and in the end
    /// with `end`.
    case retire(loop: UInt64)
    /// The example with this index, from 0, of the newest loop does not return. It has failed, and this process ends.
    indirect case givenUp(example: Int, Fault)
    /// Something failed for good.
    indirect case fault(Fault)
    /// The script called `os.exit`; `example`, counted from 1, was at work.
    case exit(status: Int32, example: Int?)
    /// Finished; nothing more will come.
    case goodbye
}

/// What the root says to a rank.
public enum ToWorker: Sendable {
    /// The root's part of a collective, or another rank's part that the root passes on.
    case collective(CollectiveMessage)
    /// Do these examples, and give the rest back after `giveBackAfter` nanoseconds (0: never).
    ///
    /// `examples` holds their encoded values, one after another, where the rank does not have them. Where the examples
    /// are not consecutive, none are given back.
    case assign(loop: UInt64, Chunk, giveBackAfter: Int64, examples: Bytes)
    /// The loop has other elements than the rank: the encoded `list` or, where that is empty, the numbers from 1 to
    /// `length`.
    case elements(loop: UInt64, list: Bytes, length: Int)
    /// Send the results that stayed with you.
    case deliver(loop: UInt64)
    /// Begin no more examples of any loop; those not begun go back.
    case halt
    /// Nothing is left in the loop for this rank. `isCutShort`: not all of it is done, since no more examples are
    /// begun.
    case end(loop: UInt64, length: Int?, isCutShort: Bool)
    /// The root has finished its script.
    case goodbye
    /// The job is over; `isEarly`: before every rank has finished.
    case stop(status: Int32, isEarly: Bool)
    /// To a worker that comes late, as the first message: its rank, and how many ranks the job began with.
    case welcome(rank: Int, size: Int)
    /// To a worker that comes late: take part in the job. The bytes are what it must know of the job.
    case offer(Bytes)
    /// To a worker that comes late: the job does not take it, for this reason, a clause for its user.
    case refusal(String)
}

/// How a rank enters a loop.
public struct LoopEntry: Sendable {
    /// How many examples the rank knows of; nil: it does not know.
    public var length: Int?
    /// The loop's options, which must be the same on all ranks.
    public var options: LoopOptions
    /// Whether the rank takes examples; otherwise it is only told when the loop is over.
    public var isWorking = true
    /// The rank's host.
    public var host: String
    /// What the rank knows of the elements; nil where no script begins the loop.
    public var beginning: LoopBeginning?
}

/// What a rank knows of a loop that its script begins.
public struct LoopBeginning: Sendable {
    /// The elements.
    public var list: LoopList
    /// How many collectives the rank has begun before.
    public var collectives: UInt64
}

/// What a rank has done of a chunk.
public struct ChunkReport: Sendable {
    /// The first example of the chunk, or of what was left of it after the last report.
    public var first: Int
    /// How many examples are done from there on.
    public var completed: Int
    /// Whether the rank goes on with the rest of the chunk; otherwise the rest goes back.
    public var goesOn: Bool
    /// How long it worked on them, and on the one that failed, in nanoseconds.
    public var nanoseconds: Int64
    /// The processor time that they took, in nanoseconds.
    public var cpu: Int64
    /// The most memory that the rank, or a program that it ran, held meanwhile, in bytes; 0 where unknown.
    public var peak: Int64
    /// The encoded results, one after another; empty where they stay with the rank.
    public var results: Bytes

    /// A report of this rank; durations are nanoseconds.
    public init(
        first: Int, completed: Int, goesOn: Bool = false, nanoseconds: UInt64, cpu: UInt64 = 0, peak: Int64 = 0,
        results: Bytes
    ) {
        self.first = first
        self.completed = completed
        self.goesOn = goesOn
        self.nanoseconds = Int64(clamping: nanoseconds)
        self.cpu = Int64(clamping: cpu)
        self.peak = peak
        self.results = results
    }
}

/// A rank's part of a collective.
public struct CollectiveMessage: Sendable, Equatable {
    /// The collective's number; every rank counts them alike.
    public var number: UInt64
    /// Which operation it is.
    public var operation: Collective
    /// The line of the script that calls it, or 0.
    public var line = 0
    /// In a broadcast: the rank that the bytes come from.
    public var root = 0
    /// Whether the rank only says that it waits for the collective.
    public var isAnnouncement = false
    /// What the rank has for the others.
    public var bytes: Bytes
}

/// The operations that all ranks take part in.
public enum Collective: UInt8, Sendable {
    case broadcast = 1
    case gather = 2
    case barrier = 3
    /// The root's answer in a barrier.
    case release = 4
    case agreement = 5
}
