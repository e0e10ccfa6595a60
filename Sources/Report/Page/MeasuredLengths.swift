/// How long examples took, individually as far as it is known.
///
/// A plan is based on these lengths.
struct MeasuredLengths {
    /// From twice this many runs on, neighbours are combined, so that this many runs remain.
    private static let most = 1 << 20

    private var runs: [(first: Int, count: Int, seconds: Double)] = []
    /// The number of examples.
    private(set) var count = 0

    /// Adds `count` examples that took `seconds` each; the first has the number `first`.
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

    /// The runs in the order of the list.
    ///
    /// Reports come in another order: a long example begins early but is reported late.
    private var ordered: [(first: Int, count: Int, seconds: Double)] { runs.sorted { $0.first < $1.first } }

    /// The seconds of each example, in the order of the list.
    ///
    /// If there are very many, an evenly spread part of them.
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
