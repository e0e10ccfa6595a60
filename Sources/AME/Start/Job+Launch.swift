import CSystem
public import DLP
import Glibc

extension Job {
    /// Runs a program on all ranks of a job and ends this process, with status 0 where all went well.
    ///
    /// `ameexec -np N PROGRAM` starts N ranks; started by itself the program is a job of one rank. What `body` throws,
    /// or anything else that ends the job early, becomes one message on standard error and a status other than 0.
    ///
    /// - Parameters:
    ///   - connectTimeout: how long the ranks may take to find each other.
    ///   - body: what every rank does; only rank 0 gets results.
    public static func run(connectTimeout: Duration = .seconds(60), _ body: (Job) throws -> Void) -> Never {
        func tell(_ message: String) { writeMessage(message, from: programName) }
        do {
            let environment = try AMEEnvironment()
            let job = try Job(environment, connectTimeout: connectTimeout)
            do {
                try body(job)
                try job.finish()
            } catch {
                // One rank of each host says that rank 0 is gone.
                exit(job.end(error) { if job.isRoot || environment?.isFirstOnHost() ?? true { tell($0) } })
            }
            exit(0)
        } catch {
            tell("\(error)")
            exit(3)
        }
    }

    /// Connects this rank with the others of its job, where `ameexec` has started it; otherwise it is a job of one
    /// rank.
    ///
    /// The variables of the job are removed from the environment, so that programs which this one starts are not ranks
    /// of it.
    ///
    /// - Parameter connectTimeout: how long the ranks may take to find each other.
    /// - Throws: `CommunicationError` where they do not.
    public convenience init(connectTimeout: Duration = .seconds(60)) throws(CommunicationError) {
        try self.init(try AMEEnvironment(), connectTimeout: connectTimeout)
    }

    private convenience init(
        _ environment: AMEEnvironment?, connectTimeout: Duration
    ) throws(CommunicationError) {
        AMEEnvironment.removeFromEnvironment()
        // A century is as good as for ever.
        let timeout = UInt64(max(0, min(connectTimeout / .nanoseconds(1), 3.2e18)))
        if let environment, environment.rank > 0 {
            self.init(WorkerClient(try AMEWorker(environment: environment, connectTimeout: timeout)))
            return
        }
        let launcher = environment?.control.map { LauncherChannel(descriptor: $0) }
        let observer = ProgramObserver(size: environment?.size ?? 1, launcher: launcher)
        let client = try RootClient(observer: observer) { () throws(CommunicationError) in
            guard let environment else { return LoneCommunicator() }
            return try AMERoot(environment: environment, connectTimeout: timeout)
        }
        launcher?.lead()
        self.init(client, willEnd: { launcher?.isOver() })
    }

    /// The name in front of messages.
    fileprivate static var programName: String {
        CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "job"
    }
}

/// Tells the user of a program which ranks it has lost, and ends it where it does not end by itself.
private struct ProgramObserver: JobObserver {
    let size: Int
    let launcher: LauncherChannel?

    func loopChanged(_ progress: LoopProgress?) {}
    func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost) {}
    func examplesAreDone(
        _ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int
    ) {}
    func exampleFailed(_ fault: Fault, in loop: UInt64) {}
    func rankReturned(_ rank: Int, host: String) {}
    func rankJoined(_ rank: Int, host: String) {}
    func rankLeft(_ rank: Int, host: String) {}

    func explainLoss(of rank: Int) -> LossExplanation { launcher?.explainLoss(of: rank) ?? .unknown }

    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence) {
        note("lost rank \(rank) (host \(host)): \(cause)\(consequence.clause)")
    }

    func note(_ text: String) { writeMessage(text, from: Job.programName) }

    /// Says nothing: a program may leave it to rank 0 to make its examples.
    func elementsDiffer(_ text: String) {}

    func rankIsSilent(_ rank: Int, host: String, isDone: Bool) {
        note("rank \(rank) (host \(host)) does not answer; the job ends without it")
    }

    func jobEnds(_ end: JobEnd) { launcher?.isOver() }

    func jobIsStuck(_ end: JobEnd, leave: () -> Void) {
        end.message(ranks: size).map(note)
        leave()
        _exit(end.status)
    }
}
