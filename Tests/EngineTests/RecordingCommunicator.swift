import Scheduling
import SystemSupport

@testable import Engine

/// The root's end of a job of which only a list of what was sent exists.
final class RecordingCommunicator: Communicator {
    let rank = 0
    let size: Int
    /// What the root has sent since it was last asked, with the rank that gets it.
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

    /// Takes what has been sent.
    func take() -> [(message: ToWorker, rank: Int)] {
        defer { sent = [] }
        return sent
    }
}

/// A root's engine with nothing around it: what happens is called, and the time is a number.
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

    /// Lets so many milliseconds pass.
    ///
    /// - Returns: whether the main thread is not waited for any longer.
    @discardableResult
    func pass(milliseconds: UInt64) -> Bool {
        engine.now += milliseconds * 1_000_000
        return engine.advance()
    }

    /// A rank says something, or rank 0 as one that works.
    func say(_ message: ToRoot, from rank: Int) {
        if rank == 0 {
            engine.handle(.message(message))
        } else {
            engine.receive(Message(toRoot: message), from: rank)
        }
        _ = engine.advance()
    }

    /// A rank takes part in loop 1.
    func enter(_ rank: Int, length: Int, _ options: LoopOptions, working: Bool = true) {
        say(
            .enter(loop: 1, LoopEntry(length: length, options: options, isWorking: working, host: "host-\(rank)")),
            from: rank)
    }

    /// What rank 0's main thread is to do next.
    func nextEvent() -> LoopEvent? { shared.inbox.withLock { $0.popEvent(of: 1) } }
}

/// An observer whose launcher says how ranks end when a test wants it to.
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
