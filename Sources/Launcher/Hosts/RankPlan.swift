/// The assignment of ranks to several hosts, in the order in which the hosts were given.
struct RankPlan: Equatable {
    /// The number of ranks.
    let size: Int
    /// The ranks of each host, in ascending order.
    let ranks: [[Int]]
    /// For each host, the places of its ranks on its machine.
    ///
    /// A machine may have several host names.
    let localRanks: [[Int]]
    /// How many ranks run on the machine of each host.
    let localSizes: [Int]

    /// - Parameters:
    ///   - entries: The hosts' numbers, from 0, each with a number of places.
    ///   - identities: A text for each host that identifies its machine.
    ///   - limit: How many places are used; nil: all.
    init(entries: [(host: Int, places: Int)], identities: [String], limit: Int?) {
        var ranks = [[Int]](repeating: [], count: identities.count)
        var next = 0
        for (host, places) in entries {
            let end = min(next + places, limit ?? .max)
            if next < end { ranks[host] += next..<end }
            next = max(next, end)
        }
        size = next
        self.ranks = ranks
        var machines: [String: [Int]] = [:]
        for (identity, ranks) in zip(identities, ranks) { machines[identity, default: []] += ranks }
        var places: [Int: Int] = [:]
        for ranks in machines.values {
            for (place, rank) in ranks.sorted().enumerated() { places[rank] = place }
        }
        localRanks = ranks.map { $0.map { places[$0] ?? 0 } }
        localSizes = identities.map { machines[$0]?.count ?? 0 }
    }
}

/// Formats ranks for people: 0, 2 to 5.
func describe(ranks: [Int]) -> String {
    var parts: [ClosedRange<Int>] = []
    for rank in ranks {
        if let last = parts.last, last.upperBound + 1 == rank {
            parts[parts.count - 1] = last.lowerBound...rank
        } else {
            parts.append(rank...rank)
        }
    }
    let words = parts.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)" }
    return (ranks.count == 1 ? "rank " : "ranks ") + words.joined(separator: ", ")
}
