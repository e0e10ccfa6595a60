import AME
import CLuaHost
import DLP
import Glibc
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

    /// What to say when the job is interrupted.
    var interruption: String {
        let (progress, own) = state.withLock { ($0.progress, $0.own) }
        let lost = "their results are lost, start again to do them all"
        guard let progress else { return "interrupted" }
        let total = progress.total.map { " of \($0)" } ?? ""
        guard let own else { return "interrupted after \(progress.done)\(total) examples; \(lost)" }
        let others = size > 1 ? " on rank 0 (in mode round-robin the others do not say)" : ""
        return "interrupted after \(own.value)\(total) examples\(others); \(lost)"
    }

    /// How far the last loop came.
    var progress: LoopProgress? { state.withLock { $0.progress } }

    func loopChanged(_ progress: LoopProgress?) { state.withLock { $0.progress = progress } }

    func explainLoss(of rank: Int) -> String? { control?.explainLoss(of: rank) }

    func rankWasLost(_ rank: Int, host: String, cause: String) {
        Complaint.write("lost rank \(rank) (host \(host)): \(cause); others do its examples")
    }

    func jobEnds(_ end: JobEnd) { state.withLock { $0.interrupter?.interrupt() } }

    func jobIsStuck(_ end: JobEnd, leave: () -> Void) {
        finishDisplay()
        switch end {
        case .fault(let fault): Complaint.write(Complaint.text(of: fault, size: size))
        case .interrupted: Complaint.write(interruption)
        case .exit, .stopped: break
        }
        leave()
        _exit(end.status)
    }
}
