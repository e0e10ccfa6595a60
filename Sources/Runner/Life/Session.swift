import AME
import CLuaHost
import CSystem
import DLP
import Glibc
import Journal
import LuaHost
import Report
import SystemSupport

/// This process's place in the job: its client, its Lua state, and the ways in which it ends.
final class Session {
    let client: any RankClient
    let connection: Connection
    let observer: RootObserver
    let control: LauncherChannel?
    let supervisor: Supervisor
    /// The directory in which the user's paths begin.
    let startDirectory = StartDirectory()
    /// When this program began, in nanoseconds of the monotonic clock.
    let beginning: UInt64
    /// Whether the script defines a job; it counts as imperative until that is known.
    var isDeclarative = false
    private(set) var host: LuaHost?
    /// Where the results of a job are written, on the root.
    var output: ResultOutput?
    /// The job's exit status once it is done.
    var status: Int32 = 0

    private var root: RootClient? { client.root }
    var isRoot: Bool { client.isRoot }
    /// Whether this is the root of a job that others may join.
    var isJoinable: Bool { connection.door != nil }

    /// Connects the ranks.
    ///
    /// - Throws: `CommunicationError` where they do not find each other.
    init(
        _ connection: Connection, _ supervisor: Supervisor, since beginning: UInt64, connectTimeout: UInt64
    ) throws(CommunicationError) {
        self.connection = connection
        self.supervisor = supervisor
        self.beginning = beginning
        let (rank, size) = (connection.rank, connection.size)
        let control = connection.transport.environment?.control.map { LauncherChannel(descriptor: $0) }
        let observer = RootObserver(control: control, supervisor: supervisor, size: size)
        supervisor.equip { ($0.control, $0.observer, $0.size) = (control, observer, size) }
        self.control = control
        self.observer = observer
        if !connection.transport.noticesLosses {
            // Each rank waits for some other rank, so that one message is enough.
            supervisor.handle(.connecting(within: connectTimeout, speaks: rank == 0))
        }
        let opened = try connection.transport.open(
            rank: rank, size: size, observer: observer, door: connection.door, within: connectTimeout)
        (client, watchHangup) = (opened.client, opened.watchHangup)
        if size > 1 { dlp_name_process("dlp-lua: rank \(rank) (host \(HostName.current))") }
        let (root, worker) = (client.root, client.worker)
        supervisor.equip { means in
            if let root { (means.halt, means.endJob, means.askForStates) = (root.halt, root.endJob, root.askForStates) }
            means.giveUp = worker?.giveUp
        }
        supervisor.handle(.connected(root == nil ? .worker : .root, rank: rank))
    }

    private var watchHangup: ((@escaping @Sendable () -> Void) -> Void)?

    /// Connects the ranks a second time, where otherwise they would not notice that one has died.
    ///
    /// - Throws: `JobEnd` where they cannot communicate.
    func watchPeers() throws(JobEnd) {
        guard !connection.transport.noticesLosses, connection.detection.launcher?.endsOthers == false else { return }
        var lost: @Sendable (Int, String) -> Void = { (_, _) in }
        if let root { lost = root.rankIsLost }
        if let watch = try PeerDeathWatch.connect(client, lost: lost) {
            watchHangup = { watch.watchHangup($0) }
        } else if isRoot {
            Diagnostics.write(
                "the ranks cannot be connected by sockets as well: should one of them be killed, the others may wait for "
                    + "ever; srun -K ends them")
        }
    }

    /// Refuses processes that want to join an imperative script, which has finished by now.
    func refuseLateRanks() {
        guard isJoinable else { return }
        root?.refuseLateRanks("its script has no function work, so that only the ranks of its start can run it")
        Diagnostics.write("--joinable is of no use to a script without a function work")
    }

    /// Shows the progress of the loop that begins, if wanted.
    func showProgress(_ mode: ProgressReporter.Mode, prefix: String = "") {
        guard isRoot else { return }
        observer.show(
            ProgressDisplay.Plan(
                mode: mode, prefix: prefix, control: control, columns: connection.transport.environment?.columns,
                size: client.size), after: client.loops)
    }

    /// Opens the journal, where one is kept, or returns the one that is already open.
    func openJournal(_ settings: JobSettings, _ script: Script) throws(UsageError) -> JobJournal? {
        if let journal { return journal }
        guard let wanted = settings.journal, let end = root?.endJob else { return nil }
        journal = try JobJournal(wanted, script, seed: settings.seed, end: end)
        if let writer = journal?.writer { observer.note(in: writer) }
        if let ask = root?.askForStates {
            journal?.writer.askForRanks { answer in ask { answer(StateReport.watchedRanks($0)) } }
        }
        return journal
    }

    private var journal: JobJournal?

    /// Begins the timeline files, where they are wanted and have not been begun.
    func openTimelines(_ paths: [SystemString], title: String) throws(UsageError) {
        guard isRoot, !hasTimeline else { return }
        for path in paths {
            hasTimeline = true
            do {
                observer.note(in: try TimelineFile(path: path, title: title, ranks: client.size, start: beginning))
            } catch { throw UsageError(error.description) }
        }
    }

    private var hasTimeline = false

    /// Begins the page that shows the whole job, where it is wanted and has not been begun.
    func openPage(_ path: SystemString?, of script: Script, seed: Int64) throws(UsageError) {
        guard isRoot, observer.page == nil, let path else { return }
        do {
            let page = try PageFile(path: path, PageFacts(of: script, seed: seed))
            page.begin(ranks: client.size, since: beginning)
            observer.note(in: page)
        } catch { throw UsageError(error.description) }
    }

    /// Makes the Lua state, which ends when the job does.
    func open(_ settings: JobSettings) throws(ScriptError) -> LuaHost {
        let host = try LuaHost(
            client: client, backend: connection.transport.name, version: Version.current, seed: settings.seed,
            localPlace: connection.place.map { ($0.rank, $0.size) }, loopDefaults: settings.loopDefaults,
            isSandboxed: settings.isSandboxed)
        host.limitMemory(to: settings.memory)
        if settings.showsMemory { host.measureMemory() }
        self.host = host
        let interrupter = host.interrupter
        supervisor.equip { $0.interrupter = interrupter }
        supervisor.handle(.scriptOpened)
        host.willExit = { [unowned self, unowned host] status in
            conclude(.exited(status: status, example: host.exampleAtWork, isJob: isDeclarative))
        }
        watchHangup? { [supervisor] in supervisor.handle(.lostRoot) }
        return host
    }

    // MARK: The end

    /// Ends this rank.
    ///
    /// - Returns: its exit status.
    private func conclude(_ event: RankLife.Event) -> Int32 {
        supervisor.conclude(
            event,
            LastSteps(client: client, environment: connection.transport.environment, observer: observer, output: output)
        )
    }

    /// Ends this rank after its script: waits for the others, and returns the job's exit status.
    func finish() -> Int32 {
        host?.close()
        guard dlp_flush() == 0 else {
            return end(UsageError(incompleteOutput))
        }
        return conclude(.finished(status: status, isJob: isDeclarative))
    }

    /// Ends this rank because the job has ended early.
    func end(_ end: JobEnd) -> Int32 { conclude(.failed(end)) }

    /// Ends this rank because of a script's error; where the script failed only because the job is over, the job's
    /// end is the reason.
    func end(_ error: ScriptError, phase: Fault.Phase, example: Int? = nil, given: String = "") -> Int32 {
        if let end = host?.jobEnd { return self.end(end) }
        if let host, host.isInterrupted {
            // The reason is known only to the service thread, or to the root.
            guard let root else { return conclude(.interrupted) }
            if let end = root.end { return self.end(end) }
        }
        var fault = Fault(
            phase: phase, message: error.message, traceback: error.traceback, example: example, rank: client.rank,
            host: HostName.current)
        fault.given = given
        return end(.fault(fault))
    }

    /// Ends this rank because of what the user typed.
    func end(_ error: UsageError) -> Int32 {
        end(
            .fault(
                Fault(phase: .load, message: error.message, rank: client.rank, host: HostName.current, status: 2)))
    }
}
