import Glibc

/// How fast the ranks of a simulated job are, and when they die.
struct SimulatedCrew {
    /// When each rank dies, in nanoseconds; empty: all live on.
    private var ends: [Int64] = []
    private let ranks: Int
    private let stragglers: ScheduleSimulator.Stragglers

    init(_ rules: ScheduleSimulator) {
        (ranks, stragglers) = (rules.ranks, rules.stragglers)
        guard rules.deaths.meanLife > 0 else { return }
        var generator = SeededGenerator(seed: 11)
        ends = (0..<ranks).map { rank in
            let life = -log(1 - Double.random(in: 0..<1, using: &generator)) * rules.deaths.meanLife
            return rank == 0 || life > 1e18 ? .max : max(1, Int64(life))
        }
    }

    /// How many times as long as others `rank` takes.
    func slowness(of rank: Int) -> Int64 {
        stragglers.every > 0 && rank % stragglers.every == stragglers.every - 1 ? stragglers.slowness : 1
    }

    /// When `rank` dies; nil: never.
    func end(of rank: Int) -> Int64? { ends.isEmpty || ends[rank] == .max ? nil : ends[rank] }

    /// The ranks that die, with the time.
    var mortals: [(rank: Int, end: Int64)] {
        ends.enumerated().compactMap { $1 == .max ? nil : ($0, $1) }
    }

    /// The least time in which these ranks can do `work`, in nanoseconds of a fast rank, if each is busy as long as it lives.
    func leastTime(for work: Int64) -> Int64 {
        var pace = 0.0
        for rank in 0..<ranks { pace += 1 / Double(slowness(of: rank)) }
        var rest = Double(work)
        // Ranks that die have done what they could; the others do the rest.
        for (rank, end) in mortals.sorted(by: { $0.end < $1.end }) {
            guard Double(end) * pace < rest else { break }
            let own = 1 / Double(slowness(of: rank))
            rest -= Double(end) * own
            pace -= own
        }
        return Int64(rest / pace)
    }
}
