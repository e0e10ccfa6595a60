import AME
import CSystem
import DLP
import Glibc
import Journal
import LuaHost
import Planning
import Report
import Synchronization

/// Looks on while the root serves: remembers how far it is, notes it in journal and timelines, and tells the user of what
/// befalls the job.
final class RootObserver: JobObserver {
    private struct State {
        var progress: LoopProgress?
        /// How far it is known what examples cost, while that is asked.
        var costs: CostCount?
        /// When that began, and how long it took that is over, in nanoseconds.
        var costing: (start: UInt64, time: UInt64) = (0, 0)
        var display: ProgressDisplay?
        /// In mode `round-robin`, where the others report at the end only: what the root itself has done.
        var own: WorkCounter?
        /// Where it is noted what becomes of examples; and the loop of the latest stage, with its examples.
        var journal: JournalWriter?
        var stage: (loop: UInt64, journal: StageJournal)?
        /// The loops of which the user knows that their examples leave something to others.
        var toldOfTraces: Set<UInt64> = []
        /// Where it is noted what the examples of a loop cost, where that is written beside their results.
        var notes: (loop: UInt64, notes: ExampleNotes)?
        /// Where it is noted who does what when.
        var timelines: [TimelineFile] = []
        var page: PageFile?
        /// How the ranks work, for the page's plan.
        var conduct = Plan.Conduct()
        /// How many loops have begun.
        var loops = 0
        /// Where results are that will not be complete, as a clause.
        var leftover: String?
        /// Whether examples that are skipped are no part of what is to be done.
        var leavesOutSkipped = false
        /// How an example is done alone.
        var repetition: Repetition?
        /// Why journal or timelines are not complete, where they are not, until the user has been told.
        var fileFailure: JobEnd?
        /// How far the job came that was halted, and the signal for which it was.
        var halted: (report: IncompleteReport, signal: Int32?)?
        /// Whether the script has all results, so that nothing can be lost any more; and whether it wanted no more of them.
        var isComplete = false
        var hadEnough = false
        /// The examples of which journal and page know that they failed.
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

    /// Begins to show the progress of the loop after the loop `last`, which other ranks may have begun already.
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

    /// Ends what `show` began, for whoever comes first: the script's thread, or the service thread when the job ends.
    func finishDisplay() {
        let display = state.withLock { state in
            defer { state.display = nil }
            return state.display
        }
        display?.finish()
    }

    /// What examples cost is asked from now on, or not any more.
    func note(costs: CostCount?) {
        state.withLock { state in
            if state.costs != nil { state.costing.time += dlp_now() - state.costing.start }
            state.costs = costs
            state.costing.start = dlp_now()
        }
    }

    /// For how long it has been asked what examples cost, in nanoseconds.
    private var costingTime: UInt64 {
        state.withLock { $0.costing.time + ($0.costs == nil ? 0 : dlp_now() - $0.costing.start) }
    }

    private var costing: ProgressState.Costing? {
        state.withLock { $0.costs }.map { ProgressState.Costing(known: $0.known, wanted: $0.wanted) }
    }

    /// The root does its share of the examples, and hears of the others' at the end only.
    func count(_ counter: WorkCounter) { state.withLock { $0.own = counter } }

    /// There is a journal from now on, to be closed in the end.
    func note(in journal: JournalWriter) { state.withLock { $0.journal = journal } }

    /// Notes what becomes of the examples of the loop `loop`, which is about to begin.
    func note(in journal: StageJournal, of loop: UInt64) { state.withLock { $0.stage = (loop, journal) } }

    /// Notes what the examples of the loop `loop` cost, which is about to begin.
    func note(in notes: ExampleNotes, of loop: UInt64) { state.withLock { $0.notes = (loop, notes) } }

    private func notes(of loop: UInt64) -> ExampleNotes? {
        state.withLock { state in state.notes.flatMap { $0.loop == loop ? $0.notes : nil } }
    }

    /// The journal of the loop `loop`, if it is the latest that has one.
    private func journal(of loop: UInt64?) -> StageJournal? {
        state.withLock { state in state.stage.flatMap { $0.loop == loop ? $0.journal : nil } }
    }

    /// Ends the display, and waits until all that has come is in the journal, if there is one.
    ///
    /// - Returns: why it is not.
    func closeJournal() -> JobEnd? {
        finishDisplay()
        guard let journal = state.withLock({ $0.journal }) else { return nil }
        do { try journal.close() } catch { return .fault(JobJournal.fault(error)) }
        return nil
    }

    /// Waits while so much is to be written to the journal that memory would suffer.
    func waitForRoom() { state.withLock { $0.journal }?.waitForRoom() }

    /// The script has all results.
    func jobIsComplete(hadEnough: Bool) {
        state.withLock { ($0.isComplete, $0.hadEnough) = (true, hadEnough) }
    }

    /// Notes from now on who does what when.
    func note(in timeline: TimelineFile) { state.withLock { $0.timelines.append(timeline) } }

    /// The same on a page that shows all of the job.
    func note(in page: PageFile) { state.withLock { $0.page = page } }

    /// Ranks work as this says.
    func note(conduct: Plan.Conduct) { state.withLock { $0.conduct = conduct } }

    /// The page that shows all of the job, if there is one.
    var page: PageFile? { state.withLock { $0.page } }

    private var pictures: (timelines: [TimelineFile], page: PageFile?) {
        state.withLock { ($0.timelines, $0.page) }
    }

    /// Keeps for the user where results are that will not be complete.
    func note(leftover: String?) { state.withLock { $0.leftover = leftover } }

    /// Completes journal, timelines and page, at the end of the job: a job that ends early for the reason `end`, if it does.
    func closeFiles(because end: JobEnd?) {
        finishDisplay()
        // What failed is done again, but whoever looks into the journal should find it.
        // Where failures have their turn it has been told of already.
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

    /// How the job came to its end, for its page.
    private func pageEnding(_ end: JobEnd?, _ page: PageFile) -> PageEnding {
        var ending = PageEnding()
        let halted: (report: IncompleteReport, signal: Int32?)? = state.withLock { state in
            // Of several loops no one's length is that of the job.
            if state.loops == 1 {
                ending.total = state.progress?.total
                ending.earlier = state.progress?.earlier ?? 0
            }
            if let repetition = state.repetition { ending.alone = { repetition.line($0) } }
            return state.halted
        }
        let (loops, conduct, hadEnough) = state.withLock { ($0.loops, $0.conduct, $0.hadEnough) }
        ending.hadEnough = hadEnough
        // Loops come one after another, and one plan is for one list.
        if loops == 1 { ending.plan = page.plan(of: hadEnough ? nil : ending.total, conduct) }
        ending.reason = halted.map { Self.text($0) } ?? end.flatMap { text(of: $0) }
        if ending.reason == nil, case .exit(let status, _, .some)? = end {
            ending.reason = "work called os.exit(\(status))"
        }
        return ending
    }

    /// Why journal, timelines or page are not complete, where they are not.
    var fileFailure: JobEnd? { state.withLock { $0.fileFailure } }

    /// Tells the user why the job ends, and what became of its files; of these alone where there is no reason.
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

    /// Keeps how far a job came that was halted: by a signal, or else as --stop-after asks.
    func note(_ report: IncompleteReport, signal: Int32?) {
        var report = report
        report.hasJournal = journal(of: progress?.operation) != nil
        state.withLock { $0.halted = (report, signal) }
    }

    /// Tells the user who does what, which they have asked.
    func tell(_ states: [RankState]) {
        Diagnostics.write(StateReport(progress, states, costing: costing, now: dlp_now(), date: time(nil)).text)
    }

    /// Tells the user how far a job came that was halted.
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

    /// How far the last loop came.
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

    /// From now on examples that are skipped are no part of what is to be done.
    func leaveOutSkipped() { state.withLock { $0.leavesOutSkipped = true } }

    /// How an example of the job is done alone, which whoever hears of its failure is told.
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
        // The launcher knows nothing of ranks that came late.
        rank < size ? control?.explainLoss(of: rank) ?? .unknown : .unknown
    }

    func rankWasLost(_ rank: Int, host: String, cause: String, _ consequence: LossConsequence) {
        let (timelines, page) = pictures
        for timeline in timelines { timeline.lose(rank, host: host, cause: cause) }
        page?.lose(rank, host: host, cause: cause, at: dlp_now())
        // Nobody does what an interrupted job leaves.
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
