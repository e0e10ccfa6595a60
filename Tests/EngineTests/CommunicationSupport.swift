import CSystem
import Codec
import Scheduling
import SystemSupport
import TestSupport
import Testing

@testable import Engine

/// Records why the job ended, and how far it is.
final class EndObserver: JobObserver {
    let ends = Monitor<[JobEnd]>([])

    let progress = Monitor<LoopProgress?>(nil)

    func loopChanged(_ progress: LoopProgress?) { self.progress.update { $0 = progress } }
    func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost) {}
    func examplesAreDone(
        _ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int
    ) {}
    func exampleFailed(_ fault: Fault, in loop: UInt64) {}
    func explainLoss(of rank: Int) -> LossExplanation { .unknown }
    let losses = Monitor<[String]>([])

    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence) {
        losses.update { $0.append("\(rank) \(host) \(cause)") }
    }
    func rankReturned(_ rank: Int, host: String) { comings.update { $0.append("=\(rank) \(host)") } }
    /// The ranks that joined late or left early, with their hosts.
    let comings = Monitor<[String]>([])
    func rankJoined(_ rank: Int, host: String) { comings.update { $0.append("+\(rank) \(host)") } }
    func rankLeft(_ rank: Int, host: String) { comings.update { $0.append("-\(rank) \(host)") } }
    /// The messages for the user.
    let notes = Monitor<[String]>([])
    func note(_ text: String) { notes.update { $0.append(text) } }
    func rankIsSilent(_ rank: Int, host: String, isDone: Bool) {
        losses.update { $0.append("\(rank) \(host) is silent") }
    }
    func jobEnds(_ end: JobEnd) { ends.update { $0.append(end) } }
    func jobIsStuck(_ end: JobEnd, leave: () -> Void) {}
}

/// A root with its client, and the bare communicators of its workers, which can send it any message.
final class RootUnderTest {
    let client: RootClient
    let observer = EndObserver()
    let workers: [ThreadCommunicator]

    /// - Parameter late: how many more workers there are, which the root does not know before they `join`.
    init(workers count: Int, late: Int = 0) throws {
        let group = ThreadCommunicator.group(of: count + 1, late: late)
        workers = Array(group.dropFirst())
        let root = group[0]
        client = try RootClient(observer: observer) { root }
    }

    deinit { client.stop(status: 0) }

    /// Waits until the root knows that this number of examples of the newest loop is done; false where that does not
    /// happen.
    func hears(done count: Int) -> Bool {
        observer.progress.wait(until: soon()) { $0?.done == count ? true : nil } ?? false
    }

    /// Returns why the job ended; nil where it goes on for ten seconds.
    func end() -> JobEnd? { observer.ends.wait(until: soon()) { $0.first } }

    /// Returns the message of the fault with which the job ended.
    func fault(sourceLocation: SourceLocation = #_sourceLocation) -> String {
        guard case .fault(let fault)? = end() else {
            Issue.record("the job goes on", sourceLocation: sourceLocation)
            return ""
        }
        return fault.message
    }

    /// Returns what the worker of this rank receives next, except being woken.
    func next(_ rank: Int) throws -> Message? {
        while true {
            switch try workers[rank - 1].receive(until: soon()) {
            case .message(let message, _): return message
            case .woken, .joined, .returned: continue
            case .lost, .timedOut: return nil
            }
        }
    }

    func send(_ message: Message, from rank: Int = 1) throws { try workers[rank - 1].send(message, to: 0) }
}

extension Message {
    /// A rank's entry into a loop of a job, or, with a `list`, of a script.
    static func entry(
        _ loop: UInt64 = 1, length: Int?, _ options: LoopOptions, working: Bool = true, host: String = "here",
        list: LoopList? = nil, collectives: UInt64 = 0
    ) -> Message {
        let beginning = list.map { LoopBeginning(list: $0, collectives: collectives) }
        return Message(
            toRoot: .enter(
                loop: loop,
                LoopEntry(length: length, options: options, isWorking: working, host: host, beginning: beginning)))
    }

    /// A rank's part in a collective, without bytes.
    static func part(_ operation: Collective, number: UInt64 = 1, announces: Bool = false) -> Message {
        Message(
            toRoot: .collective(
                CollectiveMessage(number: number, operation: operation, isAnnouncement: announces, bytes: .empty)))
    }
}

/// A generous deadline for events that should happen at once.
func soon() -> UInt64 { dlp_now() + 10_000_000_000 }
