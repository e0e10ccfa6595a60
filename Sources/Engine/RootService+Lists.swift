import Codec
import Scheduling
import SystemSupport

// The loops that scripts begin: all ranks take the elements that the root has.
//
// So nothing is handed out before the root has come, or it is clear that it will not: it has finished its script, or is at
// a collective that comes after the loop.

/// A rank's wish to take part in such a loop.
struct LoopBeginning {
    let source: Int
    let operation: UInt64
    let length: Int?
    let options: LoopOptions
    var isWorking: Bool
    let entry: LoopEntry
    /// Whether it has left already.
    var hasLeft = false
}

extension RootService {
    /// A rank begins a loop of its script.
    func begin(_ message: Message, from source: Int) {
        guard !jobCanLoseRanks else { return distrust(source, "began a loop in a job") }
        let length = message.first < 0 ? nil : Int(message.first)
        guard let entry = LoopEntry(encoded: message.body), let options = LoopOptions(packed: message.extra),
            !isLate(source), options.fit(length: length, ranks: communicator.size)
        else {
            return finish(.fault(protocolFault(source, "began a loop with impossible options")))
        }
        let beginning = LoopBeginning(
            source: source, operation: message.operation, length: length, options: options,
            isWorking: message.count != 0, entry: entry)
        guard message.operation > latestForgottenLoop || loops[message.operation] != nil else {
            return finish(
                .fault(
                    Fault(
                        phase: .communication,
                        message:
                            "rank \(source) begins a loop at \(entry.list.place) that counts as one which the others have "
                            + "ended without it: all ranks must call the same loops and collectives in the same order",
                        rank: source, host: HostName.current)))
        }
        newestLoop = max(newestLoop, message.operation)
        guard source == 0 || loops[message.operation] != nil || isRootPast(entry) else {
            if let first = waitingForRoot[message.operation]?.first, first.entry.collectives != entry.collectives {
                // Neither could tell where the root is missed.
                return refuse(beginning, LoopOrigin(entry: first.entry, rank: first.source))
            }
            waitingForRoot[message.operation, default: []].append(beginning)
            return shared.inbox.update { $0.rootIsWantedAfter = min(entry.collectives, $0.rootIsWantedAfter ?? .max) }
        }
        take([beginning] + takeWaiting(message.operation))
    }

    /// Whether the root will not come to a loop that is begun by this entry.
    private func isRootPast(_ entry: LoopEntry) -> Bool { rootHasFinished || latestCollectives[0] > entry.collectives }

    /// A rank is at a collective: it has left out the loops before that.
    func note(collective number: UInt64, of rank: Int) {
        guard number > latestCollectives[rank] else { return }
        latestCollectives[rank] = number
        guard rank > 0 else { return takeWithoutRoot() }
        for operation in loops.keys { leaveOut(operation, rank) }
    }

    /// Ranks that wait for the root in loops to which it will not come begin without it.
    func takeWithoutRoot() {
        for operation in waitingForRoot.keys {
            guard let first = waitingForRoot[operation]?.first, isRootPast(first.entry) else { continue }
            take(takeWaiting(operation))
        }
    }

    private func takeWaiting(_ operation: UInt64) -> [LoopBeginning] {
        waitingForRoot.removeValue(forKey: operation) ?? []
    }

    /// Lets ranks take part that have begun the same loop.
    private func take(_ beginnings: [LoopBeginning]) {
        guard let operation = beginnings.first?.operation else { return }
        let isNew = loops[operation] == nil
        for beginning in beginnings where end == nil { take(beginning) }
        // Not before: one that has waited may have left by now, and be at a collective.
        if isNew { for rank in 0..<communicator.size { leaveOut(operation, rank) } }
        noteSolitude()
    }

    /// Tells the user, once, where rank 0 does a loop alone because the others have finished.
    func noteSolitude() {
        guard !hasToldOfSolitude, communicator.size > 1, end == nil,
            !hasDeparted[1..<communicator.size].contains(false), shared.inbox.withLock({ $0.lostRanks.isEmpty }),
            let origin = loops.values.first(where: { $0.origin != nil && $0.isRootsAlone })?.origin
        else { return }
        hasToldOfSolitude = true
        observer.note(
            "\(origin.entry.list.place): rank 0 does this loop alone, since the other ranks have finished their scripts; all "
                + "ranks must come to a loop that they are to share")
    }

    /// A rank leaves a loop.
    func leave(_ operation: UInt64, _ rank: Int) {
        guard let place = waitingForRoot[operation]?.firstIndex(where: { $0.source == rank }) else {
            return change(operation) { (loop) throws(ScheduleViolation) in try loop.leave(rank, &actions) }
        }
        waitingForRoot[operation]?[place].isWorking = false
        waitingForRoot[operation]?[place].hasLeft = true
    }

    /// Lets a rank take part, with the elements of the root.
    private func take(_ beginning: LoopBeginning) {
        let (source, operation, entry) = (beginning.source, beginning.operation, beginning.entry)
        guard !hasDeparted[source] || source == 0 else { return }
        if loops[operation] == nil {
            guard serve(operation, length: beginning.length, options: beginning.options, for: source) else { return }
            loops[operation]?.origin = LoopOrigin(entry: entry, rank: source)
        }
        guard let loop = loops[operation], let origin = loop.origin else {
            return finish(.fault(protocolFault(source, "began a loop of its script where a job has one")))
        }
        var options = beginning.options
        options.isUnbounded = loop.options.isUnbounded
        guard loop.options == options, origin.entry.collectives == entry.collectives else {
            return refuse(beginning, origin)
        }
        if !origin.hasSameElements(as: beginning, length: loop.announcedLength) {
            guard send(origin, length: loop.announcedLength, to: beginning) else { return }
        }
        let host = Self.shortened(entry.host)
        if hosts[source] == nil, host == HostName.current { ranksHere += 1 }
        hosts[source] = host
        if loop.options.results == .none, beginning.isWorking { ownersOfResults.insert(source) }
        change(operation) { (loop) throws(ScheduleViolation) in
            try loop.enter(source, working: beginning.isWorking, &actions)
        }
        if beginning.hasLeft { leave(operation, source) }
    }

    /// A rank does not come to a loop any more if it is past it.
    private func leaveOut(_ operation: UInt64, _ rank: Int) {
        guard let loop = loops[operation], let origin = loop.origin, loop.isAwaiting(rank),
            latestCollectives[rank] > origin.entry.collectives
        else { return }
        change(operation) { (loop) throws(ScheduleViolation) in try loop.leaveOut(rank, &actions) }
    }

    /// A rank is at another loop than the others.
    private func refuse(_ beginning: LoopBeginning, _ origin: LoopOrigin) {
        let (source, entry) = (beginning.source, beginning.entry)
        let isElsewhere = origin.entry.collectives != entry.collectives
        let difference =
            isElsewhere
            ? "after \(entry.collectives) collectives, not \(origin.entry.collectives)" : "with other options"
        finish(
            .fault(
                Fault(
                    phase: .communication,
                    message:
                        "rank \(source) begins loop \(beginning.operation) at \(entry.list.place), rank \(origin.rank) at "
                        + "\(origin.entry.list.place), \(difference): all ranks must call the same loops and collectives in "
                        + "the same order",
                    rank: source, host: HostName.current)))
    }

    /// Sends a rank whose elements differ those of the root, and says so once.
    ///
    /// - Returns: false where they cannot be sent, so that the job ends.
    private func send(_ origin: LoopOrigin, length: Int?, to beginning: LoopBeginning) -> Bool {
        let list = origin.entry.list
        let here = LoopOrigin.describe(list.kind, length)
        let there = LoopOrigin.describe(beginning.entry.list.kind, beginning.length)
        let difference =
            here == there
            ? "ranks \(origin.rank) and \(beginning.source) have different lists"
            : "rank \(origin.rank) has \(here), rank \(beginning.source) \(there)"
        let message = "\(list.place): the ranks do not agree on the elements of this loop (\(difference)"
        guard origin.rank == 0, let length, list.kind == .number || list.encoded.count > 0 else {
            let reason = origin.rank == 0 ? "what rank 0 has cannot be sent" : "rank 0, whose list would hold, has none"
            finish(
                .fault(
                    Fault(
                        phase: .communication, message: "\(message)), and \(reason): make them the same on every rank",
                        rank: beginning.source, host: HostName.current)))
            return false
        }
        send(
            Message(.list, operation: beginning.operation, count: length, body: list.encoded), to: beginning.source)
        if !hasToldOfLists {
            hasToldOfLists = true
            observer.elementsDiffer(message)
        }
        return true
    }
}

/// The elements of a loop that a script begins, and who has said what they are.
struct LoopOrigin {
    var entry: LoopEntry
    let rank: Int

    func hasSameElements(as other: LoopBeginning, length: Int?) -> Bool {
        other.length == length && other.entry.list.kind == entry.list.kind
            && other.entry.list.digest == entry.list.digest
    }

    static func describe(_ kind: LoopList.Kind, _ length: Int?) -> String {
        switch kind {
        case .number: "the number \(length ?? 0)"
        case .list: "a list of \(length ?? 0)"
        case .iterator: "an iterator"
        }
    }
}
