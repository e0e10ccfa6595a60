/// How long examples took, each by itself as far as that is known: what a plan goes by.
struct MeasuredLengths {
    /// No more are told apart; then neighbours are taken together.
    private static let most = 1 << 20

    private var runs: [(first: Int, count: Int, seconds: Double)] = []
    /// How many examples there are.
    private(set) var count = 0

    /// Adds `count` examples that took so many seconds each, the first of which has the number `first`.
    mutating func add(_ seconds: Double, first: Int, count added: Int) {
        guard added > 0 else { return }
        count += added
        runs.append((first, added, seconds))
        guard runs.count >= 2 * Self.most else { return }
        let ordered = ordered
        runs = stride(from: 0, to: ordered.count - 1, by: 2).map { place in
            let (one, other) = (ordered[place], ordered[place + 1])
            let count = one.count + other.count
            let sum = Double(one.count) * one.seconds + Double(other.count) * other.seconds
            return (one.first, count, sum / Double(count))
        }
    }

    /// In the order of the list: a long example ends late, but was begun early.
    private var ordered: [(first: Int, count: Int, seconds: Double)] { runs.sorted { $0.first < $1.first } }

    /// The seconds of each example, in the order of the list; of very many some, evenly spread over all.
    var seconds: [Double] {
        let step = max(1, (count + 4 * Self.most - 1) / (4 * Self.most))
        var seconds: [Double] = []
        seconds.reserveCapacity(count / step + 1)
        var (next, start) = (0, 0)
        for run in ordered {
            while next < start + run.count {
                seconds.append(run.seconds)
                next += step
            }
            start += run.count
        }
        return seconds
    }
}
