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
        // In mode `round-robin` ranks have nothing to say before they are done.
        if plan.settings.mode == .roundRobin {
            session.observer.count(host.workCounter)
        } else {
            session.showProgress(plan.settings.progress)
        }
        let total = try runLoop()
        session.observer.finishDisplay()
        guard sink.count == total else {
            throw PhaseError(
                phase: .communication,
                error: ScriptError(
                    message: "of \(total) examples \(sink.count) were accounted for; please report this mistake"))
        }
        try sink.finish()
        if sink.hasFailures { session.status = 4 }
    }

    /// - Returns: the number of examples.
    private func runLoop() throws -> Int {
        let loop = try port.enterLoop(
            length: plan.agreement.count, options: plan.loopOptions, working: plan.settings.rootWorks)
        var feeder = plan.isSent ? try Feeder(port.feed(for: loop), host, plan.examples, sink.store) : nil
        var work = LoopWork(port, host, plan, loop: loop)
        while true {
            switch try nextEvent(loop) {
            case .results(let run): try sink.take(run)
            case .failed(let fault): try sink.take(fault)
            case .hungry: try feeder?.feedMore()
            case .work(let chunk, let giveBackAfter, let sent):
                try work.work(on: chunk, giveBackAfter: giveBackAfter, sent: sent)
            case .deliver: try work.deliver()
            // It comes after all results.
            case .end(let length): return length ?? 0
            }
        }
    }

    /// What the loop wants next; before a wait, what has been written so far is shown.
    private func nextEvent(_ loop: UInt64) throws -> LoopEvent {
        if let event = try port.eventIfAny(of: loop) { return event }
        try sink.flush()
        return try port.event(of: loop)
    }
}
