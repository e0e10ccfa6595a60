import SystemSupport

/// What the two threads of the root share.
final class RootShared: Sendable {
    enum Command {
        /// A message of rank 0, in its role as a worker.
        case message(ToRoot)
        /// The root's part of a collective for every other rank, except one that has it already (0: none).
        case collective(CollectiveMessage, exceptTo: Int)
        case feed(UInt64, LoopFeed.Part)
        case deliver(UInt64, ResultRun)
        case close(UInt64)
        /// These elements of a loop that the script is about to begin are done already.
        case skip(UInt64, [Range<Int>])
        /// The costs of the elements of such a loop.
        case order(UInt64, [Double])
        case cancel(UInt64)
        /// Like `cancel`, for the loop of a job; ranks also give up at once what they work on.
        case abandon(UInt64)
        /// Examples of the loop below this one may be handed out.
        case allow(UInt64, below: Int)
        /// Nothing more is handed out from that moment on.
        case halt(at: UInt64)
        case rootHasFinished
        /// The root's main thread waits in the collective of this number.
        case rootIsAt(collective: UInt64)
        case end(JobEnd)
        /// A rank has died; a source other than the communicator reports it.
        case lost(rank: Int, reason: String)
        /// What becomes of workers that come late.
        case late(LateEntry)
        /// The time limit of each example from now on, in nanoseconds; nil: none. `allowsSetup`: whether a rank may
        /// take any time before its first example.
        case limit(UInt64?, allowsSetup: Bool)
        /// Ranks that are lost because their connection broke may come back.
        case allowReturns
        case resume
        /// Tells the listener what each rank does.
        case tellStates(@Sendable ([RankState]) -> Void)
        case stop(Int32)
    }

    let inbox: Monitor<RootInbox>
    let commands = Monitor<[Command]>([])
    /// See `Communicator.sharesMemory`.
    let sharesMemory: Bool
    private let waker: any Waker

    init(_ communicator: any Communicator) {
        inbox = Monitor(RootInbox(size: communicator.size))
        waker = communicator.waker
        sharesMemory = communicator.sharesMemory
    }

    /// Takes all commands that have come, in their order.
    func takeCommands() -> [Command] {
        commands.withLock { commands in
            defer { commands.removeAll() }
            return commands
        }
    }

    func command(_ command: Command) {
        let isFirst = commands.withLock { commands in
            commands.append(command)
            return commands.count == 1
        }
        // Only the command that makes the queue non-empty wakes the service thread, which takes all commands at once.
        if isFirst { waker.wake() }
    }
}
