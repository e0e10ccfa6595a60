public import Codec

/// What one rank sends another: a kind, five numbers and a body.
///
/// The numbers are part of every message, so that no kind needs a format of its own around its body and a
/// transport can put them into its frame header.
public struct Message: Sendable, Equatable {
    /// What a message is about, and with that what its numbers mean.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// Part of a broadcast, gather or barrier.
        ///
        /// `operation`: which one; `extra`: the `Collective`, and from bit 8 on the line of the script; `first`: the rank
        /// whose bytes are broadcast; `count`: 1 where a rank only says that it waits for it.
        case collective = 1

        /// Worker to root: takes part in the loop `operation`.
        ///
        /// `first`: the number of examples or -1; `count`: 1, or 0 for a rank that only looks on, or 2 for one that was
        /// lost and has come to the end of what it had; `extra`: the loop's options, which must be the same on all ranks;
        /// `body`: the name of the rank's host.
        case enter = 2
        /// Worker to root: as `enter`, for a loop that a script begins.
        ///
        /// `body`: an encoded `LoopEntry`.
        case begin = 14
        /// Worker to root: a chunk is done.
        ///
        /// `first`: where it began; `count`: how many of its examples are done, the rest goes back; `extra`:
        /// nanoseconds of work; `body`: the results, or nothing where they stay.
        case done = 3
        /// Worker to root: a part of a chunk is done; the worker goes on with the rest.
        ///
        /// `first`: where the chunk began, or its rest; `count`: how many of its examples are done, but not all; `extra`:
        /// nanoseconds of work; `body`: the results, or nothing where they stay.
        case part = 16
        /// Worker to root: takes no more of the loop.
        ///
        /// `first`, `count`: the unstarted rest of what it holds.
        case leave = 4
        /// Worker to root: the number of examples turned out to be `count`.
        case length = 5
        /// Worker to root: results that had stayed with it.
        ///
        /// `first`, `count`, and `extra` the distance between them.
        case results = 6
        /// Worker to root: an example has failed; the worker goes on with the rest of its chunk.
        ///
        /// `first`: where the chunk began, or its rest; `count`: how many examples are done before the one that failed;
        /// `extra`: nanoseconds of work; `body`: an encoded `Fault`, and after it the results, or nothing where they
        /// stay.
        case failed = 7
        /// Worker to root: all results that had stayed with it have been sent.
        case delivered = 8
        /// Worker to root: has nothing under work that it has not reported, and takes no more.
        ///
        /// What it was given meanwhile goes back; the root answers with `deliver` where results stayed with it, and in the
        /// end with `end`.
        case retire = 9

        /// Worker to root: the example `first` of the newest loop does not come back, and this process ends.
        ///
        /// That example has failed; `body`: an encoded `Fault`.
        case givenUp = 17

        /// Root to worker: do the examples from `first`, `count` of them.
        ///
        /// `extra`: after how many nanoseconds the rest should be given back (0: never), or, below 0, minus the distance
        /// from one example to the next, of which then none is given back; `body`: the examples themselves where the
        /// worker does not have them.
        case assign = 10
        /// Root to worker: the elements of the loop are not those that you have.
        ///
        /// `count`: how many there are; `body`: the list as one value, or nothing for the numbers from 1 on.
        case list = 15
        /// Root to worker: send the results that stayed with you.
        case deliver = 12
        /// Root to worker: begin no more examples, of whatever loop; what is unstarted goes back.
        case halt = 13
        /// Root to worker: nothing is left in the loop.
        ///
        /// `count`: how many examples it had, or -1; `first`: 1 where not all of them are done since no more are to be
        /// begun.
        case end = 11

        /// Worker to root: something failed for good.
        ///
        /// `body`: an encoded `Fault`.
        case fault = 20
        /// Worker to root: the script called `os.exit`.
        ///
        /// `count`: the status; `first`: the example at work, counted from 1, or 0 where there was none.
        case exit = 21
        /// Worker to root: finished; nothing more will come.
        case goodbye = 22
        /// Root to worker: the job is over, with status `count`.
        ///
        /// `first`: 1 where it ends before every rank has finished.
        case stop = 23

        /// Root to a worker that comes late, as its first word: it is rank `first` of a job that began with `count`.
        case welcome = 24
        /// Root to a worker that comes late: take part in the job.
        ///
        /// `body`: what it must know of it.
        case offer = 25
        /// Root to a worker that comes late: the job does not take it.
        ///
        /// `body`: why, as a clause for its user.
        case refusal = 26

        /// Whether messages of this kind may have a body.
        package var hasBody: Bool {
            switch self {
            case .collective, .enter, .begin, .done, .part, .results, .failed, .givenUp, .assign, .list, .fault, .offer,
                .refusal:
                true
            case .leave, .length, .delivered, .retire, .deliver, .halt, .end, .exit, .goodbye, .stop, .welcome: false
            }
        }
    }

    /// What it is about.
    public var kind: Kind
    /// The sequence number of the loop or collective that this belongs to; every rank counts them alike.
    public var operation: UInt64
    /// A first example, or what else the kind says.
    public var first: Int64
    /// A number of examples, or what else the kind says.
    public var count: Int64
    /// A duration, options or what else the kind says.
    public var extra: Int64
    /// The processor time that examples took, in nanoseconds, where some are reported.
    public var cpu: Int64
    /// Encoded values.
    public var body: Bytes

    /// A message; numbers not named are 0.
    public init(
        _ kind: Kind, operation: UInt64 = 0, first: Int = 0, count: Int = 0, extra: Int64 = 0, cpu: Int64 = 0,
        body: Bytes = .empty
    ) {
        self.kind = kind
        self.operation = operation
        self.first = Int64(first)
        self.count = Int64(count)
        self.extra = extra
        self.cpu = cpu
        self.body = body
    }
}
