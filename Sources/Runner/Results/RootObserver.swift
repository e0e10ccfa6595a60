import AME
import CSystem
import DLP
import Glibc
import Journal
import LuaHost
import Planning
import Report
import Synchronization

/// Observes the root while it serves: keeps the progress, records events in journal and timelines, and tells the user
/// what happens to the job.
final class RootObserver: JobObserver {
    private struct State {
        var progress: LoopProgress?
        /// For how many examples the costs are known, while the costs are being determined.
        var costs: CostCount?
        /// When the current determination began, and how long earlier ones took in total, in nanoseconds.
        var costing: (start: UInt64, time: UInt64) = (0, 0)
        var display: ProgressDisplay?
        /// In mode `round-robin`, where the other ranks report only at the end: the root's own work.
        var own: WorkCounter?
        /// The journal; by their loops, the parts of it that belong to stages; and which of these loops have ended.
        var journal: JournalWriter?
        var stages: [UInt64: StageJournal] = [:]
        var ended: Set<UInt64> = []
        /// The loops for which the user has been warned that an example leaves something behind that others can see.
        var toldOfTraces: Set<UInt64> = []
        /// Where the costs of a loop's examples are noted, if they are written beside the results.
        var notes: (loop: UInt64, notes: ExampleNotes)?
        /// The files that record which rank does what, and when.
        var timelines: [TimelineFile] = []
        var page: PageFile?
        /// How the ranks are made to work, for the page's plan.
        var conduct = Plan.Conduct()
        /// How many loops have begun.
        var loops = 0
        /// Where the incomplete results are, as a clause.
        var leftover: String?
        /// Whether skipped examples are not counted as part of the job.
        var leavesOutSkipped = false
        /// How to do an example alone.
        var repetition: Repetition?
        /// Why journal or timelines are not complete; nil where they are, or once the user has been told.
        var fileFailure: JobEnd?
        /// How far the halted job came, and the signal that halted it.
        var halted: (report: IncompleteReport, signal: Int32?)?
        /// Whether the script has all results, so that nothing can be lost any more; and whether it wanted no more of
        /// them.
        var isComplete = false
        var hadEnough = false
        /// The failed examples that journal and page already record.
        var failed: Set<Int> = []
    }

    private let state = Mutex(State())
    private let control: LauncherChannel?
    private let supervisor: Supervisor
    private let size: Int

    init(control: LauncherChannel?, supervisor: Supervisor, size: Int) {
        self.control = control
        self.supervisor = supervisor
        self.size = size
    }

    /// Begins to show the progress of the loop that follows the loop `last`; other ranks may have begun it already.
    func show(_ plan: ProgressDisplay.Plan, after last: UInt64) {
        finishDisplay()
        state.withLock { state in
            if let shown = state.progress, shown.operation <= last { state.progress = nil }
        }
        let display = ProgressDisplay(plan) { [weak self] in
            self?.progress
        } costing: { [weak self] in
            (self?.costing, self?.costingTime ?? 0)
        }
        state.withLock { $0.display = display }
    }

    /// Ends what `show` began.
    ///
    /// Called by the script's thread, or by the service thread when the job ends, whichever is first.
    func finishDisplay() {
        let display = state.withLock { state in
            defer { state.display = nil }
            return state.display
        }
        display?.finish()
    }

    /// Notes that costs of examples are being determined from now on; nil: no longer.
    func note(costs: CostCount?) {
        state.withLock { state in
            if state.costs != nil { state.costing.time += dlp_now() - state.costing.start }
            state.costs = costs
            state.costing.start = dlp_now()
        }
    }

    /// How long the determination of costs has taken so far, in nanoseconds.
    private var costingTime: UInt64 {
        state.withLock { $0.costing.time + ($0.costs == nil ? 0 : dlp_now() - $0.costing.start) }
    }

    private var costing: ProgressState.Costing? {
        state.withLock { $0.costs }.map { ProgressState.Costing(known: $0.known, wanted: $0.wanted) }
    }

    /// Sets the counter of the root's own work, for loops in which the other ranks report only at the end.
    func count(_ counter: WorkCounter) { state.withLock { $0.own = counter } }

    /// Sets the journal, which is closed at the end.
    func note(in journal: JournalWriter) { state.withLock { $0.journal = journal } }

    /// Records in `journal` what happens to the examples of the loop `loop`, which is about to begin.
    func note(in journal: StageJournal, of loop: UInt64) {
        state.withLock { state in
            // What comes late of a loop that the script has left is still kept, until another one begins.
            for ended in state.ended { state.stages[ended] = nil }
            state.ended = []
            state.stages[loop] = journal
        }
    }

    /// Notes that the script has left the loop `loop`.
    func loopEnded(_ loop: UInt64) { state.withLock { if $0.stages[loop] != nil { $0.ended.insert(loop) } } }

    /// Records in `notes` the costs of the examples of the loop `loop`, which is about to begin.
    func note(in notes: ExampleNotes, of loop: UInt64) { state.withLock { $0.notes = (loop, notes) } }

    private func notes(of loop: UInt64) -> ExampleNotes? {
        state.withLock { state in state.notes.flatMap { $0.loop == loop ? $0.notes : nil } }
    }

    /// Returns the journal of the loop `loop`, if it has one.
    private func journal(of loop: UInt64?) -> StageJournal? {
        state.withLock { state in loop.flatMap { state.stages[$0] } }
    }

    /// Ends the display, and waits until everything that has arrived is in the journal, if there is one.
    ///
    /// - Returns: why the journal is not complete; nil where it is.
    func closeJournal() -> JobEnd? {
        finishDisplay()
        guard let journal = state.withLock({ $0.journal }) else { return nil }
        do { try journal.close() } catch { return .fault(JobJournal.fault(error)) }
        return nil
    }

    /// Waits while so much remains to be written to the journal that memory would run short.
    func waitForRoom() { state.withLock { $0.journal }?.waitForRoom() }

    /// Notes that the script has all results.
    func jobIsComplete(hadEnough: Bool) {
        state.withLock { ($0.isComplete, $0.hadEnough) = (true, hadEnough) }
    }

    /// Records in `timeline` from now on which rank does what.
    func note(in timeline: TimelineFile) { state.withLock { $0.timelines.append(timeline) } }

    /// Records the whole job on `page` from now on.
    func note(in page: PageFile) { state.withLock { $0.page = page } }

    /// Sets how the ranks are made to work.
    func note(conduct: Plan.Conduct) { state.withLock { $0.conduct = conduct } }

    /// The page that shows the whole job, if there is one.
    var page: PageFile? { state.withLock { $0.page } }

    private var pictures: (timelines: [TimelineFile], page: PageFile?) {
        state.withLock { ($0.timelines, $0.page) }
    }

    /// Keeps for the user where the incomplete results are.
    func note(leftover: String?) { state.withLock { $0.leftover = leftover } }

    /// Completes journal, timelines and page at the end of the job; `end` is the reason where the job ends early.
    func closeFiles(because end: JobEnd?) {
        finishDisplay()
        // The failed example will be done again, but the journal should show the failure. It may be recorded already,
        // where failures wait for their turn.
        if case .fault(let fault)? = end, fault.phase == .work, let loop = progress?.operation,
            !state.withLock({ $0.failed.contains(fault.example ?? 0) })
        {
            exampleFailed(fault, in: loop)
        }
        var failure = closeJournal()
        let (timelines, page) = pictures
        func complete(_ finish: () throws(ReportError) -> Void) {
            do { try finish() } catch {
                let fault = Fault(
                    phase: .load, message: error.description, rank: 0, host: HostName.current, status: 2)
                failure = failure ?? .fault(fault)
            }
        }
        for timeline in timelines { complete(timeline.finish) }
        if let page { complete { () throws(ReportError) in try page.finish(pageEnding(end, page), at: dlp_now()) } }
        if let failure { state.withLock { $0.fileFailure = failure } }
    }

    /// Describes for the page how the job ended.
    private func pageEnding(_ end: JobEnd?, _ page: PageFile) -> PageEnding {
        var ending = PageEnding()
        let halted: (report: IncompleteReport, signal: Int32?)? = state.withLock { state in
            // With several loops, the length of one is not that of the job.
            if state.loops == 1 {
                ending.total = state.progress?.total
                ending.earlier = state.progress?.earlier ?? 0
            }
            if let repetition = state.repetition { ending.alone = { repetition.line($0) } }
            return state.halted
        }
        let (loops, conduct, hadEnough) = state.withLock { ($0.loops, $0.conduct, $0.hadEnough) }
        ending.hadEnough = hadEnough
        // A plan covers a single list, but several loops run one after another.
        if loops == 1 { ending.plan = page.plan(of: hadEnough ? nil : ending.total, conduct) }
        ending.reason = halted.map { Self.text($0) } ?? end.flatMap { text(of: $0) }
        if ending.reason == nil, case .exit(let status, _, .some)? = end {
            ending.reason = "work called os.exit(\(status))"
        }
        return ending
    }

    /// Why journal, timelines or page are not complete; nil where they are.
    var fileFailure: JobEnd? { state.withLock { $0.fileFailure } }

    /// Tells the user why the job ends, and what became of its files.
    ///
    /// Without a reason, only about the files.
    func tell(_ end: JobEnd?) {
        let (failure, leftover) = state.withLock { state in
            defer { (state.fileFailure, state.leftover) = (nil, nil) }
            return (state.fileFailure, state.leftover)
        }
        if let end, let text = text(of: end) { Diagnostics.write(text) }
        if case .fault(let fault)? = failure, fault.message != end?.fault?.message { Diagnostics.write(fault.message) }
        if let leftover { Diagnostics.write(leftover) }
    }

    private func text(of end: JobEnd) -> String? {
        switch end {
        case .fault(let fault):
            let repetition = fault.phase == .work ? fault.example : nil
            let line = repetition.flatMap { example in state.withLock { $0.repetition }?.line(example) }
            return fault.text(ranks: size) + (line.map { "\n\talone: \($0)" } ?? "")
        case .interrupted:
            let isComplete = state.withLock { $0.isComplete }
            return report?.text("interrupted") ?? (isComplete ? "interrupted after all was done" : "interrupted")
        case .exit(let status, let rank, let example?) where status != 0 || isatty(STDERR_FILENO) != 0:
            let caller = size > 1 || rank > 0 ? " on rank \(rank)" : ""
            return "work called os.exit(\(status))\(caller), at example \(example): the job ends before all is done"
        case .exit, .stopped: return nil
        }
    }

    /// Keeps how far a halted job came: halted by a signal, or without one by --stop-after.
    func note(_ report: IncompleteReport, signal: Int32?) {
        var report = report
        report.hasJournal = journal(of: progress?.operation) != nil
        state.withLock { $0.halted = (report, signal) }
    }

    /// Tells the user on request what each rank does.
    func tell(_ states: [RankState]) {
        Diagnostics.write(StateReport(progress, states, costing: costing, now: dlp_now(), date: time(nil)).text)
    }

    /// Tells the user how far a halted job came.
    func tellHowFar() {
        guard let (report, signal) = state.withLock({ $0.halted }) else { return }
        Diagnostics.write(Self.text((report, signal)))
    }

    private static func text(_ halted: (report: IncompleteReport, signal: Int32?)) -> String {
        halted.signal == nil
            ? halted.report.text("stopped", as: ", as --stop-after asks") : halted.report.text("interrupted")
    }

    /// How far the job has come, as far as the service thread knows.
    private var report: IncompleteReport? {
        let (progress, own, isComplete) = state.withLock { ($0.progress, $0.own, $0.isComplete) }
        guard let progress, !isComplete else { return nil }
        var report = IncompleteReport(done: progress.done, failures: progress.failures, total: progress.total)
        report.hasJournal = journal(of: progress.operation) != nil
        if let own {
            report.done = own.value
            report.isOfRootOnly = size > 1
        }
        return report
    }

    /// How far the last loop has come.
    var progress: LoopProgress? { state.withLock { $0.progress } }

    func loopChanged(_ progress: LoopProgress?) {
        state.withLock { state in
            if let loop = progress?.operation, loop != state.progress?.operation { state.loops += 1 }
            state.progress = progress
            guard state.leavesOutSkipped, let skipped = progress?.earlier else { return }
            state.progress?.done -= skipped
            state.progress?.total = progress?.total.map { $0 - skipped }
            state.progress?.earlier = 0
        }
    }

    /// Does not count skipped examples as part of the job from now on.
    func leaveOutSkipped() { state.withLock { $0.leavesOutSkipped = true } }

    /// Sets how to do an example alone; messages about failures tell it.
    func note(repetition: Repetition) { state.withLock { $0.repetition = repetition } }

    func rankHasWorked(_ rank: Int, host: String, on chunk: Chunk, isFailed: Bool, cost: ExampleCost) {
        let (timelines, page) = pictures
        for timeline in timelines {
            timeline.add(chunk, isFailed: isFailed, rank: rank, host: host, nanoseconds: cost.nanoseconds)
            timeline.add(cpu: UInt64(cost.cpu), of: rank)
        }
        page?.addReport(
            chunk, isFailed: isFailed, rank: rank, host: host, nanoseconds: cost.nanoseconds,
            memory: cost.peak.map { Int($0) })
        page?.addCost(rank: rank, host: host, cpu: UInt64(cost.cpu))
    }

    func examplesAreDone(_ run: ResultRun, of loop: UInt64, host: String, cost: ExampleCost, attempts: Int) {
        notes(of: loop)?.note(run, host: host, cost, attempts: attempts)
        journal(of: loop)?.note(.done(run, host: host, cost, attempts: attempts))
    }

    func examplesWereTraced(_ report: TraceReport, of loop: UInt64, by rank: Int) {
        guard let journal = journal(of: loop) else { return }
        journal.ledger.note(report, by: rank)
        guard let kept = report.kept, state.withLock({ $0.toldOfTraces.insert(loop).inserted }) else { return }
        Diagnostics.write(
            "--track: examples find changed what others have left (first seen in \(kept), on rank \(rank)), so that whatever "
                + "a rank has entered before counts for those that follow")
    }

    func exampleFailed(_ fault: Fault, in loop: UInt64) {
        if let example = fault.example { state.withLock { _ = $0.failed.insert(example) } }
        page?.addFailure(fault)
        notes(of: loop)?.note(fault)
        journal(of: loop)?.note(.failed(fault))
    }

    func explainLoss(of rank: Int) -> LossExplanation {
        // The launcher does not know ranks that joined later.
        rank < size ? control?.explainLoss(of: rank) ?? .unknown : .unknown
    }

    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence) {
        let (timelines, page) = pictures
        for timeline in timelines { timeline.lose(rank, host: host, cause: cause) }
        page?.lose(rank, host: host, cause: cause, at: dlp_now())
        // An interrupted job does not redo the lost examples.
        let consequence = consequence == .redone && supervisor.haltSignal != nil ? .leftUndone : consequence
        Diagnostics.write("lost rank \(rank) (host \(host)): \(cause)\(consequence.clause)")
    }

    func rankReturned(_ rank: Int, host: String) { Diagnostics.write("rank \(rank) (host \(host)) is back") }

    func rankJoined(_ rank: Int, host: String) { Diagnostics.write("rank \(rank) (host \(host)) has joined") }

    func rankLeft(_ rank: Int, host: String) { Diagnostics.write("rank \(rank) (host \(host)) has left") }

    func note(_ text: String) { Diagnostics.write(text) }

    func rankIsSilent(_ rank: Int, host: String, isDone: Bool) {
        let reason = isDone ? "all is done, so the job" : "the job"
        Diagnostics.write("rank \(rank) (host \(host)) does not answer; \(reason) ends without it")
    }

    func jobEnds(_ end: JobEnd) { supervisor.handle(.jobEnded) }

    func jobIsStuck(_ end: JobEnd, leave: () -> Void) { supervisor.handle(.scriptIsOverdue(end), leave: leave) }
}

extension JobEnd {
    fileprivate var fault: Fault? { if case .fault(let fault) = self { fault } else { nil } }
}
