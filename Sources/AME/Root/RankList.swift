/// Ranks as people list them: "ranks 2 and 5-7 of 8".
struct RankList: CustomStringConvertible {
    private let ranks: [Int]
    private let size: Int

    /// These ranks of a job of `size`.
    init(_ ranks: some Sequence<Int>, of size: Int) {
        self.ranks = ranks.sorted()
        self.size = size
    }

    var description: String {
        var runs: [ClosedRange<Int>] = []
        for rank in ranks {
            if let last = runs.last, last.upperBound + 1 == rank {
                runs[runs.count - 1] = last.lowerBound...rank
            } else {
                runs.append(rank...rank)
            }
        }
        let words = runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        let list =
            words.count > 1
            ? words.dropLast().joined(separator: ", ") + " and " + words[words.count - 1] : words.joined()
        return "\(ranks.count == 1 ? "rank" : "ranks") \(list) of \(size)"
    }
}
