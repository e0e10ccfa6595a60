import AME
import CSystem
import DLP
import Glibc

/// Runs a job whose ranks are on several hosts.
///
/// One thread waits for agents, signals and standard input, and makes the agents do what `Job` decides.
final class HostSupervisor {
    /// The numbers under which the poller reports descriptors.
    enum Watched {
        static let signals = 0
        static let input = 1
        static let firstHost = 2
        /// The numbers for each host: its messages, room for messages to it, ssh's messages.
        static let perHost = 3
    }

    /// Periods in nanoseconds.
    private enum Patience {
        /// For a host to be reached and to become ready.
        static let start: UInt64 = 30_000_000_000
        /// For the process that connects with a host to end after the connection has ended.
        static let process: UInt64 = 2_000_000_000
        /// For a sign of life from a host that only has to send the rest of its ranks' output.
        static let farewell: UInt64 = 10_000_000_000
    }

    let options: LaunchOptions
    let hosts: LaunchOptions.HostOptions
    let shell: RemoteShell
    let poller: Poller
    let processes: ProcessTable
    let pump: OutputPump
    private let signals: SignalQueue
    /// The limit before this process raised its own.
    private let descriptorLimit: UInt64
    private let beginning = dlp_now()
    var now = dlp_now()
    var connections: [HostConnection] = []
    /// nil until all hosts are ready.
    var job: Job?
    /// The host of each rank.
    var hostOfRank: [HostConnection] = []
    var input: JobInput?
    /// Connects ranks of different hosts, where they cannot connect themselves.
    var relay: TunnelRelay?
    /// The rank that reads standard input.
    var readingRank: Int?
    /// The signal with which the user asked for the end before the job began.
    private var earlySignal: Int32?
    /// Whether the user no longer wants to wait for the reader of the output.
    private var isAbandoned = false
    /// Whether output is missing from ranks that ended without an error.
    private var hasLostOutput = false

    init(_ options: LaunchOptions, _ hosts: LaunchOptions.HostOptions) throws(LaunchError) {
        self.options = options
        self.hosts = hosts
        shell = try RemoteShell(
            remotePath: hosts.remotePath, command: AMEEnvironment.environmentVariable("DLP_SSH"),
            ownDirectory: ownDirectory())
        descriptorLimit = raiseDescriptorLimit()
        signals = try SignalQueue()
        poller = try Poller()
        processes = try ProcessTable()
        // A host that is named twice has only one agent.
        var names: [String] = []
        for entry in hosts.list.entries where !names.contains(entry.name) { names.append(entry.name) }
        pump = OutputPump(poller: poller, firstNumber: Watched.firstHost + Watched.perHost * names.count)
        poller.add(signals.descriptor, as: Watched.signals, for: .input)
        for name in names { connections.append(try connect(to: name)) }
        if let failure = poller.takeFailure() {
            throw LaunchError("cannot wait for hosts: \(reason(failure))", status: 1)
        }
    }

    /// Starts the ranks, and waits until they have ended and everything is written.
    ///
    /// - Returns: The job's exit status.
    func run() -> Int32 {
        if let failure = settle({ $0.hello != nil }) ?? plan() ?? settle({ $0.isReady }) {
            leave()
            while !hasLeft { turn() }
            pump.finish()
            _ = pump.settle(at: now)
            return failure
        }
        startRanks()
        advance()
        while !isOver { turn() }
        let status = job?.status ?? 1
        return status == 0 && hasLostOutput ? 3 : status
    }

    private var isOver: Bool { job?.isOver == true && hasLeft && (pump.isDone || isAbandoned) }

    /// Whether no host is active any more and no local process connects with one.
    private var hasLeft: Bool { connections.allSatisfy { !$0.isUp && $0.processEnding != nil } || isAbandoned }

    /// Waits until `isDone` holds for each host, or the host has failed.
    ///
    /// - Returns: the job's status where the job cannot begin; the user has been told the reasons.
    private func settle(_ isDone: (HostConnection) -> Bool) -> Int32? {
        var deadline = now + Patience.start
        while connections.contains(where: { $0.failure == nil && !isDone($0) }) {
            if let earlySignal { return 128 + earlySignal }
            if now >= deadline {
                for connection in connections where connection.failure == nil && !isDone(connection) {
                    fail(
                        connection, "has not answered within \(Launcher.describe(nanoseconds: Patience.start))",
                        status: 3)
                }
            } else {
                turn(until: deadline)
                if poller.isOverdue { deadline = now + Patience.start }
            }
        }
        if let earlySignal { return 128 + earlySignal }
        let failed = connections.filter { $0.failure != nil }
        for connection in failed { report("host \(connection.name) \(connection.failure?.reason ?? "")") }
        return failed.first?.failure?.status
    }

    // MARK: - Events

    /// Waits for events and handles them.
    private func turn(until limit: UInt64? = nil) {
        for connection in connections where connection.isUp {
            connection.link.await(by: poller, as: number(connection) + 1)
        }
        // Signals last: what a rank wrote comes before the message about its end.
        let numbers = poller.wait(until: [limit, deadline].compactMap { $0 }.min()).sorted(by: >)
        // While this process was stopped the hosts were not: their messages since then still have to be read.
        if poller.isOverdue { for connection in connections { connection.link.excuse() } }
        for number in numbers {
            now = dlp_now()
            switch number {
            case Watched.signals: readSignals()
            case Watched.input: input?.becomesReady()
            case Watched.firstHost..<(Watched.firstHost + Watched.perHost * connections.count):
                let (index, part) = (number - Watched.firstHost).quotientAndRemainder(dividingBy: Watched.perHost)
                serve(connections[index], part)
            default: pump.handle(number, at: now)
            }
        }
        now = dlp_now()
        advance()
    }

    private func number(_ connection: HostConnection) -> Int {
        Watched.firstHost + Watched.perHost * connection.index
    }

    private func serve(_ connection: HostConnection, _ part: Int) {
        switch part {
        case 0: read(connection)
        case 1: connection.link.flush()
        default: if !connection.readErrors() { poller.remove(connection.errors) }
        }
    }

    /// The time at which the next action is due, if nothing happens before.
    private var deadline: UInt64? {
        var times = [job?.deadline, pump.deadline].compactMap { $0 }
        for connection in connections {
            if connection.failure == nil, connection.isOpen {
                times += [pingTime(connection), silenceEnd(connection)].compactMap { $0 }
            } else if connection.processEnding == nil {
                times.append(connection.closingTime + Patience.process)
            }
        }
        return times.min()
    }

    /// When to send a sign of life to a host; nil as long as it does not listen.
    private func pingTime(_ connection: HostConnection) -> UInt64? {
        connection.hello == nil ? nil : connection.link.pingTime
    }

    /// When a silent host counts as lost.
    private func silenceEnd(_ connection: HostConnection) -> UInt64 {
        // Before its first message another limit holds.
        if connection.hello == nil { return .max }
        return connection.link.lastHeard + (connection.isLeaving ? Patience.farewell : AgentRules.launchersPatience)
    }

    /// Performs actions that are due after events or after time has passed.
    private func advance() {
        for connection in connections { look(after: connection) }
        if let failure = poller.takeFailure() {
            report("cannot wait for the hosts: \(reason(failure)); the job is ended")
            handle(.outputLost(status: 1))
        }
        guard job != nil else { return }
        passInput()
        handle(.clock)
        if let job, job.hasNoRanks, !job.isOver, connections.allSatisfy({ !$0.isUp || $0.isAlone }) { handle(.alone) }
        if job?.isOver == true {
            leave()
            if hasLeft { pump.finish() }
        }
        // Repeated after a failure, so that the message about it is written.
        while let failure = pump.settle(at: now) { outputLost(failure) }
        for connection in connections where connection.isUp { payOwed(connection) }
    }

    /// Detects a host that is gone or silent, and sends a sign of life to one that is there.
    private func look(after connection: HostConnection) {
        if connection.failure == nil, connection.isOpen {
            if now >= silenceEnd(connection) {
                fail(connection, "does not answer", status: 3)
            } else if let time = pingTime(connection), now >= time {
                connection.link.send(.ping)
            }
        } else if connection.processEnding == nil {
            if now >= connection.closingTime + Patience.process {
                processes.signal(connection.index, SIGKILL)
                connection.closingTime = now
            }
        }
        let isMissed = !connection.isLeaving || !connection.unfinished.isEmpty
        if connection.failure == nil, !connection.isOpen, isMissed, connection.processEnding != nil {
            let failure = connection.explainEnd(shell)
            fail(connection, failure.reason, status: failure.status)
        }
    }

    /// Counts a host and its ranks as lost.
    func fail(_ connection: HostConnection, _ reason: String, status: Int32) {
        guard connection.failure == nil else { return }
        connection.failure = HostConnection.Failure(reason: reason, status: status)
        if connection.isOpen { close(connection) }
        if connection.processEnding == nil { processes.signal(connection.index, SIGKILL) }
        let unfinished = connection.unfinished.filter { !connection.running.contains($0) }
        for rank in connection.streams.keys { closeStreams(of: rank, connection) }
        for end in relay?.lose(host: connection.index) ?? [] {
            connections[end.host].link.send(.tunnel(end.id, .close))
        }
        guard let job else { return }
        if !unfinished.isEmpty, !pump.isMuted {
            let ranks = Launcher.describe(ranks: unfinished)
            report("lost the rest of what \(ranks) wrote on host \(connection.name): \(reason)")
            hasLostOutput = true
        }
        let lost = connection.ranks.filter { connection.running.contains($0) }
        if lost.isEmpty { return }
        // A rank 0 that handles losses reports this too; after its end the output of other ranks is not needed any
        // more.
        if !job.isLed || lost.contains(0) {
            report("lost host \(connection.name) with \(Launcher.describe(ranks: lost)): \(reason)")
        }
        connection.running = []
        for rank in lost { handle(.ended(rank: rank, .lost)) }
    }

    /// Notes that nothing more comes from a host.
    func close(_ connection: HostConnection) {
        connection.isOpen = false
        connection.closingTime = now
        poller.remove(connection.link.reader)
        poller.remove(connection.link.writer)
    }

    /// Tells all hosts that the job is over.
    private func leave() {
        for connection in connections where connection.isUp && !connection.isLeaving {
            connection.isLeaving = true
            connection.link.excuse()
            if connection.hello == nil {
                // The host does not listen yet.
                fail(connection, "was not waited for", status: 3)
            } else {
                connection.link.send(.leave)
            }
        }
    }

    // MARK: - Signals

    private func readSignals() {
        while let (signal, _) = signals.next() {
            switch signal {
            case SIGCHLD: break
            case SIGTSTP: suspend()
            case SIGUSR1 where job == nil: report(Job.Action.ignorance)
            case SIGUSR1: handle(.asked)
            default:
                // A second signal before the job, or one after it, means that the user does not want to wait.
                if job?.isOver ?? (earlySignal != nil) { isAbandoned = true }
                if job == nil, earlySignal == nil {
                    earlySignal = signal
                    report("interrupted")
                }
                handle(.signal(signal, fromTerminal: false))
            }
        }
        for (index, ending) in processes.reap() { connections[index].processEnding = ending }
    }

    /// Stops the ranks and then this process, until it is continued.
    private func suspend() {
        pump.leaveTerminal()
        for connection in connections where connection.isUp { connection.link.send(.suspend) }
        dlp_suspend()
        for connection in connections where connection.isUp {
            connection.link.excuse()
            connection.link.send(.resume)
        }
        now = dlp_now()
    }

    // MARK: - The job

    /// Performs the actions for an event.
    func handle(_ event: Job.Event) {
        guard let actions = job?.handle(event, at: now) else { return }
        for action in actions {
            switch action {
            case .signal(let rank, let signal): hostOfRank[rank].link.send(.signal(rank: rank, signal))
            case .signalLeftovers(let signal):
                for connection in connections where connection.isUp { connection.link.send(.signalLeftovers(signal)) }
            case .notify(let message): hostOfRank[0].link.send(.control(message.text))
            case .reportKilled, .reportUnfinished, .reportInterrupted, .reportTimeout, .reportIgnorance:
                action.report(of: describe(rank:), timeout: options.timeout).map(report)
            }
        }
    }

    private func describe(rank: Int) -> String {
        let connection = hostOfRank[rank]
        return "rank \(rank) (host \(connection.name), pid \(connection.pids[rank] ?? 0))"
    }

    /// Ends the job because standard input cannot be read.
    func inputLost(_ failure: Int32) {
        report("cannot read standard input: \(reason(failure)); the job is ended")
        handle(.outputLost(status: 2))
    }

    /// Ends the job because its output cannot be written.
    ///
    /// There is no room for it, or its reader has gone, as with `| head -1`. In the second case the job ends silently,
    /// like any other program.
    private func outputLost(_ failure: Int32) {
        if failure != EPIPE { report("cannot pass on the ranks' output: \(reason(failure)); the job is ended") }
        pump.mute()
        handle(.outputLost(status: failure == EPIPE ? 128 + SIGPIPE : 2))
    }

    func report(_ text: String) { pump.report("\(options.program): \(text)") }

    /// Reports how a rank ended, if the user wants that.
    func reportEnd(of rank: Int, _ ending: Ending) {
        guard options.debug else { return }
        report("\(describe(rank: rank)) \(ending) after \(Launcher.describe(nanoseconds: now - beginning))")
    }

    /// Starts the process that connects with a host.
    private func connect(to name: String) throws(LaunchError) -> HostConnection {
        var ends: [[Int32]] = []
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            guard pipe(&pair) == 0 else { throw LaunchError(system: "cannot make a pipe for host \(name)") }
            for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            ends.append(pair)
        }
        let index = connections.count
        let command = shell.command(for: name)
        let plan = ProcessTable.Plan(
            environment: ownEnvironment(), input: ends[0][0], output: ends[1][1], error: ends[2][1], inherited: [],
            leadsGroup: true, cpu: nil, descriptorLimit: descriptorLimit, mask: signals.previousMask)
        guard processes.start(index, command, plan) != nil else {
            throw LaunchError(system: "cannot start '\(command[0])' for host \(name)", status: 2)
        }
        for end in [ends[0][0], ends[1][1], ends[2][1]] { Glibc.close(end) }
        let connection = HostConnection(
            index: index, name: name, input: ends[0][1], output: ends[1][0], errors: ends[2][0])
        poller.add(connection.link.reader, as: number(connection), for: .input)
        poller.add(connection.errors, as: number(connection) + 2, for: .input)
        return connection
    }
}
