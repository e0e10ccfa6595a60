import AME
import CLuaHost
import DLP

/// The last steps of a rank that only the script's thread can do, because the worker's client and the results belong
/// to it.
struct LastSteps {
    let client: any RankClient
    /// Nil: then the ranks of a host cannot tell which of them is the first, and only rank 1 speaks.
    var environment: AMEEnvironment?
    var observer: RootObserver?
    /// Where the results of a job are written, on the root.
    var output: ResultOutput?

    /// Performs `step`.
    ///
    /// - Returns: the event that the step brings; nil for steps without an answer.
    func perform(_ step: RankLife.Step, _ supervisor: Supervisor) -> RankLife.Event? {
        switch step {
        case .flush: dlp_flush()
        case .keepPartialResults: observer?.note(leftover: output?.abandon())
        case .checkFiles: return .filesClosed(observer?.fileFailure)
        case .awaitOthers(let patience):
            do throws(JobEnd) { return .othersFinished(status: try awaitOthers(patience)) } catch {
                return .failed(error)
            }
        case .report(let end): client.worker?.report(end)
        case .awaitRoot(let period):
            return .rootAnswered(client.worker?.waitForStop(until: Deadline.after(period).moment))
        case .awaitDismissal(let period): return .dismissal(supervisor.awaitDismissal(period))
        case .speakForHost(let message):
            let speaks = environment?.isFirstOnHost() ?? (client.rank == 1)
            if speaks { Diagnostics.write("rank \(client.rank) (host \(HostName.current)): \(message)") }
            return .spokeForHost(speaks)
        case .sayGoodbye: client.worker?.leave()
        case .close(let status):
            switch client.role {
            case .root(let root): root.stop(status: status)
            case .worker(let worker): worker.close(status: status)
            }
        }
        return nil
    }

    /// - Returns: the job's status where the root has sent it.
    private func awaitOthers(_ patience: UInt64?) throws(JobEnd) -> Int32? {
        switch client.role {
        case .worker(let worker): return try worker.finish()
        case .root(let root):
            try root.waitForOthers(patience: patience)
            return nil
        }
    }
}
