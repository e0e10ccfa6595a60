import AME
import CSystem
import DLP
import Glibc

/// Serves a launcher on another host over standard input and standard output, until the launcher ends it or is gone.
///
/// To be called on the main thread of a process that does nothing else.
///
/// - Returns: 0, or 3 where the connection broke.
public func serveAsAgent() -> Int32 {
    dlp_keep_standard_descriptors()
    do throws(LaunchError) {
        return try Agent().run()
    } catch {
        writeMessage(error.message, from: "ameexec")
        return error.status
    }
}

/// The rules that the launcher and its agents share.
enum AgentRules {
    /// What an agent sends before its first message.
    static let preamble = Array("\0dlp-agent\n".utf8)
    /// How many bytes of a stream may be on their way to the launcher at most.
    static let window = 1 << 18
    /// After this time without sending anything, each side sends a sign of life; in nanoseconds.
    static let pause: UInt64 = 5_000_000_000
    /// How long the launcher waits for a sign of life.
    static let launchersPatience: UInt64 = 30_000_000_000
    /// How long an agent waits for one: a launcher may stand still for a while, and its job with it.
    static let agentsPatience: UInt64 = 90_000_000_000
}

/// The ranks of a job on one host: starts, signals and reaps them on the launcher's orders, and sends it their
/// output.
///
/// Only the launcher decides about the job. If the connection with it breaks, everything that runs here is ended.
final class Agent {
    /// The numbers under which the poller reports descriptors.
    private enum Watched {
        static let signals = 0
        static let launcher = 1
        static let room = 2
        static let control = 3
        static let input = 4
        static let firstPipe = 5
        static let tunnel = 1 << 40
    }

    private enum Phase: Equatable {
        case serving
        /// The job is over; the rest of the output is being sent.
        case leaving
        /// The launcher is gone. The first of these signals is due at the given time, for everything that runs here.
        case clearing(next: ArraySlice<Int32>, at: UInt64)
    }

    private struct Key: Hashable {
        let rank: Int
        let stream: RankStream
    }

    /// The reading end of a rank's output.
    private struct Pipe {
        let descriptor: Int32
        let key: Key
        /// How many more bytes may be sent before the launcher has passed some on.
        var credit = AgentRules.window
        var isWatched = true
        /// Whether bytes were read that the launcher does not get.
        var isCut = false
    }

    private let poller: Poller
    private let signals: SignalQueue
    private let processes: ProcessTable
    private let control: ControlChannel
    private let link = MessageLink<ToAgent, FromAgent>(reader: 0, writer: 1)
    private var now = dlp_now()
    private var phase = Phase.serving
    /// Whether what the ranks have left behind has been killed, and what that leaves is to be killed, too.
    private var killsLeftovers = false
    private var place: AgentPlace?
    private var input: AgentInput?
    private var tunnel: Tunnel?
    private var pipes: [Int: Pipe] = [:]
    private var numbers: [Key: Int] = [:]
    private var nextNumber = Watched.firstPipe
    private var running: Set<Int> = []
    private var hasStarted = false
    private var isAlone = false
    private var isControlOpen = false
    /// Whether the user has stopped the launcher, which then sends nothing.
    private var isSuspended = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init() throws(LaunchError) {
        signals = try SignalQueue()
        poller = try Poller()
        processes = try ProcessTable()
        control = try ControlChannel()
        poller.add(signals.descriptor, as: Watched.signals, for: .input)
        poller.add(link.reader, as: Watched.launcher, for: .input)
        if let failure = poller.takeFailure() {
            throw LaunchError("an agent speaks with a launcher over a pipe: \(reason(failure))", status: 2)
        }
    }

    func run() -> Int32 {
        var cpus = [Int32](repeating: 0, count: 1024)
        link.send(raw: AgentRules.preamble)
        link.send(
            .hello(
                AgentHello(
                    version: Version.current, identity: HostIdentity.current, hostName: HostName.current,
                    cpus: max(1, Int(dlp_allowed_cpus(&cpus, Int32(cpus.count)))))))
        while !isDone {
            link.await(by: poller, as: Watched.room)
            // Pipes first, signals last: what a rank wrote comes before the message about its end.
            let numbers = poller.wait(until: deadline).sorted(by: >)
            if poller.isOverdue { link.excuse() }
            for number in numbers {
                now = dlp_now()
                switch number {
                case Watched.signals: readSignals()
                case Watched.launcher: readLauncher()
                case Watched.room: link.flush()
                case Watched.control: serveControl()
                case Watched.input: passInput()
                case Watched.tunnel...: tunnel?.serve(number)
                default: readOnce(number)
                }
            }
            now = dlp_now()
            advance()
        }
        return phase == .leaving ? 0 : 3
    }

    /// The time at which the next action is due, if nothing happens before.
    private var deadline: UInt64? {
        if case .clearing(_, let at) = phase { return at }
        let silenceEnd = isSuspended ? nil : link.lastHeard + AgentRules.agentsPatience
        return [link.pingTime, silenceEnd].compactMap { $0 }.min()
    }

    private var isDone: Bool {
        switch phase {
        case .serving: false
        case .leaving: pipes.isEmpty && link.isFlushed
        case .clearing(let next, let at): !processes.hasDescendants || next.isEmpty && now >= at
        }
    }

    private func advance() {
        // Without watching, events would go unnoticed.
        if let failure = poller.takeFailure() {
            writeMessage("cannot wait for the ranks: \(reason(failure))", from: "ameexec")
            clear()
        }
        switch phase {
        case .clearing(let next, let at):
            if now >= at, let signal = next.first { press(next, signal) }
        case .serving, .leaving:
            let isSilent = !isSuspended && now >= link.lastHeard + AgentRules.agentsPatience
            if link.isDeaf || isSilent { return clear() }
            if let time = link.pingTime, now >= time { link.send(.ping) }
            if hasStarted, !isAlone, running.isEmpty, !processes.hasDescendants {
                isAlone = true
                link.send(.alone)
            }
            settlePipes()
            tunnel?.settle(isLinkFull: link.isFull)
        }
    }

    // MARK: - Messages from the launcher

    private func readLauncher() {
        do throws(MessageError) {
            let isOpen = try link.receive()
            while let message = try link.next() {
                handle(message)
                if case .clearing = phase { return }
            }
            if !isOpen { clear() }
        } catch {
            writeMessage("a launcher said what makes no sense", from: "ameexec")
            clear()
        }
    }

    private func handle(_ message: ToAgent) {
        switch message {
        case .prepare(let preparation): prepare(preparation)
        case .start(let order): start(order)
        case .signal(let rank, let signal): processes.signal(rank, signal)
        case .signalLeftovers(let signal):
            processes.signalLeftovers(signal)
            if signal == SIGKILL { killsLeftovers = true }
        case .input(let bytes):
            input?.add(bytes)
            passInput()
        case .control(let text):
            if let message = ControlMessage(text: text) { control.send(message) }
            watchControl()
        case .credit(let rank, let stream, let count):
            guard let number = numbers[Key(rank: rank, stream: stream)] else { return }
            let credit = (pipes[number]?.credit ?? 0) + count
            pipes[number]?.credit = min(AgentRules.window, credit)
        case .tunnel(let id, let word): tunnel?.handle(id, word, port: Int(place?.door?.port ?? 0))
        case .suspend:
            isSuspended = true
            processes.signalAll(SIGSTOP)
        case .resume:
            isSuspended = false
            processes.signalAll(SIGCONT)
        case .ping: break
        case .leave: phase = .leaving
        }
    }

    private func prepare(_ preparation: Preparation) {
        do throws(LaunchError) {
            let place = try AgentPlace(preparation)
            self.place = place
            if preparation.tunnels && !preparation.isOneHost { try openTunnel(isEntrance: !preparation.hasRoot) }
            link.send(.ready(place.root))
        } catch {
            link.send(.refused(error.message))
        }
    }

    private func openTunnel(isEntrance: Bool) throws(LaunchError) {
        let tunnel = Tunnel(poller: poller, firstNumber: Watched.tunnel) { [link] in link.send(.tunnel($0, $1)) }
        self.tunnel = tunnel
        if isEntrance { link.send(.entrance(port: try tunnel.listen())) }
    }

    private func start(_ order: RankOrder) {
        guard let place, !hasStarted else { return clear() }
        hasStarted = true
        do throws(LaunchError) {
            if order.ranks.contains(order.readingRank) { input = try AgentInput() }
            let starter = try RankStarter(
                order, command: place.command, exports: place.exports, rendezvous: place.rendezvous, door: place.door,
                input: input?.reader ?? -1, signalMask: signals.previousMask)
            for rank in order.ranks { start(rank, starter) }
        } catch {
            for rank in order.ranks { link.send(.notStarted(rank: rank, reason: error.message, status: error.status)) }
        }
        input?.closeReader()
    }

    private func start(_ rank: Int, _ starter: RankStarter) {
        do throws(LaunchError) {
            let start = try starter.start(rank, processes, control)
            running.insert(rank)
            link.send(.started(rank: rank, pid: Int(start.pid)))
            add(start.output, Key(rank: rank, stream: .output))
            add(start.error, Key(rank: rank, stream: .error))
            if rank == 0 {
                isControlOpen = true
                poller.add(control.descriptor, as: Watched.control, for: .input)
            }
        } catch {
            link.send(.notStarted(rank: rank, reason: error.message, status: error.status))
        }
    }

    // MARK: - Output of the ranks

    private func add(_ descriptor: Int32, _ key: Key) {
        pipes[nextNumber] = Pipe(descriptor: descriptor, key: key)
        numbers[key] = nextNumber
        poller.add(descriptor, as: nextNumber, for: .input)
        nextNumber += 1
    }

    /// Watches only the pipes whose bytes can be sent.
    private func settlePipes() {
        for (number, pipe) in pipes {
            let isWanted = pipe.credit > 0 && !link.isFull
            if isWanted != pipe.isWatched {
                pipes[number]?.isWatched = isWanted
                if isWanted {
                    poller.add(pipe.descriptor, as: number, for: .input)
                } else {
                    poller.remove(pipe.descriptor)
                }
            }
            // By now no process should write. If one still holds a pipe, the agent does not wait for it.
            if phase == .leaving, isWanted { while readOnce(number) {} }
        }
    }

    /// Reads once from a pipe; returns false where there was nothing to read, or no room.
    @discardableResult
    private func readOnce(_ number: Int) -> Bool {
        guard let pipe = pipes[number] else { return false }
        var isClearing = false
        if case .clearing = phase { isClearing = true }
        guard isClearing || pipe.credit > 0 && !link.isFull else { return false }
        let most = isClearing ? buffer.count : min(buffer.count, pipe.credit)
        let count = read(pipe.descriptor, &buffer, most)
        if count < 0 && errno == EINTR { return true }
        if count < 0 && errno == EAGAIN {
            if phase == .leaving { close(number, pipe) }
            return false
        }
        if count <= 0 {
            close(number, pipe)
            return false
        }
        if isClearing {
            pipes[number]?.isCut = true
            return true
        }
        pipes[number]?.credit -= count
        link.send(.output(rank: pipe.key.rank, pipe.key.stream, Array(buffer[..<count])))
        return true
    }

    private func close(_ number: Int, _ pipe: Pipe) {
        if !pipe.isCut { link.send(.output(rank: pipe.key.rank, pipe.key.stream, [])) }
        Glibc.close(pipe.descriptor)
        pipes[number] = nil
        numbers[pipe.key] = nil
    }

    private func passInput() {
        let count = input?.pass(by: poller, as: Watched.input) ?? 0
        if count > 0 { link.send(.inputCredit(count)) }
    }

    private func serveControl() {
        guard isControlOpen else { return }
        control.flush()
        let (messages, isOpen) = control.receive()
        for message in messages { link.send(.control(message.text)) }
        if !isOpen {
            isControlOpen = false
            poller.remove(control.descriptor)
        }
        watchControl()
    }

    private func watchControl() {
        guard isControlOpen else { return }
        poller.change(control.descriptor, as: Watched.control, for: control.isPending ? [.input, .output] : .input)
    }

    // MARK: - Signals and ends

    private func readSignals() {
        while let (signal, _) = signals.next() {
            switch signal {
            case SIGCHLD, SIGTSTP, SIGUSR1: break
            // These signals are not from the user, which come through the launcher. They mean that this host wants
            // the agent to end.
            default: clear()
            }
        }
        let ended = processes.reap()
        // The children of a process that was just killed become children of this process only now.
        if case .clearing(let next, _) = phase, next.isEmpty { killsLeftovers = true }
        if killsLeftovers { processes.signalLeftovers(SIGKILL) }
        // Messages that rank 0 sent before its end still count.
        if ended.contains(where: { $0.rank == 0 }) { serveControl() }
        for (rank, ending) in ended {
            running.remove(rank)
            link.send(.ended(rank: rank, ending))
        }
    }

    /// Ends everything that runs here.
    private func clear() {
        if case .clearing = phase { return }
        press([SIGTERM, SIGKILL], SIGTERM)
        // If the launcher is still there, it learns of the end at once.
        poller.remove(link.reader)
        tunnel = nil
        link.await(by: poller, as: Watched.room)
        for (number, pipe) in pipes where !pipe.isWatched {
            // A rank that waits for room in its pipe could not end.
            pipes[number]?.isWatched = true
            poller.add(pipe.descriptor, as: number, for: .input)
        }
    }

    private func press(_ signals: ArraySlice<Int32>, _ signal: Int32) {
        let period = signal == SIGTERM ? Job.Period.grace : Job.Period.lastWait
        phase = .clearing(next: signals.dropFirst(), at: now + period)
        processes.signalLeftovers(signal)
    }
}
