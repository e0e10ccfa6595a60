import DLP
import LuaHost

/// This rank's work in a job's loop; the same on the root as on any other rank.
struct LoopWork {
    private let client: any RankClient
    private let host: LuaHost
    private let plan: JobPlan
    private let loop: UInt64
    private var setup: Setup
    /// Whether to warn the user, once, that `work` prints to where the results are written too.
    private var watchesOutput: Bool
    private let reportInterval: UInt64
    /// Whether results stay on this rank until the root asks for them, and whether the first failure ends the job.
    private let keepsResults: Bool
    private let endsAtFirstFailure: Bool
    /// The results that stay on this rank.
    private var kept: [ResultRun] = []

    /// - Parameter setup: the script's setup, where it has been called before.
    init(_ client: any RankClient, _ host: LuaHost, _ plan: JobPlan, loop: UInt64, setup: Setup? = nil) {
        self.client = client
        self.host = host
        self.plan = plan
        self.loop = loop
        self.setup = setup ?? Setup(host)
        // Only one rank warns: the first that works.
        watchesOutput = plan.printsResults && client.rank == (plan.settings.rootWorks ? 0 : 1)
        host.keepExamples(
            forCollect: client.isRoot && plan.collects, forRetries: plan.settings.failures.retries > 0)
        reportInterval = plan.reportInterval
        let options = plan.loopOptions
        (keepsResults, endsAtFirstFailure) = (options.results == .stay, options.failures.endsAtFirstFailure)
    }

    /// Does a chunk and reports on it.
    mutating func work(on chunk: Chunk, giveBackAfter: Int64, sent: Bytes) throws {
        guard try !client.isHalted() else {
            let nothing = ChunkReport(first: chunk.first, completed: 0, nanoseconds: 0, results: .empty)
            return try client.post(.done(loop: loop, nothing))
        }
        try setup.runOnce()
        host.beginTracking(
            hasBetween: client.isRoot && (plan.collects || plan.hasCost || plan.examples.count == nil))
        let printed = host.printed
        let last = try host.work(
            chunk, of: plan.examples, sent: plan.isSent || sent.count > 0 ? sent : nil,
            ownCount: plan.isSent ? 0 : plan.examples.count ?? 0, giveBackAfter: giveBackAfter,
            reportInterval: reportInterval,
            partDone: { report in
                try host.postTraces(of: loop)
                try client.post(.done(loop: loop, chunkReport(report, goesOn: true)))
            },
            failed: { report, error in
                // An example that fails because the job is over has not failed.
                guard !host.isInterrupted else { throw error }
                var fault = Fault(
                    phase: .work, message: error.error.message, traceback: error.error.traceback,
                    example: error.index + 1, rank: client.rank, host: HostName.current)
                fault.given = error.given
                fault.result = error.error.result
                fault.nanoseconds = Int64(clamping: report.failedNanoseconds)
                try host.postTraces(of: loop)
                try client.post(.failed(loop: loop, chunkReport(report), fault))
                // The root ends the job, with all results so far: this rank begins nothing more.
                if endsAtFirstFailure { try client.waitForEnd(of: loop) }
            })
        if watchesOutput, host.printed != printed {
            watchesOutput = false
            Diagnostics.write(
                "work prints to standard output, where the results are written, too: --output FILE keeps them apart, or "
                    + "print by io.stderr:write")
        }
        guard let last else { return }
        try host.postTraces(of: loop)
        try client.post(.done(loop: loop, chunkReport(last)))
    }

    /// Returns the report for the root.
    private mutating func chunkReport(_ report: WorkReport, goesOn: Bool = false) -> ChunkReport {
        ChunkReport(
            first: report.done.first, completed: report.done.count, goesOn: goesOn, nanoseconds: report.nanoseconds,
            cpu: report.cpu, peak: report.peak, results: send(report))
    }

    /// Returns the results to send now: none where they stay on this rank.
    private mutating func send(_ report: WorkReport) -> Bytes {
        guard keepsResults else { return report.results }
        if report.done.count > 0 { kept.append(ResultRun(report.done, results: report.results, rank: client.rank)) }
        return .empty
    }

    /// Offers the results that stayed on this rank to the root after the root had lost this rank.
    ///
    /// Other ranks may have made them meanwhile.
    mutating func offer() throws {
        for run in kept {
            let report = ChunkReport(first: run.first, completed: run.count, nanoseconds: 0, results: run.results)
            try client.post(.done(loop: loop, report))
        }
        kept = []
    }

    /// Sends the results that stayed on this rank.
    mutating func deliver() throws {
        for run in kept { try client.post(.results(loop: loop, run)) }
        kept = []
        try client.post(.delivered(loop: loop))
    }
}
