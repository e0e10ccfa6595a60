import CSystem
import Engine
import SystemSupport

/// A job's ranks, as seen by one of them.
///
/// Every rank runs the same program and calls the same functions of its `Job` in the same order.
///
/// The transport defines how the ranks find each other. With `import AME` a program calls `Job.run`, which connects the ranks
/// that `ameexec -np N` has started; without `ameexec` it is a job of one rank.
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

    /// The job on rank 0.
    ///
    /// - Parameters:
    ///   - client: the connection to the other ranks.
    ///   - willEnd: called before the other ranks are told that everything is done, or that the job ends early.
    public init(_ client: RootClient, willEnd: @escaping () -> Void = {}) {
        self.client = client
        self.willEnd = willEnd
    }

    /// The job on any other rank.
    public init(_ client: WorkerClient) {
        self.client = client
        willEnd = {}
    }

    /// A job that consists of this process only.
    ///
    /// - Throws: `CommunicationError` where no thread can be started.
    public static func alone() throws(CommunicationError) -> Job {
        Job(try RootClient { LoneCommunicator() })
    }

    /// Ends the job normally, and waits for the other ranks.
    ///
    /// It must be the last call of each rank.
    ///
    /// - Throws: `JobEnd` where the job ends in another way; then `end` must be called.
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

    /// Ends the job because of `error`, which a function of the job has thrown, or because of which this rank cannot go on.
    ///
    /// - Parameters:
    ///   - error: the error that was thrown.
    ///   - tell: called with the message for the user, on one rank of the job.
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
            // The root may have ended the job normally. Its last message may still have to be read.
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

    /// How long the root may take, in nanoseconds, to end a job after a worker has ended it.
    private static let patience: UInt64 = 5_000_000_000

    private func fault(_ error: any Error) -> Fault {
        Fault(phase: .load, message: "\(error)", rank: rank, host: HostName.current)
    }
}

extension JobEnd {
    /// The reason why the job ends, for the user; nil where it has been told already, or where the end was intended.
    package func message(ranks: Int) -> String? {
        switch self {
        case .fault(let fault): fault.text(ranks: ranks)
        case .interrupted: "interrupted"
        case .exit, .stopped: nil
        }
    }
}
