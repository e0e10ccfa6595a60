import AME
import CSystem
import DLP
import Glibc

/// Serves a launcher on another host over standard input and standard output until it says so, or is gone.
///
/// For the main thread of a process that does nothing else.
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

/// What the launcher and its agents keep to.
enum AgentRules {
    /// What an agent says before its first message.
    static let preamble = Array("\0dlp-agent\n".utf8)
    /// How much of a stream is under way to the launcher at most.
    static let window = 1 << 18
    /// After how long without a word each side lets the other know that it is there, in nanoseconds.
    static let pause: UInt64 = 5_000_000_000
    /// How long the launcher waits for such a word.
    static let launchersPatience: UInt64 = 30_000_000_000
    /// The same for an agent: a launcher may stand still for a while, and its job with it.
    static let agentsPatience: UInt64 = 90_000_000_000
}

/// The ranks of a job on one host: starts, signals and reaps them as the launcher says, and sends it what they write.
///
/// What becomes of the job is the launcher's decision alone. Where the connection with it breaks, all that runs here
/// is ended.
final class Agent {
    /// The poller's numbers.
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
        /// The job is over; what is left of the output is sent.
        case leaving
        /// The launcher is gone: the next of these signals to what runs here is due then.
        case clearing(next: ArraySlice<Int32>, at: UInt64)
    }

    private struct Key: Hashable {
        let rank: Int
        let stream: RankStream
    }

    /// The reading end of what a rank writes.
    private struct Pipe {
        let descriptor: Int32
        let key: Key
        /// How much more may be sent before the launcher has passed some on.
        var credit = AgentRules.window
        var isWatched = true
        /// Whether something was read that the launcher does not get.
        var isCut = false
    }

    private let poller: Poller
    private let signals: SignalQueue
    private let processes: ProcessTable
    private let control: ControlChannel
    private let link = MessageLink<ToAgent, FromAgent>(reader: 0, writer: 1)
    private var now = dlp_now()
    private var phase = Phase.serving
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
    /// Whether the user has stopped the launcher, which says nothing meanwhile.
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
            // Pipes first, signals last: what a rank wrote comes before what is said about its end.
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

    /// When something is due, if nothing happens before.
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
        // What cannot be watched would go unnoticed.
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

    // MARK: - The launcher's words

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
        case .signalLeftovers(let signal): processes.signalLeftovers(signal)
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

    // MARK: - The ranks' words

    private func add(_ descriptor: Int32, _ key: Key) {
        pipes[nextNumber] = Pipe(descriptor: descriptor, key: key)
        numbers[key] = nextNumber
        poller.add(descriptor, as: nextNumber, for: .input)
        nextNumber += 1
    }

    /// Reads from those pipes for which there is room, and no others.
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
            // Nobody should be left who writes; one who holds a pipe all the same is not waited for.
            if phase == .leaving, isWanted { while readOnce(number) {} }
        }
    }

    /// Reads once from a pipe; false where there was nothing, or no room.
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
            // Not the user's, which come by the launcher: this host wants its peace.
            default: clear()
            }
        }
        let ended = processes.reap()
        // What a process had started that was killed just now becomes this one's child only then.
        if case .clearing(let next, _) = phase, next.isEmpty { processes.signalLeftovers(SIGKILL) }
        // What rank 0 has said before it ended counts.
        if ended.contains(where: { $0.rank == 0 }) { serveControl() }
        for (rank, ending) in ended {
            running.remove(rank)
            link.send(.ended(rank: rank, ending))
        }
    }

    /// Ends all that runs here.
    private func clear() {
        if case .clearing = phase { return }
        press([SIGTERM, SIGKILL], SIGTERM)
        // The launcher learns of it at once, if it is there.
        poller.remove(link.reader)
        tunnel = nil
        link.await(by: poller, as: Watched.room)
        for (number, pipe) in pipes where !pipe.isWatched {
            // Who waits for room in its pipe could not end.
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
