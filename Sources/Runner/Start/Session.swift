import AME
import CLuaHost
import CSystem
import DLP
import Glibc
import Journal
import LuaHost
import MPIBackend
import Report

/// This process's place in the job: its port, its Lua state, and how all that ends.
final class Session {
    let port: any Port
    let connection: Connection
    let observer: RootObserver
    let control: LauncherChannel?
    let interruption: Interruption
    /// Where the paths begin that the user has named.
    let startDirectory = StartDirectory()
    /// When this program began, in nanoseconds of the monotonic clock.
    let beginning: UInt64
    /// Whether the script defines a job; until that is known it counts as imperative.
    var isDeclarative = false
    private(set) var host: LuaHost?
    /// Where the results of a job are written, on the root.
    var output: ResultOutput?
    /// The job's exit status where it is done.
    var status: Int32 = 0

    private var root: RootPort? { port as? RootPort }
    var isRoot: Bool { port.isRoot }
    /// Whether this is the root of a job that others may join.
    var isJoinable: Bool { connection.door != nil }

    /// Connects the ranks.
    ///
    /// - Throws: `CommunicationError` where they do not find each other.
    init(
        _ connection: Connection, _ interruption: Interruption, since beginning: UInt64, connectTimeout: UInt64
    ) throws(CommunicationError) {
        self.connection = connection
        self.interruption = interruption
        self.beginning = beginning
        departure = try EventWaker()
        dismissal = try EventWaker()
        control = connection.environment?.control.map { LauncherChannel(descriptor: $0) }
        observer = RootObserver(control: control, interruption: interruption, size: connection.size)
        let (rank, size) = (connection.rank, connection.size)
        switch connection.transport {
        case .none:
            port = try RootPort(observer: observer) { LoneCommunicator() }
        case .ame(let environment) where rank == 0:
            port = try RootPort(observer: observer) { () throws(CommunicationError) in
                try AMERoot(environment: environment, door: connection.door, connectTimeout: connectTimeout)
            }
        case .ame(let environment):
            let worker = try AMEWorker(environment: environment, connectTimeout: connectTimeout)
            port = WorkerPort(worker)
            watchHangup = { try? worker.watchHangup($0) }
        case .mpi(let library):
            let start = try MPIStart(rank: rank, within: connectTimeout)
            defer { start.isOver() }
            if rank == 0 {
                port = try RootPort(observer: observer) { () throws(CommunicationError) in
                    try MPICommunicator(library: library, expectedRank: rank, expectedSize: size)
                }
            } else {
                port = try WorkerPort(MPICommunicator(library: library, expectedRank: rank, expectedSize: size))
            }
        }
        if size > 1 { dlp_name_process("dlp-lua: rank \(rank) (host \(HostName.current))") }
        if let root {
            interruption.lead(halt: root.halter, end: root.ender)
        } else {
            interruption.follow { [dismissal] in dismissal.wake() }
        }
        // From here on this rank says what ends it, and the launcher need not.
        control?.lead()
        dlp_guard_exit()
    }

    /// How long the other ranks of a job may all take to end once the root has, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000

    private var watchHangup: ((@escaping @Sendable () -> Void) -> Void)?
    /// Tells the watch that this worker is about to leave by itself.
    private let departure: EventWaker
    /// Tells this worker that it was asked to end, by a signal that the root or all ranks may have got, too.
    private let dismissal: EventWaker

    /// Connects the ranks a second time, where nothing else would tell them that one has died.
    ///
    /// - Throws: `JobEnd` where they cannot talk to each other.
    func tieLifeline() throws(JobEnd) {
        guard case .mpi = connection.transport, connection.detection.launcher?.endsOthers == false else { return }
        var lost: @Sendable (Int, String) -> Void = { (_, _) in }
        if let root { lost = root.rankIsLost }
        if let lifeline = try Lifeline.tie(port, lost: lost) {
            watchHangup = { lifeline.watchHangup($0) }
        } else if isRoot {
            Complaint.write(
                "the ranks cannot be connected by sockets as well: should one of them be killed, the others may wait for "
                    + "ever; srun -K ends them")
        }
    }

    /// Turns away who wants to join an imperative script, which is over by now.
    func refuseLateRanks() {
        guard isJoinable else { return }
        root?.refuseLateRanks("its script has no function work, so that only the ranks of its start can run it")
        Complaint.write("--joinable is of no use to a script without a function work")
    }

    /// Shows the progress of the loop that begins, where that is wanted.
    func showProgress(_ mode: ProgressReporter.Mode, prefix: String = "") {
        guard isRoot else { return }
        observer.show(
            ProgressDisplay.Plan(
                mode: mode, prefix: prefix, control: control, columns: connection.environment?.columns,
                size: port.size), after: port.loops)
    }

    /// Opens the journal, where one is kept, or gives that which is open.
    func openJournal(_ settings: JobSettings, _ script: Script) throws(UsageError) -> JobJournal? {
        if let journal { return journal }
        guard let wanted = settings.journal, let end = root?.ender else { return nil }
        journal = try JobJournal(wanted, script, seed: settings.seed, end: end)
        if let writer = journal?.writer { observer.note(in: writer) }
        return journal
    }

    private var journal: JobJournal?

    /// Begins the files that show who did what when, where some are wanted and none has been begun.
    func openTimelines(_ paths: [SystemString], title: String) throws(UsageError) {
        guard isRoot, !hasTimeline else { return }
        for path in paths {
            hasTimeline = true
            do {
                observer.note(in: try TimelineFile(path: path, title: title, ranks: port.size, start: beginning))
            } catch { throw UsageError(error.description) }
        }
    }

    private var hasTimeline = false

    /// Makes the Lua state, which ends when the job does.
    func open(_ settings: JobSettings) throws(ScriptError) -> LuaHost {
        let host = try LuaHost(
            port: port, backend: connection.backendName, version: Version.current, seed: settings.seed,
            localPlace: connection.place.map { ($0.rank, $0.size) }, loopDefaults: settings.loopDefaults,
            isSandboxed: settings.isSandboxed)
        host.limitMemory(to: settings.memory)
        self.host = host
        let interrupter = host.interrupter
        observer.watch(interrupter)
        host.willExit = { [unowned self] status in willExit(status) }
        // It may be over already.
        if root?.end != nil { interrupter.interrupt() }
        watchHangup? { [departure, interruption] in
            // Lua ends at its next instruction; a C function may take longer than anyone waits for.
            Abandonment.begin(interrupter)
            if !departure.wait(nanoseconds: 2_000_000_000) {
                Abandonment.finish(status: interruption.first.map { 128 + $0 } ?? 3)
            }
        }
        return host
    }

    private var lostRoot: LostRoot {
        LostRoot(
            rank: port.rank, environment: connection.environment, dismissal: dismissal, interruption: interruption)
    }

    /// What comes is the end of this process, and no accident.
    private func willEnd() { if isRoot { observer.willEnd() } else { dlp_allow_exit() } }

    /// `os.exit` in the script: what the other ranks learn before this process ends.
    ///
    /// In an imperative script every rank may end by it: with 0 this rank has simply finished. In any other case it is
    /// the end of the job.
    private func willExit(_ status: Int32) {
        willEnd()
        dlp_flush()
        let example = host?.exampleAtWork
        if let root {
            let leftover = output?.abandon()
            observer.note(leftover: leftover)
            if example != nil {
                observer.explain(.exit(status: status, rank: 0, example: example))
            } else {
                observer.finishDisplay()
                if let leftover { Complaint.write(leftover) }
            }
            if let failure = observer.closeJournal() { Complaint.write(failure.description) }
            if let failure = observer.closeTimelines() { Complaint.write(failure.description) }
            if status == 0, !isDeclarative {
                do { try root.waitForOthers() } catch { exit(end(error)) }
            }
            root.stop(status: status)
        } else if let worker = port as? WorkerPort {
            if status == 0, !isDeclarative {
                worker.leave()
            } else {
                worker.report(.exit(status: status, rank: port.rank, example: example))
                _ = worker.waitForStop(until: dlp_now() + 5_000_000_000)
            }
            leave(worker, status: status)
        }
    }

    /// Takes leave of the root, as the last thing that this worker does.
    private func leave(_ worker: WorkerPort, status: Int32) {
        departure.wake()
        worker.close(status: status)
    }

    /// Ends this rank after its script: waits for the others, and returns the job's exit status.
    func finish() -> Int32 {
        host?.close()
        guard dlp_flush() == 0 else {
            return end(UsageError("standard output could not be written whole; is the disk full?"))
        }
        do {
            if let worker = port as? WorkerPort {
                let status = try worker.finish()
                willEnd()
                leave(worker, status: status)
                return status
            }
            // A script that does what it likes may do so for as long as it likes; the ranks of a job are done.
            try root?.waitForOthers(patience: isDeclarative ? Self.patience : nil)
            willEnd()
            observer.finishDisplay()
            if let failure = observer.closeJournal() { return end(.fault(JobJournal.fault(failure))) }
            if let failure = observer.closeTimelines() { return end(UsageError(failure.description)) }
            root?.stop(status: status)
            return status
        } catch { return end(error) }
    }

    /// Ends this rank because the job is over early.
    func end(_ end: JobEnd) -> Int32 {
        var end = end
        // Of a signal for all ranks a worker may have heard, and gone, before the root.
        if isRoot, let signal = interruption.first, case .fault(let fault) = end, fault.phase == .communication {
            end = .interrupted(signal: signal)
        }
        willEnd()
        dlp_flush()
        if let root {
            // What came before is worth having.
            observer.note(leftover: output?.abandon())
            observer.explain(end)
            root.stop(status: end.status)
            return end.status
        }
        guard let worker = port as? WorkerPort else { return end.status }
        worker.report(end)
        var status = end.status
        switch end {
        case .stopped: break
        case .fault(let fault) where fault.phase == .communication && fault.status == 3:
            status = lostRoot.tell(fault.message)
        default: status = worker.waitForStop(until: dlp_now() + 5_000_000_000) ?? status
        }
        leave(worker, status: status)
        return status
    }

    /// Ends this rank because of a script's error, or, where the script failed only because the job is over, of that.
    func end(_ error: ScriptError, phase: Fault.Phase, example: Int? = nil, given: String = "") -> Int32 {
        if let end = host?.jobEnd ?? pendingEnd { return self.end(end) }
        var fault = Fault(
            phase: phase, message: error.message, traceback: error.traceback, example: example, rank: port.rank,
            host: HostName.current)
        fault.given = given
        return end(.fault(fault))
    }

    /// Ends this rank because of what the user typed.
    func end(_ error: UsageError) -> Int32 {
        end(
            .fault(
                Fault(phase: .load, message: error.message, rank: port.rank, host: HostName.current, status: 2)))
    }

    /// Why the job ends, where only the service thread knows it yet.
    private var pendingEnd: JobEnd? {
        guard let host, host.isInterrupted else { return nil }
        if let root { return root.end }
        let status = (port as? WorkerPort)?.waitForStop(until: dlp_now() + 1_000_000_000)
        return .stopped(status: status ?? lostRoot.tell("lost the connection to rank 0"))
    }
}
