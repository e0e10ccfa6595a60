import DLP
import LuaHost

/// A worker's part in a job.
struct WorkerJob {
    let port: any Port
    let host: LuaHost
    let plan: JobPlan

    func run() throws {
        switch plan.settings.mode {
        case .map: try runMap()
        case .managed: try runManaged()
        case .roundRobin: try runRoundRobin()
        }
    }

    /// Results go to the root with each chunk.
    private func runMap() throws {
        let loop = try port.enterLoop(length: plan.agreement.count, options: plan.loopOptions)
        var setup = Setup(host)
        while case .work(let chunk, let giveBackAfter, let sent) = try port.event(of: loop) {
            try setup.runOnce()
            let outcome = try work(chunk, giveBackAfter, sent)
            try port.finish(
                loop, first: chunk.first, completed: outcome.completed, nanoseconds: outcome.nanoseconds,
                results: outcome.results)
        }
    }

    /// Results stay here until there is nothing left to do anywhere.
    private func runManaged() throws {
        let loop = try port.enterLoop(length: plan.agreement.count, options: plan.loopOptions)
        var setup = Setup(host)
        var runs: [ResultRun] = []
        while case .work(let chunk, let giveBackAfter, let sent) = try port.event(of: loop) {
            try setup.runOnce()
            let outcome = try work(chunk, giveBackAfter, sent)
            runs.append(
                ResultRun(
                    first: chunk.first, count: outcome.completed, results: outcome.results, rank: port.rank))
            try port.finish(
                loop, first: chunk.first, completed: outcome.completed, nanoseconds: outcome.nanoseconds,
                results: .empty)
        }
        for run in runs { try port.deliver(loop, run) }
    }

    /// Every rank knows what is its own.
    private func runRoundRobin() throws {
        let loop = port.nextLoop()
        var share = RoundRobinShare(rank: port.rank, settings: plan.settings, size: port.size)
        let sent = plan.isSent ? try share.receive(port) : nil
        let count = share.count(of: plan.agreement.count)
        guard count > 0 else { return }
        var setup = Setup(host)
        try setup.runOnce()
        let outcome = try host.work(
            first: share.first, count: count, stride: share.stride, of: plan.examples, sent: sent)
        try port.deliver(
            loop,
            ResultRun(
                first: share.first, count: count, stride: share.stride, results: outcome.results, rank: port.rank))
    }

    private func work(_ chunk: Chunk, _ giveBackAfter: Int64, _ sent: Bytes) throws -> ChunkOutcome {
        try host.work(
            first: chunk.first, count: chunk.count, of: plan.examples, sent: plan.isSent ? sent : nil,
            giveBackAfter: giveBackAfter)
    }
}
