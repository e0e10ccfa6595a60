import AME
import CSystem
import Glibc

/// Runs a job: one thread waits for output, signals and packets of rank 0, and does what `Job` decides.
final class Supervisor {
    /// The numbers under which the poller reports descriptors.
    private enum Watched {
        static let signals = 0
        static let control = 1
        static let firstOfPump = 2
    }

    private let options: LaunchOptions
    private let beginning = dlp_now()
    private var now = dlp_now()
    private var job: Job
    private let poller: Poller
    private let signals: SignalQueue
    private let processes: ProcessTable
    private let control: ControlChannel
    private let starter: RankStarter
    private let pump: OutputPump
    private var pids: [pid_t] = []
    /// Whether the user no longer wants to wait for the reader of the output.
    private var isAbandoned = false
    /// Whether rank 0 has closed its end of the control channel.
    private var isControlClosed = false

    init(_ options: LaunchOptions) throws(LaunchError) {
        self.options = options
        signals = try SignalQueue()
        poller = try Poller()
        processes = try ProcessTable()
        control = try ControlChannel()
        starter = try RankStarter(options, signalMask: signals.previousMask)
        pump = OutputPump(poller: poller, firstNumber: Watched.firstOfPump)
        let timeout = options.timeout.map { dlp_now() + nanoseconds($0) }
        job = Job(size: options.size, terminalRank: starter.terminalRank, timeout: timeout)
        poller.add(signals.descriptor, as: Watched.signals, for: .input)
        poller.add(control.descriptor, as: Watched.control, for: .input)
        if let failure = poller.takeFailure() {
            throw LaunchError("cannot wait for ranks: \(reason(failure))", status: 1)
        }
    }

    /// Starts the ranks, and waits until they have ended and everything is written.
    ///
    /// - Returns: The job's exit status.
    func run() -> Int32 {
        startRanks()
        advance()
        while !(job.isOver && (pump.isDone || isAbandoned)) {
            let deadline = [job.deadline, pump.deadline].compactMap { $0 }.min()
            // Pipes first, signals last: what a rank wrote comes before the message about its end.
            for number in poller.wait(until: deadline).sorted(by: >) {
                now = dlp_now()
                switch number {
                case Watched.signals: readSignals()
                case Watched.control: serveControl()
                default: pump.handle(number, at: now)
                }
            }
            now = dlp_now()
            advance()
        }
        return job.status
    }

    /// Performs actions that are due after events or after time has passed.
    private func advance() {
        perform(job.handle(.clock, at: now))
        if job.hasNoRanks && !job.isOver && !processes.hasDescendants { perform(job.handle(.alone, at: now)) }
        if job.isOver { pump.finish() }
        if let failure = poller.takeFailure() {
            report("cannot wait for the ranks: \(reason(failure)); the job is ended")
            perform(job.handle(.outputLost(status: 1), at: now))
        }
        // Repeated after a failure, so that the message about it is written.
        while let failure = pump.settle(at: now) { outputLost(failure) }
    }

    private func startRanks() {
        for rank in 0..<options.size {
            do {
                let start = try starter.start(rank, processes, control)
                let tag = options.tagOutput ? "[\(rank)] " : ""
                let isPrompt = rank == starter.terminalRank
                pump.add(start.output, to: .output, tag: tag, isPrompt: isPrompt)
                pump.add(start.error, to: .error, tag: tag, isPrompt: isPrompt)
                pids.append(start.pid)
                if options.debug { report("rank \(rank) has process number \(start.pid)") }
            } catch {
                report(error.message)
                return giveUpStarting(from: rank, status: error.status)
            }
            // Thousands of ranks take seconds to start, and the user may not want to wait that long.
            now = dlp_now()
            readSignals()
            if let signal = job.endingSignal { return giveUpStarting(from: rank + 1, status: 128 + signal) }
        }
    }

    private func giveUpStarting(from rank: Int, status: Int32) {
        guard rank < options.size else { return }
        perform(job.handle(.notStarted(first: rank, status: status), at: dlp_now()))
    }

    // MARK: - Events

    private func readSignals() {
        while let (signal, isFromKernel) = signals.next() {
            switch signal {
            case SIGCHLD: break
            case SIGTSTP: suspend()
            case SIGUSR1: perform(job.handle(.asked, at: now))
            default:
                if job.isOver { isAbandoned = true }
                perform(job.handle(.signal(signal, fromTerminal: isFromKernel), at: now))
            }
        }
        let ended = processes.reap()
        // The children of a process that was just killed become children of this process only now.
        if job.killsLeftovers { processes.signalLeftovers(SIGKILL) }
        // Messages that rank 0 sent before its end still count.
        if ended.contains(where: { $0.rank == 0 }) { serveControl() }
        for (rank, ending) in ended {
            if options.debug { report("rank \(rank) (pid \(pids[rank])) \(ending) after \(elapsed)") }
            perform(job.handle(.ended(rank: rank, ending), at: now))
        }
    }

    /// Stops the ranks and then this process, until it is continued.
    private func suspend() {
        pump.leaveTerminal()
        processes.signalAll(SIGSTOP)
        dlp_suspend()
        processes.signalAll(SIGCONT)
        now = dlp_now()
    }

    private func serveControl() {
        control.flush()
        let (messages, isOpen) = control.receive()
        for message in messages {
            switch message {
            case .lead: perform(job.handle(.lead, at: now))
            case .begun: perform(job.handle(.begun, at: now))
            case .over: perform(job.handle(.over, at: now))
            case .status(let text): pump.show(status: text)
            // Only the launcher sends these.
            case .exited, .signalled, .lost: break
            }
        }
        if !isOpen, !isControlClosed {
            isControlClosed = true
            poller.remove(control.descriptor)
        }
        watchControl()
    }

    private func watchControl() {
        guard !isControlClosed else { return }
        let interest: Poller.Interest = control.isPending ? [.input, .output] : .input
        poller.change(control.descriptor, as: Watched.control, for: interest)
    }

    /// Ends the job because its output cannot be written.
    ///
    /// There is no room for it, or its reader has gone, as with `| head -1`. In the second case the job ends silently,
    /// like any other program.
    private func outputLost(_ failure: Int32) {
        if failure != EPIPE { report("cannot pass on the ranks' output: \(reason(failure)); the job is ended") }
        pump.mute()
        perform(job.handle(.outputLost(status: failure == EPIPE ? 128 + SIGPIPE : 2), at: now))
    }

    // MARK: - Actions

    private func perform(_ actions: [Job.Action]) {
        for action in actions {
            switch action {
            case .signal(let rank, let signal): processes.signal(rank, signal)
            case .signalLeftovers(let signal): processes.signalLeftovers(signal)
            case .notify(let message):
                control.send(message)
                watchControl()
            case .reportKilled, .reportUnfinished, .reportInterrupted, .reportTimeout, .reportIgnorance:
                action.report(of: { "rank \($0) (pid \(pids[$0]))" }, timeout: options.timeout).map(report)
            }
        }
    }

    private func report(_ text: String) { pump.report("\(options.program): \(text)") }

    private var elapsed: String { describe(nanoseconds: now - beginning) }
}

/// Converts seconds to nanoseconds; a longer period counts as a century.
func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(min(seconds, 3.2e9) * 1e9) }
