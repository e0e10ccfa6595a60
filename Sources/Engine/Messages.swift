public import Codec
public import Scheduling

/// What a rank says to the root.
///
/// What is rare and large lies apart, so that the frequent messages stay small.
public enum ToRoot: Sendable {
    /// Its part of a collective.
    case collective(CollectiveMessage)
    /// It takes part in a loop.
    indirect case enter(loop: UInt64, LoopEntry)
    /// It was lost, has returned and has come to the end of what it had: it takes part like any other from now on.
    indirect case resume(loop: UInt64, LoopOptions, host: String)
    /// Examples of a chunk are done.
    case done(loop: UInt64, ChunkReport)
    /// The example behind those of the report has failed; the rank goes on with the rest of its chunk.
    indirect case failed(loop: UInt64, ChunkReport, Fault)
    /// What the examples have met that its next report is about.
    indirect case traces(loop: UInt64, TraceReport)
    /// It takes no more of the loop; what it holds and has not begun goes back.
    case leave(loop: UInt64)
    /// The number of examples turned out to be `count`.
    case length(loop: UInt64, count: Int)
    /// Results that had stayed with it.
    case results(loop: UInt64, ResultRun)
    /// All results that had stayed with it have been sent.
    case delivered(loop: UInt64)
    /// It has nothing under work that it has not reported, and takes no more.
    ///
    /// What it was given meanwhile goes back; the root answers with `deliver` where results stayed with it, and in the end
    /// with `end`.
    case retire(loop: UInt64)
    /// An example of the newest loop, from 0, does not come back, and this process ends; that example has failed.
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
    /// The root's part of a collective, or that of a rank which it passes on.
    case collective(CollectiveMessage)
    /// Do these examples, and give the rest back after so many nanoseconds (0: never).
    ///
    /// `examples` holds their encoded values, one after another, where the rank does not have them. Of examples that are
    /// not consecutive none is given back.
    case assign(loop: UInt64, Chunk, giveBackAfter: Int64, examples: Bytes)
    /// The elements of the loop are not those that the rank has: there are `length`, the numbers from 1 on or, where it is
    /// not empty, the encoded `list`.
    case elements(loop: UInt64, list: Bytes, length: Int)
    /// Send the results that stayed with you.
    case deliver(loop: UInt64)
    /// Begin no more examples, of whatever loop; what is unstarted goes back.
    case halt
    /// Nothing is left in the loop for this rank; `isCutShort`: not all of it is done, since no more examples are begun.
    case end(loop: UInt64, length: Int?, isCutShort: Bool)
    /// The root has finished its script.
    case goodbye
    /// The job is over; `isEarly`: before every rank has finished.
    case stop(status: Int32, isEarly: Bool)
    /// To a worker that comes late, as the first word: its rank, and how many ranks the job began with.
    case welcome(rank: Int, size: Int)
    /// To a worker that comes late: take part in the job, of which it must know this.
    case offer(Bytes)
    /// To a worker that comes late: the job does not take it; why, as a clause for its user.
    case refusal(String)
}

/// How a rank enters a loop.
public struct LoopEntry: Sendable {
    /// How many examples the rank knows of; nil: it does not know.
    public var length: Int?
    /// The loop's options, which must be the same on all ranks.
    public var options: LoopOptions
    /// Whether the rank takes examples; one that does not only wants to know when the loop is over.
    public var isWorking = true
    /// The rank's host.
    public var host: String
    /// Where a script begins the loop: what the rank knows of its elements.
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
    /// Where the chunk began, or what was left of it after the last report.
    public var first: Int
    /// How many examples are done from there on.
    public var completed: Int
    /// Whether the rank goes on with the rest; otherwise that goes back.
    public var goesOn: Bool
    /// How long it worked on them, and on the one that failed, in nanoseconds.
    public var nanoseconds: Int64
    /// The processor time that they took, in nanoseconds.
    public var cpu: Int64
    /// The most memory that the rank or a program of its held meanwhile, in bytes; 0 where it does not know.
    public var peak: Int64
    /// The encoded results, one after another; nothing where they stay with the rank.
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
