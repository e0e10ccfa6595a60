import AME
import CLuaHost
import DLP
import Glibc
import Journal
import LuaHost
import Synchronization

/// Looks on while the root serves: remembers how far it is, explains lost ranks, and ends the process when the job does.
final class RootObserver: JobObserver {
    private struct State {
        var interrupter: Interrupter?
        var progress: LoopProgress?
        var display: ProgressDisplay?
        /// In mode `round-robin`, where the others report at the end only: what the root itself has done.
        var own: WorkCounter?
        /// Where it is noted what becomes of examples.
        var journal: JournalWriter?
    }

    private let state = Mutex(State())
    private let control: ControlChannel?
    private let size: Int

    init(control: ControlChannel?, size: Int) {
        self.control = control
        self.size = size
    }

    /// What to interrupt when the job ends.
    func watch(_ interrupter: Interrupter) { state.withLock { $0.interrupter = interrupter } }

    /// Begins to show progress.
    func show(_ plan: ProgressDisplay.Plan) {
        finishDisplay()
        state.withLock { $0.progress = nil }
        let display = ProgressDisplay(plan) { [weak self] in self?.progress }
        state.withLock { $0.display = display }
    }

    /// Ends what `show` began, for whoever comes first: the main thread, or the service thread when the job ends.
    func finishDisplay() {
        let display = state.withLock { state in
            defer { state.display = nil }
            return state.display
        }
        display?.finish()
    }

    /// The root does its share of the examples, and hears of the others' at the end only.
    func count(_ counter: WorkCounter) { state.withLock { $0.own = counter } }

    /// Notes from now on what becomes of examples.
    func note(in journal: JournalWriter) { state.withLock { $0.journal = journal } }

    /// Waits until all that has come is in the journal, if there is one.
    ///
    /// - Returns: why it is not.
    func closeJournal() -> JournalError? {
        guard let journal = state.withLock({ $0.journal }) else { return nil }
        do { try journal.close() } catch { return error }
        return nil
    }

    /// Tells the user why the job ends early, once all that there is of it is safe.
    func explain(_ end: JobEnd) {
        finishDisplay()
        // What failed is done again, but whoever looks into the journal should find it.
        if case .fault(let fault) = end, fault.phase == .work { exampleFailed(fault) }
        let failure = closeJournal()
        switch end {
        case .fault(let fault):
            Complaint.write(Complaint.text(of: fault, size: size))
            if fault.message == failure?.description { return }
        case .interrupted: Complaint.write(interruption)
        case .exit, .stopped: break
        }
        if let failure { Complaint.write(failure.description) }
    }

    /// What to say when the job is interrupted.
    private var interruption: String {
        let (progress, own, journal) = state.withLock { ($0.progress, $0.own, $0.journal) }
        let lost =
            journal == nil
            ? "their results are lost, start again to do them all" : "start again with the same --journal to go on"
        guard let progress else { return "interrupted" }
        let total = progress.total.map { " of \($0)" } ?? ""
        guard let own else { return "interrupted after \(progress.done)\(total) examples; \(lost)" }
        let others = size > 1 ? " on rank 0 (in mode round-robin the others do not say)" : ""
        return "interrupted after \(own.value)\(total) examples\(others); \(lost)"
    }

    /// How far the last loop came.
    var progress: LoopProgress? { state.withLock { $0.progress } }

    func loopChanged(_ progress: LoopProgress?) { state.withLock { $0.progress = progress } }

    func examplesAreDone(_ run: ResultRun, host: String, nanoseconds: Int64, attempts: Int) {
        guard let journal = state.withLock({ $0.journal }) else { return }
        journal.note(.done(run, host: host, nanoseconds: nanoseconds, attempts: attempts))
    }

    func exampleFailed(_ fault: Fault) { state.withLock { $0.journal }?.note(.failed(fault)) }

    func explainLoss(of rank: Int) -> String? {
        // The launcher knows nothing of ranks that came late.
        rank < size ? control?.explainLoss(of: rank) : nil
    }

    func rankWasLost(_ rank: Int, host: String, cause: String) {
        Complaint.write("lost rank \(rank) (host \(host)): \(cause); others do its examples")
    }

    func rankJoined(_ rank: Int, host: String) { Complaint.write("rank \(rank) (host \(host)) has joined") }

    func rankLeft(_ rank: Int, host: String) { Complaint.write("rank \(rank) (host \(host)) has left") }

    func jobEnds(_ end: JobEnd) { state.withLock { $0.interrupter?.interrupt() } }

    func jobIsStuck(_ end: JobEnd, leave: () -> Void) {
        explain(end)
        leave()
        _exit(end.status)
    }
}
