import Codec
import Scheduling

/// What becomes of workers that come late.
enum LateEntry {
    /// They wait until it is clear.
    case undecided
    /// They are sent this, which is what they must know of the job.
    case open(Bytes)
    /// They are turned away for this reason, a clause for their users.
    case closed(String)
}

// Workers that come when the job has begun, and may go before it ends. The job never waits for one.

extension RootService {
    /// The ranks that came late.
    var lateRanks: Range<Int> { communicator.size..<hasDeparted.count }

    /// Whether a rank came late.
    func isLate(_ rank: Int) -> Bool { rank >= communicator.size }

    /// A worker has come.
    func joined(_ rank: Int) {
        while hasDeparted.count <= rank {
            hasDeparted.append(false)
            hosts.append(nil)
        }
        answer(rank)
    }

    /// It is clear what becomes of workers that come late, those too that wait already.
    func decide(_ entry: LateEntry) {
        lateEntry = entry
        let waiting = waitingLateRanks
        waitingLateRanks = []
        for rank in waiting where !hasDeparted[rank] { answer(rank) }
    }

    private func answer(_ rank: Int) {
        switch lateEntry {
        case .undecided: waitingLateRanks.append(rank)
        case .open(let offer): send(Message(.offer, body: offer), to: rank)
        case .closed(let reason):
            send(Message(.refusal, body: Bytes(Array(reason.utf8))), to: rank)
            hasDeparted[rank] = true
        }
    }

    /// A worker that came late is ready to work.
    func enterLate(_ message: Message, from source: Int) {
        guard message.operation <= newestLoop else {
            return distrust(source, "entered a loop that no rank has begun")
        }
        // All have left that loop: it is a little too late.
        guard let loop = loops[message.operation] else { return send(Message(.end, count: -1), to: source) }
        guard LoopOptions(packed: message.extra) == loop.options else {
            return distrust(source, "entered a loop with other options than the root's")
        }
        hosts[source] = hostName(in: message)
        change(message.operation) { (loop) throws(ScheduleViolation) in try loop.enterLate(source, &actions) }
        if loops[message.operation]?.isActive(source) ?? false {
            observer.rankJoined(source, host: hosts[source] ?? "unknown")
        }
    }
}
