import SystemSupport

/// What the two threads of the root share.
final class RootShared: Sendable {
    enum Command {
        /// What rank 0 says, as one of those that work.
        case message(ToRoot)
        /// The root's part of a collective for every other rank, but for one that has it already (0: none).
        case collective(CollectiveMessage, exceptTo: Int)
        case feed(UInt64, LoopFeed.Part)
        case deliver(UInt64, ResultRun)
        case close(UInt64)
        /// These elements of a loop that the script is about to begin are done already.
        case skip(UInt64, [Range<Int>])
        /// The elements of such a loop cost so much.
        case order(UInt64, [Double])
        case cancel(UInt64)
        /// The same for the loop of a job, of which ranks are to give up at once what they are at.
        case abandon(UInt64)
        /// Examples of the loop below this one may be handed out.
        case allow(UInt64, below: Int)
        /// From that moment on nothing more is handed out.
        case halt(at: UInt64)
        case rootHasFinished
        /// The root's main thread waits in the collective of this number.
        case rootIsAt(collective: UInt64)
        case end(JobEnd)
        /// A rank has died, as something else than the communicator knows.
        case lost(rank: Int, reason: String)
        /// What becomes of workers that come late.
        case late(LateEntry)
        /// From now on each example may take so many nanoseconds, and each rank any time before its first or not.
        case limit(UInt64?, allowsSetup: Bool)
        /// Ranks that are lost because their connection broke may come back.
        case allowReturns
        case resume
        /// Somebody wants to know what each rank does.
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

    /// All commands that have come, in their order.
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
        // Whoever made the queue non-empty wakes; the service thread empties it whole.
        if isFirst { waker.wake() }
    }
}
