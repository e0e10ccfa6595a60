import AME
import CSystem
import DLP
import Glibc

/// The messages to the hosts at the start, and the messages from them.
extension HostSupervisor {
    // MARK: - Before the ranks

    /// Decides which ranks run on which host, and asks each host whether that is possible.
    ///
    /// - Returns: the job's status where it is not possible; the user has been told the reason.
    func plan() -> Int32? {
        do throws(LaunchError) {
            // A plan lists every rank, so the size is checked first.
            try checkSize(min(places.reduce(0) { $0 + $1.places }, hosts.ranks ?? .max))
        } catch {
            report(error.message)
            return error.status
        }
        let plan = rankPlan
        if let ranks = hosts.ranks, plan.size < ranks {
            report("cannot start \(ranks) ranks: the hosts have \(plan.size) places")
            return 2
        }
        if let pty = options.pty, !(0..<plan.size).contains(pty) {
            report("there is no rank \(pty) for --pty; ranks are 0 to \(plan.size - 1)")
            return 2
        }
        let identities = Set(zip(connections, plan.ranks).filter { !$1.isEmpty }.compactMap { $0.0.hello?.identity })
        let exports = exportedEnvironment(options.exports)
        for (connection, ranks) in zip(connections, plan.ranks) {
            connection.ranks = ranks
            connection.isAsked = true
            connection.link.send(
                .prepare(
                    Preparation(
                        directory: ownWorkingDirectory(), command: options.command.map(\.bytes),
                        isCompanion: hosts.startsOwnProgram, exports: exports, hasRoot: ranks.first == 0,
                        isOneHost: identities.count == 1, tunnels: hosts.tunnels)))
        }
        return nil
    }

    /// How many ranks each host gets, with the hosts' numbers.
    private var places: [(host: Int, places: Int)] {
        hosts.list.entries.compactMap { entry in
            connections.first { $0.name == entry.name }.map { connection in
                (host: connection.index, places: entry.places ?? connection.hello?.cpus ?? 1)
            }
        }
    }

    private var rankPlan: RankPlan {
        RankPlan(entries: places, identities: connections.map { $0.hello?.identity ?? "" }, limit: hosts.ranks)
    }

    // MARK: - The ranks

    /// Makes all hosts start their ranks.
    ///
    /// Every host must be ready.
    func startRanks() {
        let plan = rankPlan
        let byRank = connections.flatMap { connection in connection.ranks.map { ($0, connection) } }
        hostOfRank = byRank.sorted { $0.0 < $1.0 }.map(\.1)
        job = Job(
            size: plan.size, timeout: options.timeout.map { now + nanoseconds($0) })
        readingRank = options.pty ?? (isatty(0) == 1 ? nil : 0)
        if readingRank != nil { input = JobInput(poller: poller, number: Watched.input) }
        let key = JobKey().base64
        let root = hostOfRank[0]
        // A rank has one connection, and for a moment a second one when it reconnects.
        let limits = connections.map { 4 * $0.ranks.count + 64 }
        if hosts.tunnels { relay = TunnelRelay(root: root.index, limits: limits) }
        guard let place = root.root else { preconditionFailure("the host of rank 0 has said where that listens") }
        for (index, connection) in connections.enumerated() {
            for rank in connection.ranks { connection.streams[rank] = streams(of: rank) }
            connection.running = Set(connection.ranks)
            let isWithRoot = connection.hello?.identity == root.hello?.identity
            connection.link.send(
                .start(
                    RankOrder(
                        ranks: connection.ranks, size: plan.size, localRanks: plan.localRanks[index],
                        localSize: max(1, plan.localSizes[index]),
                        rendezvous: variables(place, key, isWithRoot: isWithRoot, connection.entrance).map {
                            Array("\($0)=\($1)".utf8)
                        },
                        readingRank: readingRank ?? -1, bindsToCore: options.binding == .core,
                        columns: terminalColumns())))
        }
    }

    private func streams(of rank: Int) -> [RankStream: HostConnection.Stream] {
        let tag = options.tagOutput ? "[\(rank)] " : ""
        let all = RankStream.allCases.map { ($0, HostConnection.Stream(feed: pump.addFeed(to: $0, tag: tag))) }
        return Dictionary(uniqueKeysWithValues: all)
    }

    /// Returns the variables that tell ranks where rank 0 listens.
    private func variables(
        _ place: RootPlace, _ key: String, isWithRoot: Bool, _ entrance: Int?
    ) -> [(String, String)] {
        if let entrance, !isWithRoot {
            return [
                (AMEVariable.host, "127.0.0.1"), (AMEVariable.port, String(entrance)), (AMEVariable.key, key),
            ]
        }
        // Most other programs know only IPv4 addresses.
        let address = place.addresses.first { !$0.contains(":") } ?? place.addresses.first ?? ""
        let common = [
            (AMEVariable.host, address), (AMEVariable.port, String(place.freePort)),
            (AMEVariable.key, key),
        ]
        if isWithRoot { return common + [(AMEVariable.socket, place.socketName)] }
        let addresses = ([String(place.port)] + place.addresses).joined(separator: ",")
        return common + [(AMEVariable.addresses, addresses)]
    }

    // MARK: - Messages from agents

    /// Reads the messages that have come from a host.
    func read(_ connection: HostConnection) {
        do throws(MessageError) {
            let isMore = try connection.link.receive()
            while let message = try connection.link.next() {
                try handle(message, of: connection)
                if connection.failure != nil { return }
            }
            if !isMore { close(connection) }
        } catch {
            let isAgent = connection.hello != nil
            fail(
                connection, isAgent ? "has sent what makes no sense" : "answers, but not as an agent of this version",
                status: 3)
        }
    }

    /// Notes that a rank writes nothing more.
    func closeStreams(of rank: Int, _ connection: HostConnection) {
        for stream in (connection.streams.removeValue(forKey: rank) ?? [:]).values { pump.closeFeed(stream.feed) }
    }

    private func handle(_ message: FromAgent, of connection: HostConnection) throws(MessageError) {
        guard (connection.hello == nil) == message.isHello else { throw MessageError() }
        switch message {
        case .hello(let hello):
            connection.hello = hello
            if hello.version != Version.current {
                let version = "version \(SystemString(hello.version))"
                fail(connection, RemoteShell.describe(version: version), status: 2)
            }
        case .ready(let root):
            try checkIsAsked(connection)
            guard (root != nil) == (connection.ranks.first == 0) else { throw MessageError() }
            connection.root = root
            connection.isReady = true
        case .entrance(let port):
            try checkIsAsked(connection)
            connection.entrance = port
        case .refused(let reason):
            try checkIsAsked(connection)
            fail(connection, "cannot run the job: \(SystemString(reason))", status: 2)
        case .started(let rank, let pid):
            try check(rank, connection)
            connection.pids[rank] = pid
            if options.debug { report("rank \(rank) has process number \(pid) on host \(connection.name)") }
        case .notStarted(let rank, let reason, let status):
            try check(rank, connection)
            // The other ranks there have failed for the same reason.
            if connection.running.count == connection.ranks.count || rank == 0 {
                report("host \(connection.name): \(SystemString(reason))")
            }
            connection.running.remove(rank)
            closeStreams(of: rank, connection)
            handle(.ended(rank: rank, .exited(max(1, status))))
        case .output(let rank, let stream, let bytes): try pass(bytes, rank, stream, connection)
        case .ended(let rank, let ending):
            try check(rank, connection)
            connection.running.remove(rank)
            reportEnd(of: rank, ending)
            handle(.ended(rank: rank, ending))
        case .control(let text): serveControl(text, connection)
        case .inputCredit(let count):
            guard let readingRank, connection.ranks.contains(readingRank) else { throw MessageError() }
            input?.add(credit: count)
        case .tunnel(let id, let word):
            let end = TunnelRelay.End(host: connection.index, id: id)
            guard let delivery = try relay?.pass(word, from: end) else { return }
            connections[delivery.end.host].link.send(.tunnel(delivery.end.id, delivery.word))
        case .alone:
            guard connection.running.isEmpty, job != nil else { throw MessageError() }
            connection.isAlone = true
        case .ping: break
        }
    }

    /// - Throws: `MessageError` where `rank` does not run on this host.
    private func check(_ rank: Int, _ connection: HostConnection) throws(MessageError) {
        guard job != nil, connection.running.contains(rank) else { throw MessageError() }
    }

    /// - Throws: `MessageError` where a host says whether the job can run there without having been asked.
    private func checkIsAsked(_ connection: HostConnection) throws(MessageError) {
        guard connection.isAsked, !connection.isReady else { throw MessageError() }
    }

    private func serveControl(_ text: String, _ connection: HostConnection) {
        // Unknown packets are ignored: rank 0 may be of another version.
        guard connection.ranks.first == 0, let message = ControlMessage(text: text) else { return }
        switch message {
        case .lead: handle(.lead)
        case .begun: handle(.begun)
        case .over: handle(.over)
        case .status(let text): pump.show(status: text)
        // Only the launcher sends these.
        case .exited, .signalled, .lost: break
        }
    }

    // MARK: - Streams

    private func pass(
        _ bytes: [UInt8], _ rank: Int, _ stream: RankStream, _ connection: HostConnection
    ) throws(MessageError) {
        guard var entry = connection.streams[rank]?[stream] else { throw MessageError() }
        if bytes.isEmpty {
            pump.closeFeed(entry.feed)
            connection.streams[rank]?[stream] = nil
            return
        }
        entry.owed += bytes.count
        // An agent must not send more than it may.
        guard entry.owed <= AgentRules.window else { throw MessageError() }
        pump.feed(bytes, from: entry.feed, at: now)
        connection.streams[rank]?[stream] = entry
        if entry.owed >= AgentRules.window / 4 { pay(rank, stream, connection) }
    }

    /// Allows a rank to send as many bytes as it has sent, once those have been passed on.
    private func pay(_ rank: Int, _ stream: RankStream, _ connection: HostConnection) {
        guard let entry = connection.streams[rank]?[stream], entry.owed > 0, !pump.isFull(entry.feed) else { return }
        connection.streams[rank]?[stream]?.owed = 0
        connection.link.send(.credit(rank: rank, stream, entry.owed))
    }

    /// Does this for all waiting ranks of a host.
    func payOwed(_ connection: HostConnection) {
        for (rank, streams) in connection.streams {
            for (stream, entry) in streams where entry.owed >= AgentRules.window / 4 { pay(rank, stream, connection) }
        }
    }

    /// Passes standard input on to the rank that reads it.
    func passInput() {
        guard let input, let readingRank else { return }
        let connection = hostOfRank[readingRank]
        guard connection.isUp, connection.running.contains(readingRank) else { return input.end() }
        while !connection.link.isFull, let bytes = input.next() {
            // The rank must not take this for the end.
            if let failure = input.takeFailure() { return inputLost(failure) }
            connection.link.send(.input(bytes))
            if bytes.isEmpty { return }
        }
    }
}

extension FromAgent {
    fileprivate var isHello: Bool { if case .hello = self { true } else { false } }
}
