import DLP
import Glibc

/// How a rank ends: events go in, actions come out.
///
/// It is a value without threads, clocks or files. The `Supervisor` brings the events, and only it performs the
/// actions. The root, the ranks that were started with it and those that join later all use this one state machine.
///
/// Five words are used for ending, here and in names:
/// - *halt*: no more examples are begun, and those that run are finished;
/// - *leave*: this rank takes no more part, and the job goes on without it;
/// - *finish*: this rank's script has come to its end;
/// - *end*: the job is over;
/// - *abandon*: a script or program is given up while it runs.
struct RankLife: Hashable {
    /// What a rank is to the others.
    enum Role: Hashable {
        /// It ends the job, and tells the user why.
        case root
        /// It was started with the root, and follows it.
        case worker
        /// It came later, by itself. An error before it takes part ends only this rank.
        case joined
    }

    /// What a timer is set for.
    enum Timer: Hashable, CaseIterable {
        /// The transport connects the ranks.
        case connection
        /// The root reacts to a signal that this worker has got, too.
        case rootsReaction
        /// Running examples finish.
        case grace
        /// The script ends because the root is gone.
        case scriptsEnd
    }

    /// What happens to a rank.
    enum Event: Equatable {
        // The start and the work, from the script's thread.
        /// The transport begins to connect the ranks. If that takes too long, this process ends; `speaks` says
        /// whether it then tells the user.
        case connecting(within: UInt64, speaks: Bool)
        case connected(Role, rank: Int)
        case notConnected(String)
        /// The script can be made to fail from now on.
        case scriptOpened
        /// Joined: the root counts on this rank from now on.
        case takesPart
        case loopBegan
        case loopEnded
        /// Root: a loop has ended early in good order, because no more examples were to be begun.
        case halted

        // From any thread, at any moment.
        case signal(Int32)
        /// The user asks how far the job is.
        case asked
        /// The connection with the root is gone.
        case lostRoot
        /// Worker: the root has ended the job while this rank is at work.
        case rootHasEnded
        /// Root: the job ends early.
        case jobEnded
        /// Root: the script still runs some time after the job's end.
        case scriptIsOverdue(JobEnd)
        /// An example has exceeded its time limit inside a C function.
        case exampleIsStuck(Fault)
        case timeIsUp(Timer)

        // The reasons why the script's thread ends.
        /// The script has finished; `isJob` where it has a function `work`.
        case finished(status: Int32, isJob: Bool)
        /// The script has called `os.exit`, in an example or elsewhere.
        case exited(status: Int32, example: Int?, isJob: Bool)
        /// The job ends early, because of this script or because another rank said so.
        case failed(JobEnd)
        /// The script was made to fail, and this rank does not know yet why the job ends.
        case interrupted
        /// Joined: this process cannot take part.
        case refused(String, status: Int32)

        // The answers to steps of the script's thread.
        /// The root has ended the job with this status; nil where it has not answered.
        case rootAnswered(Int32?)
        /// All ranks have finished; the status is the job's where the root has sent it.
        case othersFinished(status: Int32?)
        /// The files are closed: nil where they are complete, otherwise the reason why they are not.
        case filesClosed(JobEnd?)
        /// Whether a signal has come.
        case dismissal(Bool)
        /// Whether this rank has told the user, on behalf of its host.
        case spokeForHost(Bool)
    }

    /// What the supervisor is to do.
    enum Action: Equatable {
        /// Set a timer: expect the event `timeIsUp` after this number of nanoseconds.
        case set(Timer, UInt64)
        /// Tell the launcher that from now on this rank reports what ends it, and let no library end the process.
        case takeCharge
        /// Treat the end of this process as intended from now on.
        case expectEnd
        /// Root: let no rank begin another example.
        case halt
        /// Root: end the job.
        case endJob(JobEnd)
        /// Joined: leave after the example that runs.
        case leaveSoon
        /// Worker: remember that a signal has come, for `awaitDismissal`.
        case noteDismissal
        /// Make the script fail, and send SIGTERM to the programs that it has started.
        case abandonScript
        /// Tell the root of an example that does not return; tell the user where the transport cannot.
        case giveUp(Fault)
        /// Remove the file by which ranks find each other.
        case removeMeetingFile
        /// Tell the user.
        case say(String)
        /// Root: tell the user what each rank does.
        case tellStates
        /// Root: end the display of progress; complete the journal, the timelines and the page.
        case closeFiles(because: JobEnd?)
        /// Root: tell the user why the job ends, and what became of its files. Without a reason: only about the
        /// files.
        case tell(JobEnd?)
        /// Root: tell the user how far the halted job came.
        case tellHowFar
        /// Root: let the thread that serves the other ranks say goodbye to them.
        case dismissOthers
        /// End this process at once, with all that it has started.
        case exitNow(Int32)
        /// End this process by a signal, with the default action.
        case dieBySignal(Int32)
        /// A step that only the script's thread can do. That thread has brought the event.
        case step(Step)
        /// End the script's thread, and with it the process, in good order.
        case exit(Int32)
    }

    /// A step that only the script's thread can do when it ends.
    enum Step: Equatable {
        /// Write what the script has printed.
        case flush
        /// Root: keep the results so far.
        case keepPartialResults
        /// Root: find out whether the files are complete; brings `filesClosed`.
        case checkFiles
        /// Wait until the other ranks have finished; brings `othersFinished` or `failed`.
        case awaitOthers(UInt64?)
        /// Tell the root why the job ends.
        case report(JobEnd)
        /// Wait for the root to end the job; brings `rootAnswered`.
        case awaitRoot(UInt64)
        /// Wait for a signal that says why the root is gone; brings `dismissal`.
        case awaitDismissal(UInt64)
        /// Tell the user that the root is gone, unless another rank of this host does; brings `spokeForHost`.
        case speakForHost(String)
        /// Tell the root that this rank is done.
        case sayGoodbye
        /// Take leave of the other ranks, with the job's status.
        case close(Int32)
    }

    /// The phase of a rank's life.
    enum Phase: Hashable {
        /// It looks for the others.
        case starting
        /// Its script runs, or is about to.
        case running
        /// Its script's thread is ending and waits for an answer.
        case ending(Question)
        /// It has taken leave of the others, or is about to.
        case left
        /// The process ends at this moment.
        case gone
    }

    /// What the script's thread waits for when it ends, with the values that it needs afterwards.
    enum Question: Hashable {
        /// Whether the other ranks finish. Then the files are closed, unless they have been already because the
        /// script called `os.exit`.
        case others(status: Int32, areFilesClosed: Bool)
        /// Whether the files are complete.
        case files(status: Int32)
        /// With which status the root ends the job. Where this rank's own status already stands, only whether the
        /// root has heard.
        case verdict(status: Int32, isClear: Bool)
        /// Why the script was interrupted.
        case cause
        /// Whether a signal says why the root is gone.
        case dismissal(String)
        /// Whether this rank speaks for its host.
        case speech
        /// Whether a signal comes after this rank has spoken for its host.
        case notice
    }

    private(set) var role: Role
    private(set) var phase = Phase.starting
    private(set) var rank = 0
    /// Whether examples are being handed out.
    private(set) var isInLoop = false
    /// The first signal that has asked this rank to end; nil on joined ranks, which leave on any signal.
    private(set) var signal: Int32?
    /// The signal after which no more examples are begun.
    private(set) var haltSignal: Int32?
    /// Whether this process reports what ends it before it is connected.
    private let speaks: Bool
    /// How long the transport may take to connect the ranks, in nanoseconds, and whether this rank reports a timeout.
    private var startLimit: UInt64 = 0
    private var tellsOfSlowStart = false
    private var wasInLoopAtSignal = false
    /// Whether the job ends because of a signal.
    private var isInterrupting = false
    private var hasJobEnded = false
    /// Joined: whether the root counts on this rank.
    private(set) var takesPart = false
    /// Whether the user has been told why the job ends.
    private var hasTold = false

    /// - Parameters:
    ///   - role: the role of this rank, as far as it is known before it is connected.
    ///   - speaks: whether it says that a signal has ended it; otherwise the launcher does, which sees that.
    init(_ role: Role, speaks: Bool) {
        self.role = role
        self.speaks = speaks
    }

    /// Returns the actions to do for `event`, in this order.
    mutating func handle(_ event: Event) -> [Action] {
        guard phase != .gone else { return [] }
        switch event {
        case .connecting(let limit, let speaks):
            (startLimit, tellsOfSlowStart) = (limit, speaks)
            return [.set(.connection, limit)]
        case .connected(let role, let rank): return connected(role, rank)
        case .scriptOpened: return hasJobEnded ? [.abandonScript] : []
        case .takesPart:
            takesPart = true
            return []
        case .loopBegan:
            isInLoop = true
            return []
        case .loopEnded:
            isInLoop = false
            return []
        case .signal(let signal): return got(signal)
        case .asked: return asked()
        case .timeIsUp(let timer): return timeIsUp(timer)
        case .jobEnded:
            hasJobEnded = true
            return [.expectEnd, .abandonScript]
        case .rootHasEnded: return phase == .running ? [.abandonScript] : []
        case .lostRoot: return phase == .left ? [] : [.abandonScript, .set(.scriptsEnd, LifePeriods.scriptsEnd)]
        case .scriptIsOverdue(let end):
            let story = tellOnce(end)
            phase = .gone
            return [.closeFiles(because: end)] + story + [.dismissOthers, .exitNow(end.status)]
        case .exampleIsStuck(let fault):
            guard phase == .running else { return [] }
            // On the root, the service thread can still end the job. Any other rank ends itself, and the root counts
            // it as lost.
            if role == .root { return [.endJob(.fault(fault))] }
            phase = .gone
            return [.giveUp(fault), .exitNow(3)]
        case .halted:
            defer { hasTold = true }
            return hasTold ? [] : [.tellHowFar]
        case .notConnected, .finished, .exited, .failed, .interrupted, .refused, .rootAnswered, .othersFinished,
            .filesClosed, .dismissal, .spokeForHost:
            return handleEnding(event)
        }
    }

    private mutating func connected(_ role: Role, _ rank: Int) -> [Action] {
        (self.role, self.rank, phase) = (role, rank, .running)
        // A rank that has failed at once may have ended the job already.
        let start: [Action] = hasJobEnded ? [] : [.takeCharge]
        guard let signal else { return start }
        return start + (role == .root ? interrupt(signal) : [.noteDismissal])
    }

    /// Tells the user why the job ends, unless that has been done already.
    mutating func tellOnce(_ end: JobEnd) -> [Action] {
        defer { hasTold = true }
        return hasTold ? [.tell(nil)] : [.tell(end)]
    }

    mutating func enter(_ phase: Phase) { self.phase = phase }
}

// MARK: - Signals, and what time brings

extension RankLife {
    /// A signal asks this rank to end.
    ///
    /// Batch systems announce the end with SIGTERM, and launchers pass it on. A job that hands out examples then
    /// finishes the running ones. The other ranks often get the signal too, but follow the root.
    private mutating func got(_ signal: Int32) -> [Action] {
        switch role {
        case .joined: return [.leaveSoon]
        case .root where phase == .starting:
            self.signal = signal
            phase = .gone
            return [.removeMeetingFile]
                + (speaks ? [.say("interrupted"), .exitNow(128 + signal)] : [.dieBySignal(signal)])
        case .root:
            guard self.signal == nil else { return interrupt(signal) }
            self.signal = signal
            guard signal == SIGTERM, isInLoop else { return interrupt(signal) }
            haltSignal = signal
            return [.halt, .set(.grace, LifePeriods.grace)]
        case .worker:
            guard self.signal == nil else { return [] }
            self.signal = signal
            wasInLoopAtSignal = isInLoop
            if phase == .starting { return [.set(.rootsReaction, LifePeriods.rootsReactionAtStart)] }
            return [.noteDismissal, .set(.rootsReaction, LifePeriods.rootsReaction)]
        }
    }

    /// The other ranks may have been asked too; only the root answers.
    private func asked() -> [Action] {
        guard role == .root else { return [] }
        switch phase {
        case .starting: return [.say("the ranks are not connected yet")]
        case .running, .ending: return [.tellStates]
        case .left, .gone: return []
        }
    }

    private mutating func interrupt(_ signal: Int32) -> [Action] {
        defer { isInterrupting = true }
        return isInterrupting ? [] : [.endJob(.interrupted(signal: signal))]
    }

    private mutating func timeIsUp(_ timer: Timer) -> [Action] {
        switch timer {
        case .connection:
            guard phase == .starting else { return [] }
            phase = .gone
            return (tellsOfSlowStart ? [.say(slowStart)] : []) + [.exitNow(3)]
        case .rootsReaction:
            guard let signal, role == .worker else { return [] }
            // A rank that was about to begin the loop follows the root too.
            if signal == SIGTERM, wasInLoopAtSignal || isInLoop { return [.set(.grace, LifePeriods.grace)] }
            return exitNow(128 + signal)
        case .grace:
            // Outside of the loop this rank has done its part, and the root is about to end the job by itself.
            guard let signal, isInLoop else { return [] }
            return role == .root ? interrupt(signal) : exitNow(128 + signal)
        case .scriptsEnd: return phase == .left ? [] : exitNow(signal.map { 128 + $0 } ?? 3)
        }
    }

    private mutating func exitNow(_ status: Int32) -> [Action] {
        phase = .gone
        return [.exitNow(status)]
    }

    private var slowStart: String {
        "MPI did not start on all ranks within \(Double(startLimit) / 1e9) seconds: see whether one of them failed, give "
            + "them more time with --connect-timeout, or say --backend ame"
    }
}
