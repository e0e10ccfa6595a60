import Codec
import Scheduling

/// How workers that come late are treated.
enum LateEntry {
    /// They wait for the decision.
    case undecided
    /// They are sent these bytes, which are what they must know of the job.
    case open(Bytes)
    /// They are turned away for this reason, a clause for their users.
    case closed(String)
}

// Workers that come when the job has begun, and may go before it ends. The job never waits for one.

extension RootEngine {
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

    /// Decides how workers that come late are treated, including those that wait already.
    func decide(_ entry: LateEntry) {
        lateEntry = entry
        let waiting = waitingLateRanks
        waitingLateRanks = []
        for rank in waiting where !hasDeparted[rank] { answer(rank) }
    }

    private func answer(_ rank: Int) {
        switch lateEntry {
        case .undecided: waitingLateRanks.append(rank)
        case .open(let offer): send(.offer(offer), to: rank)
        case .closed(let reason):
            send(.refusal(reason), to: rank)
            hasDeparted[rank] = true
        }
    }

    /// A worker that came late is ready to work.
    func enterLate(_ number: UInt64, _ entry: LoopEntry, from source: Int) {
        guard number <= newestLoop else { return distrust(source, "entered a loop that no rank has begun") }
        // All ranks have left that loop: the worker comes too late.
        guard let loop = loops[number] else {
            return send(.end(loop: number, length: nil, isCutShort: false), to: source)
        }
        guard entry.options == loop.options else {
            return distrust(source, "entered a loop with other options than the root's")
        }
        hosts[source] = entry.host
        change(loop) { (loop) throws(ScheduleViolation) in try loop.enterLate(source) }
        if loop.isActive(source) { observer.rankJoined(source, host: entry.host) }
    }
}
