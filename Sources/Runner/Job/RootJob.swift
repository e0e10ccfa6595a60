import DLP
import LuaHost

/// The root's part in a job: it works as the others do, feeds them with examples where only it has them, and takes the
/// results.
struct RootJob {
    let session: Session
    let port: RootPort
    let host: LuaHost
    let plan: JobPlan
    let sink: ResultSink

    /// - Throws: what the script raises, and `JobEnd`.
    func run() throws {
        switch plan.settings.mode {
        case .map, .managed: try runHandedOut()
        case .roundRobin: try runRoundRobin()
        }
        session.observer.finishDisplay()
        try sink.finish()
    }

    private func runHandedOut() throws {
        session.showProgress(plan.settings.progress)
        let loop = try port.enterLoop(
            length: plan.agreement.count, options: plan.loopOptions, working: plan.settings.rootWorks)
        var feeder = plan.isSent ? try Feeder(port.feed(for: loop), host, plan.examples, sink.store) : nil
        let resultsStay = plan.loopOptions.results == .stay
        var setup = Setup(host)
        var total: Int?
        while total.map({ sink.count < $0 }) ?? true {
            switch try nextEvent(loop) {
            case .results(let run): try sink.take(run)
            case .hungry: try feeder?.feedMore()
            case .end(let length): total = length
            case .work(let chunk, let giveBackAfter, let sent):
                try setup.runOnce()
                let outcome = try host.work(
                    first: chunk.first, count: chunk.count, of: plan.examples, sent: plan.isSent ? sent : nil,
                    giveBackAfter: giveBackAfter)
                try port.finish(
                    loop, first: chunk.first, completed: outcome.completed, nanoseconds: outcome.nanoseconds,
                    results: resultsStay ? .empty : outcome.results)
                guard resultsStay else { continue }
                try port.deliver(
                    loop,
                    ResultRun(first: chunk.first, count: outcome.completed, results: outcome.results, rank: 0))
            }
        }
    }

    /// What the loop wants next; before a wait, what has been written so far is shown.
    private func nextEvent(_ loop: UInt64) throws -> LoopEvent {
        if let event = try port.eventIfAny(of: loop) { return event }
        try sink.flush()
        return try port.event(of: loop)
    }

    private func runRoundRobin() throws {
        let loop = port.nextLoop()
        let share = RoundRobinShare(rank: 0, settings: plan.settings, size: port.size)
        var total = plan.agreement.count ?? 0
        var sent: Bytes?
        if plan.isSent {
            let all = try Feeder.allExamples(host, plan.examples)
            total = all.count
            sink.store?.add(all)
            let parts = (0..<port.size).map { rank in
                let share = RoundRobinShare(rank: rank, settings: plan.settings, size: port.size)
                let own = (0..<share.count(of: total)).map { all[share.first + $0 * share.stride] }
                return RoundRobinShare.part(total: total, examples: own)
            }
            let part = try port.scatter(parts)
            sent = part[8..<part.count]
        }
        session.observer.count(host.workCounter, of: total)
        let count = share.count(of: total)
        if count > 0 {
            var setup = Setup(host)
            try setup.runOnce()
            let outcome = try host.work(
                first: share.first, count: count, stride: share.stride, of: plan.examples, sent: sent)
            try port.deliver(
                loop,
                ResultRun(first: share.first, count: count, stride: share.stride, results: outcome.results, rank: 0))
        }
        while sink.count < total {
            guard case .results(let run) = try port.event(of: loop) else { continue }
            try sink.take(run)
        }
    }
}
