import DLP
import LuaHost

/// A worker's part in a job.
struct WorkerJob {
    let supervisor: Supervisor
    let client: WorkerClient
    let host: LuaHost
    let plan: JobPlan

    func run() throws {
        let loop = try client.enterLoop(length: plan.announcedLength, options: plan.loopOptions)
        supervisor.loopBegins()
        defer { _ = supervisor.loopEnds() }
        // Only then can the job end while examples are still under work.
        if plan.collects {
            try client.watchForStop { [supervisor] in supervisor.handle(.rootHasEnded) }
        }
        client.allowReturn(within: plan.returnLimit)
        defer { client.allowReturn(within: nil) }
        var work = LoopWork(client, host, plan, loop: loop)
        while true {
            switch try client.event(of: loop) {
            case .work(let chunk, let giveBackAfter, let sent):
                try work.work(on: chunk, giveBackAfter: giveBackAfter, sent: sent)
            case .deliver: try work.deliver()
            case .returned:
                try work.offer()
                try client.resume(loop, options: plan.loopOptions)
            case .end, .halted: return
            // These events are for the root only.
            case .results, .failed, .needsExamples, .workedOff, .list: continue
            }
        }
    }
}
