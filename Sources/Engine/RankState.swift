public import Scheduling

/// What a rank does at a moment, as far as the root knows.
public struct RankState: Sendable {
    /// What it does.
    public enum Activity: Sendable, Equatable {
        /// It has these examples, and has not reported on them since this time of the monotonic clock, in nanoseconds.
        case works(Chunk, since: UInt64)
        /// It has nothing to do, but may get something.
        case waits
        /// It sends the results that stayed with it.
        case sendsResults
        /// It has not come to the loop, or there is none.
        case isElsewhere
        /// It takes no more examples.
        case hasFinished
        /// It is dead or unreachable.
        case isLost
    }

    /// The rank.
    public var rank: Int
    /// Its host, where that is known.
    public var host: String?
    /// What it does.
    public var activity: Activity
}

extension RootEngine {
    /// Notes that a rank has just been given examples that it begins at once, or has reported on some.
    func noteNews(of rank: Int) {
        while newsTimes.count <= rank { newsTimes.append(now) }
        newsTimes[rank] = now
    }

    /// What each rank does now.
    var rankStates: [RankState] {
        let loop = loops.values.last { !$0.isOver }
        return hasDeparted.indices.map { rank in
            RankState(rank: rank, host: host(of: rank), activity: activity(of: rank, in: loop))
        }
    }

    private func activity(of rank: Int, in loop: ServedLoop?) -> RankState.Activity {
        if lostRanks.contains(rank) { return .isLost }
        // Rank 0 sends the root no goodbye.
        if hasDeparted[rank] || rank == 0 && rootHasFinished { return .hasFinished }
        guard let loop else { return .isElsewhere }
        if let chunk = loop.chunk(of: rank) {
            return .works(chunk, since: newsTimes.indices.contains(rank) ? newsTimes[rank] : now)
        }
        if loop.isWaiting(rank) { return .waits }
        if loop.isActive(rank) { return .sendsResults }
        return loop.mayCome(rank) ? .isElsewhere : .hasFinished
    }
}
