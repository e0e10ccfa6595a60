import Scheduling
import SystemSupport

@testable import Engine

/// The root's end of an imaginary job: only records what was sent.
final class RecordingCommunicator: Communicator {
    let rank = 0
    let size: Int
    /// The messages that the root has sent since the last `take`, with their ranks.
    private var sent: [(message: ToWorker, rank: Int)] = []
    private(set) var dropped: [Int] = []
    private(set) var awaited: [Int] = []
    private(set) var dismissed: [Int] = []

    private struct Bell: Waker {
        func wake() {}
    }

    init(size: Int) { self.size = size }

    var waker: any Waker { Bell() }

    func send(_ message: Message, to destination: Int) {
        guard let message = try? ToWorker(message) else { preconditionFailure("the root says what it cannot") }
        sent.append((message, destination))
    }

    func receive(until deadline: UInt64?) -> Delivery { preconditionFailure("the engine never waits") }

    func drop(_ rank: Int) { dropped.append(rank) }

    func awaitReturn(of rank: Int) { awaited.append(rank) }

    func dismiss(_ rank: Int) { dismissed.append(rank) }

    func close(until deadline: UInt64?) {}

    /// Returns the messages that have been sent, and forgets them.
    func take() -> [(message: ToWorker, rank: Int)] {
        defer { sent = [] }
        return sent
    }
}

/// A root's engine alone: the test calls its events, and the time is a number.
final class EngineUnderTest {
    let communicator: RecordingCommunicator
    let shared: RootShared
    let observer = LauncherObserver()
    let engine: RootEngine

    init(ranks: Int) {
        communicator = RecordingCommunicator(size: ranks)
        shared = RootShared(communicator)
        engine = RootEngine(communicator, shared, observer, now: 1_000_000_000)
    }

    /// Lets this number of milliseconds pass.
    ///
    /// - Returns: whether the engine no longer waits for the main thread.
    @discardableResult
    func pass(milliseconds: UInt64) -> Bool {
        engine.now += milliseconds * 1_000_000
        return engine.advance()
    }

    /// Delivers a message of a rank; rank 0 is the one that works on the root.
    func say(_ message: ToRoot, from rank: Int) {
        if rank == 0 {
            engine.handle(.message(message))
        } else {
            engine.receive(Message(toRoot: message), from: rank)
        }
        _ = engine.advance()
    }

    /// Lets a rank enter loop 1.
    func enter(_ rank: Int, length: Int, _ options: LoopOptions, working: Bool = true) {
        say(
            .enter(loop: 1, LoopEntry(length: length, options: options, isWorking: working, host: "host-\(rank)")),
            from: rank)
    }

    /// Returns the next event for rank 0's main thread.
    func nextEvent() -> LoopEvent? { shared.inbox.withLock { $0.popEvent(of: 1) } }
}

/// An observer whose launcher explains the ends of ranks when the test wants it to.
final class LauncherObserver: JobObserver {
    let explanations = Monitor<[Int: LossExplanation]>([:])
    let losses = Monitor<[String]>([])
    let costs = Monitor<[ExampleCost]>([])

    func loopChanged(_ progress: LoopProgress?) {}
    func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost) {}
    func examplesAreDone(
        _ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int
    ) { costs.update { $0.append(cost) } }
    func exampleFailed(_ fault: Fault, in loop: UInt64) {}
    func explainLoss(of rank: Int) -> LossExplanation { explanations.withLock { $0[rank] ?? .unknown } }
    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence) {
        losses.update { $0.append("\(rank) \(host) \(cause)") }
    }
    func rankReturned(_ rank: Int, host: String) {}
    func rankJoined(_ rank: Int, host: String) {}
    func rankLeft(_ rank: Int, host: String) {}
    func rankIsSilent(_ rank: Int, host: String, isDone: Bool) {}
    func jobEnds(_ end: JobEnd) {}
    func jobIsStuck(_ end: JobEnd, leave: () -> Void) {}
}
