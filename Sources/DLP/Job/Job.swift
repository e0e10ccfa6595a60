import CSystem
import Engine
import SystemSupport

/// The ranks of a job, as each of them uses it: every rank runs the same program and calls the same functions of its
/// `Job` in the same order.
///
/// How the ranks find each other is the transport's affair; with `import AME` a program says `Job.run`, which connects the
/// ranks that `ameexec -np N` has started, or is a job of one rank.
public final class Job {
    /// This rank, from 0.
    public var rank: Int { client.rank }
    /// How many ranks the job began with.
    public var size: Int { client.size }
    /// Whether this is rank 0, which gets the results.
    public var isRoot: Bool { client.isRoot }

    let client: any RankClient
    private let willEnd: () -> Void
    private var isOver = false

    /// The job as rank 0 sees it.
    ///
    /// - Parameters:
    ///   - client: the ranks.
    ///   - willEnd: called when all has been done, or the job ends early, before the other ranks are told.
    public init(_ client: RootClient, willEnd: @escaping () -> Void = {}) {
        self.client = client
        self.willEnd = willEnd
    }

    /// The job as any other rank sees it.
    public init(_ client: WorkerClient) {
        self.client = client
        willEnd = {}
    }

    /// A job of this process alone.
    ///
    /// - Throws: `CommunicationError` where no thread can be started.
    public static func alone() throws(CommunicationError) -> Job {
        Job(try RootClient { LoneCommunicator() })
    }

    /// Ends the job in good order, as the last that each rank does with it; waits for the other ranks.
    ///
    /// - Throws: `JobEnd` where the job ends otherwise; `end` has then to be called.
    public func finish() throws(JobEnd) {
        guard !isOver else { return }
        switch client.role {
        case .worker(let worker):
            let status = try worker.finish()
            isOver = true
            worker.close(status: status)
            guard status == 0 else { throw .stopped(status: status) }
        case .root(let root):
            try root.waitForOthers()
            isOver = true
            willEnd()
            root.stop(status: 0)
        }
    }

    /// Ends the job because of `error`, which a function of the job has thrown, or with which this rank cannot go on.
    ///
    /// - Parameters:
    ///   - error: what was thrown.
    ///   - tell: is given what the user should read: of a job one rank says why it ends.
    /// - Returns: the exit status for this process.
    public func end(_ error: any Error, tell: (String) -> Void) -> Int32 {
        let end = (error as? JobEnd) ?? .fault(fault(error))
        guard !isOver else { return end.status }
        isOver = true
        switch client.role {
        case .worker(let worker): return self.end(worker, end, tell)
        case .root(let root):
            end.message(ranks: size).map(tell)
            willEnd()
            root.stop(status: end.status)
            return end.status
        }
    }

    private func end(_ worker: WorkerClient, _ end: JobEnd, _ tell: (String) -> Void) -> Int32 {
        worker.report(end)
        var status = end.status
        switch end {
        case .stopped: break
        case .fault(let fault) where fault.phase == .communication && fault.status == 3:
            // It may have gone in good order: what it said last is still to be read.
            guard let stopped = worker.waitForStop(until: dlp_now() + Self.patience) else {
                tell("rank \(rank) (host \(HostName.current)): \(fault.message)")
                break
            }
            status = stopped
        default: status = worker.waitForStop(until: dlp_now() + Self.patience) ?? status
        }
        worker.close(status: status)
        return status
    }

    /// How long the root may take to end a job that a worker has ended, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000

    private func fault(_ error: any Error) -> Fault {
        Fault(phase: .load, message: "\(error)", rank: rank, host: HostName.current)
    }
}

extension JobEnd {
    /// Why the job ends, for the user; nil where that has been said, or was wanted.
    package func message(ranks: Int) -> String? {
        switch self {
        case .fault(let fault): fault.text(ranks: ranks)
        case .interrupted: "interrupted"
        case .exit, .stopped: nil
        }
    }
}
