import CSystem
import DLP
import Glibc

/// Connects a worker with the root: tries until the root accepts it, or the time is up.
struct Connector {
    private static let firstPause: UInt64 = 1_000_000
    private static let longestPause: UInt64 = 100_000_000
    /// After how long without an answer the next of several addresses is tried, too.
    private static let stagger: UInt64 = 100_000_000
    /// How long several addresses may take to answer, in the first round and at most.
    private static let firstPatience: UInt64 = 1_000_000_000
    private static let longestPatience: UInt64 = 8_000_000_000
    /// A peer that took the connection may take this many times as long to answer.
    private static let answerFactor: UInt64 = 4

    /// The outcome of one attempt.
    private enum Attempt {
        case connected(Link)
        /// Worth another attempt; `reason` is a clause.
        case failed(reason: String)
    }

    private var environment: AMEEnvironment
    /// What the worker is; rank and size in `environment` mean nothing for one that comes late.
    private let role: Greeting.Role
    private var isLate: Bool { role == .lateWorker }
    private let deadline: Deadline
    private var patience = firstPatience
    /// Why the last attempt at each endpoint failed.
    private var reasons: [String?]

    private init(_ environment: AMEEnvironment, _ role: Greeting.Role, until deadline: Deadline) {
        self.environment = environment
        self.role = role
        self.deadline = deadline
        reasons = Array(repeating: nil, count: environment.endpoints.count)
    }

    /// Connects with the root and proves the key to it.
    ///
    /// The root may start later than its workers or may still be busy with the job before this one, so a refused
    /// connection, or one that ends before the root has answered, only means "not yet". Where the root has several
    /// addresses, each is tried as soon as those before it have failed or been silent for a moment, while the earlier
    /// attempts go on. So the address that leads to the root is found at once, however many others swallow what is sent
    /// to them.
    ///
    /// - Throws: `CommunicationError` where the root refuses this rank, or the time is up.
    static func connect(
        _ environment: AMEEnvironment, isLate: Bool = false, within timeout: UInt64
    ) throws(CommunicationError) -> Link {
        var connector = Connector(environment, isLate ? .lateWorker : .worker, until: .after(timeout))
        var pause = firstPause
        while true {
            let began = dlp_now()
            if let link = try connector.attemptAll() { return link }
            if connector.deadline.hasPassed { throw connector.unreachable(within: timeout) }
            // A refusal is an answer, so it does not raise the patience.
            if dlp_now() - began >= connector.patience {
                connector.patience = min(connector.patience * 2, longestPatience)
            }
            poll(nil, 0, Deadline.earlier(connector.deadline, .after(pause)).milliseconds)
            pause = min(pause * 2, longestPause)
            connector.lookAgain()
        }
    }

    /// The outcome of an attempt to connect with the root again.
    enum Return {
        case connected(Link)
        /// Not yet.
        case failed
        /// Never: no process listens there any more, or the root goes on without this rank.
        case inVain
    }

    /// Tries once to connect with the root again.
    ///
    /// Where no process listens at any of its addresses any more, the root has ended: it listens there as long as it
    /// lives.
    static func comeBack(_ environment: AMEEnvironment, within timeout: UInt64) -> Return {
        var connector = Connector(environment, .returningWorker, until: .after(timeout))
        do {
            if let link = try connector.attemptAll() { return .connected(link) }
        } catch { return .inVain }
        return connector.reasons.allSatisfy { $0 == systemMessage(ECONNREFUSED) } ? .inVain : .failed
    }

    /// Reads again the file by which the ranks met: what it said before may have been an earlier job's.
    private mutating func lookAgain() {
        guard let contact = try? environment.contactFile?.read(), contact.key.base64 != environment.key.base64 else {
            return
        }
        let endpoints = contact.endpoints()
        guard !endpoints.isEmpty else { return }
        environment.key = contact.key
        environment.endpoints = endpoints
        reasons = Array(repeating: nil, count: endpoints.count)
        patience = Self.firstPatience
    }

    /// Whether another host may have one of the addresses that the root said to be its own.
    private var hasAlternatives: Bool { environment.endpoints.count > 1 || environment.contactFile != nil }

    /// Tries every endpoint, and notes why it leads nowhere.
    ///
    /// - Returns: the connection with the root; nil where there is none yet.
    private mutating func attemptAll() throws(CommunicationError) -> Link? {
        var candidates: [Candidate] = []
        for (place, endpoint) in environment.endpoints.enumerated() {
            switch endpoint {
            case .local(let name):
                candidates.append(
                    Candidate(place: place) {
                        let descriptor = Array(name.utf8).withUnsafeBytes {
                            dlp_local_connect($0.baseAddress, $0.count)
                        }
                        guard descriptor >= 0 else { return .failed(reason: systemMessage(descriptor)) }
                        return .connected(Socket(adopting: descriptor))
                    })
            case .tcp(let host, let port):
                // A name server may fail for a moment only.
                do {
                    let addresses = try InternetAddress.resolve(host: host, port: port)
                    if addresses.isEmpty { reasons[place] = "\(host) has no address" }
                    candidates += addresses.map { Candidate(place: place, start: $0.startConnecting) }
                } catch { reasons[place] = error.description }
            }
        }
        return try race(candidates)
    }

    /// A way to the root, and which endpoint it belongs to.
    private struct Candidate {
        let place: Int
        /// Begins to connect; the socket can be written to when that is over.
        let start: () -> InternetAddress.Connecting
    }

    /// Connects with the first of the candidates that leads to the root.
    private mutating func race(_ candidates: [Candidate]) throws(CommunicationError) -> Link? {
        let isOnlyOne = candidates.count == 1 && !hasAlternatives
        var limit = deadline
        var waiting = candidates[...]
        var next = Deadline(nil)
        var runners: [(place: Int, socket: Socket)] = []
        while !runners.isEmpty || !waiting.isEmpty {
            if runners.isEmpty || next.hasPassed, let candidate = waiting.popFirst() {
                next = waiting.isEmpty ? Deadline(nil) : .after(Self.stagger)
                if !isOnlyOne { limit = .earlier(deadline, .after(patience)) }
                switch candidate.start() {
                case .failed(let reason): reasons[candidate.place] = reason
                case .connected(let socket): runners.append((candidate.place, socket))
                }
            }
            if runners.isEmpty { continue }
            let isOver = limit.hasPassed
            var watched = runners.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLOUT), revents: 0) }
            _ = poll(&watched, nfds_t(watched.count), Deadline.earlier(limit, next).milliseconds)
            // Those that were tried first have the better address.
            for (place, socket) in zip(runners, watched).filter({ $1.revents != 0 }).map(\.0) {
                runners.removeAll { $0.socket === socket }
                switch InternetAddress.finishConnecting(socket) {
                case .failed(let reason): reasons[place] = reason
                case .connected(let socket): if let link = try link(by: socket, at: place) { return link }
                }
            }
            if isOver { break }
        }
        for runner in runners { reasons[runner.place] = InternetAddress.silence }
        return nil
    }

    private mutating func link(by socket: Socket, at place: Int) throws(CommunicationError) -> Link? {
        switch try shakeHands(socket, at: environment.endpoints[place]) {
        case .connected(let link): return link
        case .failed(let reason):
            reasons[place] = reason
            return nil
        }
    }

    private func shakeHands(
        _ socket: Socket, at endpoint: AMEEnvironment.Endpoint
    ) throws(CommunicationError) -> Attempt {
        let greeting = Greeting(
            role: role, rank: environment.rank, size: environment.size, over: socket,
            encrypting: environment.encryption)
        var handshake = WorkerHandshake(key: environment.key, greeting: greeting)
        var answer = handshake.hello
        let limit = hasAlternatives ? Deadline.earlier(deadline, .after(patience * Self.answerFactor)) : deadline
        while true {
            guard answer.isEmpty || socket.sendWhole(answer) else { return .failed(reason: "it closed the connection") }
            switch handshake.outcome {
            case .pending: break
            case .accepted:
                return .connected(
                    Link(socket: socket, channel: handshake.channel, sharesMemory: handshake.sharesMemory))
            case .failed(let error):
                // A peer that has not been given the proof may be any process, and so may be one with another key.
                if hasAlternatives, error == .key || !handshake.hasProved { return .failed(reason: error.clause) }
                throw CommunicationError(
                    isLate
                        ? error.descriptionForLate(endpoint: endpoint)
                        : error.description(rank: environment.rank, size: environment.size, endpoint: endpoint))
            }
            // The root counts this rank as connected from its next message on.
            guard socket.wait(for: POLLIN, until: handshake.hasProved ? deadline : limit) else {
                return .failed(reason: "it took the connection but did not answer")
            }
            var buffer = [UInt8](repeating: 0, count: handshake.wanted)
            switch buffer.withUnsafeMutableBytes({ socket.receive(into: $0) }) {
            case .count(let count): answer = handshake.receive(Array(buffer.prefix(count)))
            case .wouldBlock: answer = []
            case .ended(let reason): return .failed(reason: reason)
            }
        }
    }

    private func unreachable(within timeout: UInt64) -> CommunicationError {
        var why = reasons.compactMap { $0 }.first ?? "it has no address"
        if isLate {
            return CommunicationError(
                "no job can be joined at \(environment.address) within \(describe(nanoseconds: timeout)): \(why); see "
                    + "whether it runs, was started with --joinable, and its host can be reached")
        }
        var remedy = "see whether rank 0 runs and its host can be reached"
        if hasAlternatives {
            why = zip(environment.endpoints, reasons).map { "\($0): \($1 ?? "not tried")" }.joined(separator: ", ")
            if let file = environment.contactFile { why += " (according to \(file.path))" }
            remedy += ", or name its right address by \(AMEVariable.reachableHost) or \(AMEVariable.reachableInterface)"
        }
        let place = hasAlternatives ? "" : " at \(environment.address)"
        return CommunicationError(
            "rank \(environment.rank) cannot reach rank 0\(place) within \(describe(nanoseconds: timeout)): \(why); "
                + remedy)
    }
}
