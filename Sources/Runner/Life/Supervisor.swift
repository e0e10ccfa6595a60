import AME
import CSystem
import DLP
import Glibc
import Launcher
import LuaHost

/// Watches over a rank's life.
///
/// It receives signals, timeouts and the events of the rank's threads, performs the actions that `RankLife` returns,
/// and is the only part that ends the process.
///
/// Any thread may send it an event. Steps that only the script's thread can do are done by `conclude`, which that
/// thread calls last.
final class Supervisor: Sendable {
    /// The means by which this rank acts on other ranks and on its own script, as far as they exist yet.
    struct Means: Sendable {
        var control: LauncherChannel?
        var observer: RootObserver?
        var interrupter: Interrupter?
        /// Root: `halt` lets no rank begin another example after a moment; `endJob` ends the job.
        var halt: @Sendable (UInt64) -> Void = { _ in }
        var endJob: @Sendable (JobEnd) -> Void = { _ in }
        /// Root: asks what each rank does.
        var askForStates: @Sendable (@escaping @Sendable ([RankState]) -> Void) -> Void = { _ in }
        /// Tells the root of an example that does not return; nil where the transport cannot.
        var giveUp: (@Sendable (_ example: Int, Fault) -> Void)?
        /// Joined: this rank leaves after the example that runs.
        var leaveSoon: @Sendable () -> Void = {}
        /// How many ranks the job began with.
        var size = 1
    }

    private struct State: Sendable {
        var life: RankLife
        var means = Means()
        /// The moment at which each timer is up, in nanoseconds of the monotonic clock.
        var timers: [RankLife.Timer: UInt64] = [:]
        /// Whether a signal has said why the root may be gone.
        var isDismissed = false
    }

    private let state: Monitor<State>

    /// - Parameters:
    ///   - role: this rank's role, as far as it is known yet.
    ///   - speaks: whether this process reports a signal that ends it before it is connected; otherwise the launcher
    ///     does.
    init(_ role: RankLife.Role, speaks: Bool = false) { state = Monitor(State(life: RankLife(role, speaks: speaks))) }

    /// Watches signals and timers from now on, on a separate thread.
    ///
    /// - Throws: `CommunicationError` where the system has no more descriptors or threads.
    func begin() throws(CommunicationError) {
        let role = state.withLock { $0.life.role }
        // A joined rank goes on until its example is done. The root lets examples finish where the job can use them.
        try SignalWatch.start(letsFinish: role != .worker, holdsScript: role != .joined) { [self] watch in
            while true {
                if let signal = watch.next(until: state.withLock { $0.timers.values.min() }) {
                    handle(signal == SIGUSR1 ? .asked : .signal(signal))
                }
                for timer in dueTimers() { handle(.timeIsUp(timer)) }
            }
        }
    }

    private func dueTimers() -> [RankLife.Timer] {
        state.withLock { state in
            let now = dlp_now()
            let due = RankLife.Timer.allCases.filter { timer in state.timers[timer].map { $0 <= now } ?? false }
            for timer in due { state.timers[timer] = nil }
            return due
        }
    }

    /// Gives the supervisor more means.
    func equip(_ change: (inout Means) -> Void) { state.withLock { change(&$0.means) } }

    // MARK: State that ranks read

    /// Tells that examples are handed out from now on; running ones may finish when a signal comes.
    func loopBegins() { handle(.loopBegan) }

    /// Tells that the loop is over.
    ///
    /// - Returns: the signal that ended it early, if one did.
    func loopEnds() -> Int32? {
        handle(.loopEnded)
        return haltSignal
    }

    /// The signal after which no more examples are begun.
    var haltSignal: Int32? { state.withLock { $0.life.haltSignal } }

    // MARK: Events and actions

    /// Performs the actions for `event`; may be called from any thread.
    ///
    /// - Parameter leave: says goodbye to the other ranks, on the thread that serves them.
    func handle(_ event: RankLife.Event, leave: () -> Void = {}) {
        for action in actions(on: event) { perform(action, leave) }
    }

    private func actions(on event: RankLife.Event) -> [RankLife.Action] { state.withLock { $0.life.handle(event) } }

    /// Ends the script's thread because of `event`.
    ///
    /// - Parameter steps: performs the steps that only that thread can do; nil before the ranks are connected.
    /// - Returns: the exit status.
    func conclude(_ event: RankLife.Event, _ steps: LastSteps? = nil) -> Int32 {
        var event = event
        while true {
            var answer: RankLife.Event?
            for action in actions(on: event) {
                switch action {
                case .exit(let status): return status
                case .step(let step): answer = steps?.perform(step, self)
                default: perform(action) {}
                }
            }
            // Without an answer, another thread is just ending this process.
            guard let next = answer else { while true { pause() } }
            event = next
        }
    }

    private func perform(_ action: RankLife.Action, _ leave: () -> Void) {
        let means = state.withLock { $0.means }
        switch action {
        case .set(let timer, let period):
            state.withLock { $0.timers[timer] = Deadline.after(period).moment }
            SignalWatch.nudge()
        case .takeCharge:
            means.control?.lead()
            dlp_guard_exit()
        case .expectEnd:
            dlp_allow_exit()
            means.control?.isOver()
        case .halt: means.halt(dlp_now())
        case .endJob(let end): means.endJob(end)
        case .leaveSoon: means.leaveSoon()
        case .noteDismissal: state.update { $0.isDismissed = true }
        case .abandonScript:
            means.interrupter?.interrupt()
            Descendants().signal(SIGTERM)
        case .giveUp(let fault):
            if let giveUp = means.giveUp, let example = fault.example { return giveUp(example - 1, fault) }
            Diagnostics.write("\(fault.text(ranks: means.size)); this rank is given up")
        case .removeMeetingFile: Rendezvous.removeFile()
        case .say(let text): Diagnostics.write(text)
        case .tellStates: means.askForStates { means.observer?.tell($0) }
        case .closeFiles(let end): means.observer?.closeFiles(because: end)
        case .tell(let end): means.observer?.tell(end)
        case .tellHowFar: means.observer?.tellHowFar()
        case .dismissOthers: leave()
        case .exitNow(let status): ForcedExit.withDescendants(status: status)
        case .dieBySignal(let signal): dlp_die_by_signal(signal)
        case .step, .exit: preconditionFailure("only what the script's thread brings ends it")
        }
    }

    /// Waits for a signal that says why the root is gone; false where none came within `period` nanoseconds.
    func awaitDismissal(_ period: UInt64) -> Bool {
        state.wait(until: Deadline.after(period).moment) { $0.isDismissed ? true : nil } ?? false
    }
}
