import Codec
import Scheduling
import SystemSupport

// Loops that scripts begin. All ranks use the elements of the root.
//
// So nothing is handed out before the root has come, or clearly will not come: it has finished its script, or is at a
// collective that comes after the loop.

/// A rank's request to take part in such a loop.
struct LoopWish {
    let source: Int
    let loop: UInt64
    var entry: LoopEntry
    let beginning: LoopBeginning
    /// Whether it has left already.
    var hasLeft = false
}

extension RootEngine {
    /// A rank begins a loop of its script.
    func begin(_ wish: LoopWish) {
        let (source, number, beginning) = (wish.source, wish.loop, wish.beginning)
        guard !jobCanLoseRanks else { return distrust(source, "began a loop in a job") }
        guard !isLate(source), wish.entry.options.fit(length: wish.entry.length, ranks: communicator.size) else {
            return finish(.fault(protocolFault(source, "began a loop with impossible options")))
        }
        guard number > latestForgottenLoop || loops[number] != nil else {
            return finish(
                .fault(
                    Fault(
                        phase: .communication,
                        message:
                            "rank \(source) begins a loop at \(beginning.list.place) that counts as one which the others "
                            + "have ended without it: all ranks must call the same loops and collectives in the same order",
                        rank: source, host: HostName.current)))
        }
        newestLoop = max(newestLoop, number)
        guard source == 0 || loops[number] != nil || isRootPast(beginning) else {
            if let first = waitingForRoot[number]?.first, first.beginning.collectives != beginning.collectives {
                // The two ranks disagree on the collectives before the loop, so it is not clear when the root would be
                // past it.
                return refuse(wish, LoopOrigin(beginning: first.beginning, rank: first.source))
            }
            waitingForRoot[number, default: []].append(wish)
            return shared.inbox.update {
                $0.rootIsWantedAfter = min(beginning.collectives, $0.rootIsWantedAfter ?? .max)
            }
        }
        take([wish] + takeWaiting(number))
    }

    /// Whether the root is past a loop that begins like this, and will not come to it.
    private func isRootPast(_ beginning: LoopBeginning) -> Bool {
        rootHasFinished || latestCollectives[0] > beginning.collectives
    }

    /// Notes that a rank is at a collective, so that it has left out the loops before that.
    func note(collective number: UInt64, of rank: Int) {
        guard number > latestCollectives[rank] else { return }
        latestCollectives[rank] = number
        guard rank > 0 else { return takeWithoutRoot() }
        for loop in loops.values { leaveOut(loop, rank) }
    }

    /// Begins, without the root, the loops in which ranks wait for it and to which it will not come.
    func takeWithoutRoot() {
        for number in waitingForRoot.keys {
            guard let first = waitingForRoot[number]?.first, isRootPast(first.beginning) else { continue }
            take(takeWaiting(number))
        }
    }

    private func takeWaiting(_ number: UInt64) -> [LoopWish] { waitingForRoot.removeValue(forKey: number) ?? [] }

    /// Lets ranks that have begun the same loop take part in it.
    private func take(_ wishes: [LoopWish]) {
        guard let number = wishes.first?.loop else { return }
        let isNew = loops[number] == nil
        for wish in wishes where end == nil { take(wish) }
        // Only now: a rank that waited may have left by now, and be at a collective.
        if isNew, let loop = loops[number] { for rank in 0..<communicator.size { leaveOut(loop, rank) } }
        noteSolitude()
    }

    /// Tells the user, once, where rank 0 does a loop alone because the others have finished.
    func noteSolitude() {
        guard !hasToldOfSolitude, communicator.size > 1, end == nil,
            !hasDeparted[1..<communicator.size].contains(false), lostRanks.isEmpty,
            let origin = loops.values.first(where: { $0.origin != nil && $0.isRootsAlone })?.origin
        else { return }
        hasToldOfSolitude = true
        observer.note(
            "\(origin.beginning.list.place): rank 0 does this loop alone, since the other ranks have finished their scripts; all "
                + "ranks must come to a loop that they are to share")
    }

    /// A rank leaves a loop.
    func leave(_ number: UInt64, _ rank: Int) {
        guard let place = waitingForRoot[number]?.firstIndex(where: { $0.source == rank }) else {
            return change(number) { (loop) throws(ScheduleViolation) in try loop.leave(rank) }
        }
        waitingForRoot[number]?[place].entry.isWorking = false
        waitingForRoot[number]?[place].hasLeft = true
    }

    /// Lets a rank take part, with the elements of the root.
    private func take(_ wish: LoopWish) {
        let (source, entry) = (wish.source, wish.entry)
        guard !hasDeparted[source] || source == 0 else { return }
        if loops[wish.loop] == nil {
            guard let loop = serve(wish.loop, length: entry.length, options: entry.options, for: source) else { return }
            loop.origin = LoopOrigin(beginning: wish.beginning, rank: source)
        }
        guard let loop = loops[wish.loop], let origin = loop.origin else {
            return finish(.fault(protocolFault(source, "began a loop of its script where a job has one")))
        }
        var options = entry.options
        options.isUnbounded = loop.options.isUnbounded
        guard loop.options == options, origin.beginning.collectives == wish.beginning.collectives else {
            return refuse(wish, origin)
        }
        if !origin.hasSameElements(as: wish, length: loop.announcedLength) {
            guard send(origin, length: loop.announcedLength, to: wish) else { return }
        }
        note(host: entry.host, of: source)
        if loop.options.results == .none, entry.isWorking { ownersOfResults.insert(source) }
        change(loop) { (loop) throws(ScheduleViolation) in try loop.enter(source, working: entry.isWorking) }
        if wish.hasLeft { leave(wish.loop, source) }
    }

    /// Stops waiting for a rank where it is past the loop.
    private func leaveOut(_ loop: ServedLoop, _ rank: Int) {
        guard let origin = loop.origin, loop.isAwaiting(rank), latestCollectives[rank] > origin.beginning.collectives
        else { return }
        change(loop) { (loop) throws(ScheduleViolation) in try loop.leaveOut(rank) }
    }

    /// Ends the job, because a rank is at another loop than the others.
    private func refuse(_ wish: LoopWish, _ origin: LoopOrigin) {
        let (source, own, first) = (wish.source, wish.beginning, origin.beginning)
        let isElsewhere = first.collectives != own.collectives
        let difference =
            isElsewhere ? "after \(own.collectives) collectives, not \(first.collectives)" : "with other options"
        finish(
            .fault(
                Fault(
                    phase: .communication,
                    message:
                        "rank \(source) begins loop \(wish.loop) at \(own.list.place), rank \(origin.rank) at "
                        + "\(first.list.place), \(difference): all ranks must call the same loops and collectives in the "
                        + "same order",
                    rank: source, host: HostName.current)))
    }

    /// Sends the root's elements to a rank whose own differ, and tells the user once.
    ///
    /// - Returns: false where they cannot be sent, so that the job ends.
    private func send(_ origin: LoopOrigin, length: Int?, to wish: LoopWish) -> Bool {
        let list = origin.beginning.list
        let here = LoopOrigin.describe(list.kind, length)
        let there = LoopOrigin.describe(wish.beginning.list.kind, wish.entry.length)
        let difference =
            here == there
            ? "ranks \(origin.rank) and \(wish.source) have different lists"
            : "rank \(origin.rank) has \(here), rank \(wish.source) \(there)"
        let message = "\(list.place): the ranks do not agree on the elements of this loop (\(difference)"
        guard origin.rank == 0, let length, list.kind == .number || list.encoded.count > 0 else {
            let reason = origin.rank == 0 ? "what rank 0 has cannot be sent" : "rank 0, whose list would hold, has none"
            finish(
                .fault(
                    Fault(
                        phase: .communication, message: "\(message)), and \(reason): make them the same on every rank",
                        rank: wish.source, host: HostName.current)))
            return false
        }
        send(.elements(loop: wish.loop, list: list.encoded, length: length), to: wish.source)
        if !hasToldOfLists {
            hasToldOfLists = true
            observer.elementsDiffer(message)
        }
        return true
    }
}

/// The elements of a loop that a script begins, and the rank that they come from.
struct LoopOrigin {
    var beginning: LoopBeginning
    let rank: Int

    func hasSameElements(as other: LoopWish, length: Int?) -> Bool {
        other.entry.length == length && other.beginning.list.kind == beginning.list.kind
            && other.beginning.list.digest == beginning.list.digest
    }

    static func describe(_ kind: LoopList.Kind, _ length: Int?) -> String {
        switch kind {
        case .number: "the number \(length ?? 0)"
        case .list: "a list of \(length ?? 0)"
        case .iterator: "an iterator"
        }
    }
}
