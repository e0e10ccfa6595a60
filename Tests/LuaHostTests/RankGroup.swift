import CSystem
import DLP
import TestSupport
import Testing

@testable import LuaHost

/// The outcome of one rank's script.
struct RankOutcome: Sendable {
    /// The script's global `answer`, as `tostring` shows it.
    var answer = ""
    /// The error that the script raised.
    var error: String?
    /// The job's exit status as this rank learnt it.
    var status: Int32 = 0
    /// Why the job ended early, where this rank knows.
    var end: JobEnd?
}

/// Runs `text` on `size` ranks, each on a separate thread; returns their outcomes by rank.
///
/// If a rank has not ended after a minute, this records an issue and returns no outcomes.
func run(
    _ text: String, onRanks size: Int, rootWorks: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
) throws -> [RankOutcome] {
    let outcomes = Gathered<RankOutcome>()
    for communicator in ThreadCommunicator.group(of: size) {
        try ServiceThread.detach {
            outcomes.add(communicator.rank, outcome(of: text, communicator, rootWorks))
        }
    }
    guard let all = outcomes.wait(for: size, until: dlp_now() + 60_000_000_000) else {
        Issue.record("some rank hangs", sourceLocation: sourceLocation)
        return []
    }
    return all
}

/// Values that threads add, by rank.
final class Gathered<Value: Sendable>: Sendable {
    private let values = Monitor<[Int: Value]>([:])

    func add(_ rank: Int, _ value: Value) { values.update { $0[rank] = value } }

    /// Returns all values once there are `count`, or nil at the deadline, in nanoseconds of the monotonic clock.
    func wait(for count: Int, until deadline: UInt64) -> [Value]? {
        values.wait(until: deadline) { $0.count == count ? $0.sorted { $0.key < $1.key }.map(\.value) : nil }
    }
}

/// Interrupts the script when the job ends, as the real program does.
private final class InterruptingObserver: JobObserver {
    private let interrupter = Monitor<Interrupter?>(nil)

    func watch(_ host: LuaHost) {
        let interrupter = host.interrupter
        self.interrupter.update { $0 = interrupter }
    }

    func loopChanged(_ progress: LoopProgress?) {}
    func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost) {}
    func examplesAreDone(
        _ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int
    ) {}
    func exampleFailed(_ fault: Fault, in loop: UInt64) {}
    func explainLoss(of rank: Int) -> LossExplanation { .unknown }
    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence) {}
    func rankReturned(_ rank: Int, host: String) {}
    func rankJoined(_ rank: Int, host: String) {}
    func rankLeft(_ rank: Int, host: String) {}
    func jobEnds(_ end: JobEnd) { interrupter.withLock { $0 }?.interrupt() }
    func rankIsSilent(_ rank: Int, host: String, isDone: Bool) {}
    func jobIsStuck(_ end: JobEnd, leave: () -> Void) {}
}

private func outcome(of text: String, _ communicator: ThreadCommunicator, _ rootWorks: Bool) -> RankOutcome {
    var outcome = RankOutcome()
    let observer = InterruptingObserver()
    do {
        let client: any RankClient =
            communicator.rank == 0
            ? try RootClient(observer: observer, connect: { communicator }) : WorkerClient(communicator)
        var defaults = LuaHost.LoopDefaults()
        defaults.rootWorks = rootWorks
        let host = try LuaHost(client: client, backend: "threads", version: "test", seed: 0, loopDefaults: defaults)
        observer.watch(host)
        defer { host.close() }
        do {
            try host.run(script(text))
            outcome.answer = luaGlobal("answer", in: host)
            switch client.role {
            case .worker(let worker): outcome.status = try worker.finish()
            case .root(let root):
                try root.waitForOthers()
                root.stop(status: 0)
            }
        } catch {
            outcome.error = (error as? ScriptError)?.message
            outcome.end = (error as? JobEnd) ?? host.jobEnd ?? client.root?.end
            outcome.status = leave(client, outcome)
        }
        communicator.close(until: nil)
    } catch { outcome.error = "\(error)" }
    return outcome
}

/// Ends the job because of an error; returns the job's exit status.
private func leave(_ client: any RankClient, _ outcome: RankOutcome) -> Int32 {
    let fault = Fault(phase: .load, message: outcome.error ?? "", rank: client.rank, host: "here")
    let end = outcome.end ?? .fault(fault)
    client.root?.stop(status: end.status)
    if case .stopped(let status) = end { return status }
    guard let worker = client.worker else { return end.status }
    worker.report(end)
    return worker.waitForStop(until: dlp_now() + 30_000_000_000) ?? end.status
}
