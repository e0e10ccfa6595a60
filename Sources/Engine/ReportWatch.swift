import Scheduling

/// Finds ranks that have examples, or have been asked for results, and send nothing for longer than that can take.
///
/// Each rank enforces the time limit of its own examples. The watch is for ranks that are stopped, or whose host no
/// longer answers. A rank that is sending a large result is not silent while bytes of it arrive. Callers tell the watch
/// the time. Time during which this process was stopped does not count.
struct ReportWatch {
    /// How long an example may take, in nanoseconds.
    private let limit: UInt64
    /// Whether a rank may take any time before its first example.
    private let allowsSetup: Bool
    /// How long each rank has sent nothing, and how long it may, in nanoseconds; nil where nothing is expected of it.
    private var silence: [Int: UInt64] = [:]
    private var allowance: [Int: UInt64] = [:]
    /// The ranks that were asked for the results that have stayed with them.
    private var deliverers: Set<Int> = []
    /// How many bytes had come from each rank by the last look.
    private var byteCounts: [Int: UInt64] = [:]
    /// The ranks that have reported.
    private var hasBegun: Set<Int> = []
    private var lastLook: UInt64
    private var nextLook: UInt64

    private static let interval: UInt64 = 500_000_000
    /// The time beyond the limit that a rank may take for an example, before it gives it up and its report arrives.
    private static let margin: UInt64 = 8_000_000_000

    /// A watch that begins at the time `now`.
    ///
    /// - Parameters:
    ///   - limit: how long an example may take, in nanoseconds.
    ///   - allowsSetup: whether a rank may take any time before its first report.
    init(limit: UInt64, allowsSetup: Bool, now: UInt64) {
        self.limit = limit
        self.allowsSetup = allowsSetup
        lastLook = now
        nextLook = now + Self.interval
    }

    /// When to look next; nil where nothing is expected of any rank.
    var deadline: UInt64? { silence.isEmpty ? nil : nextLook }

    /// `rank` has been given examples.
    ///
    /// It gives back what it has not begun after `giveBackAfter` nanoseconds (0: never).
    ///
    /// - Parameter isReady: whether it has no setup left to do first.
    mutating func assigned(_ chunk: Chunk, to rank: Int, giveBackAfter: Int64, isReady: Bool) {
        guard isReady || !allowsSetup || hasBegun.contains(rank) else { return }
        let (all, overflows) = perExample.multipliedReportingOverflow(by: UInt64(max(1, chunk.count)))
        let whole = overflows ? .max : all
        let time = giveBackAfter > 0 ? min(whole, Self.sum(perExample, UInt64(giveBackAfter))) : whole
        allowance[rank] = max(time, allowance[rank] ?? 0)
        if silence[rank] == nil { silence[rank] = 0 }
    }

    /// How long an example may take until its report comes.
    private var perExample: UInt64 { Self.sum(limit, Self.margin) }

    /// The sum, or the largest number where that is too small for it.
    private static func sum(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let (sum, overflows) = first.addingReportingOverflow(second)
        return overflows ? .max : sum
    }

    /// `rank` has been asked for the results that have stayed with it.
    mutating func asked(_ rank: Int) {
        allowance[rank] = perExample
        silence[rank] = 0
        deliverers.insert(rank)
    }

    /// `rank` has reported; `isIdle`: it has no more examples, and none of its results is missing.
    mutating func reported(_ rank: Int, isIdle: Bool) {
        hasBegun.insert(rank)
        silence[rank] = isIdle ? nil : 0
        if isIdle {
            allowance[rank] = nil
            deliverers.remove(rank)
        }
    }

    /// Returns the ranks that have been silent for too long by the time `now`, each with the reason as a clause that
    /// follows its name; they are not watched any more.
    ///
    /// - Parameter byteCount: how many bytes have come from a rank so far.
    mutating func overdue(at now: UInt64, byteCount: (Int) -> UInt64) -> [(rank: Int, reason: String)] {
        // While this process was stopped it received nothing, so a long gap counts as two intervals at most.
        let elapsed = min(now - min(lastLook, now), 2 * Self.interval)
        lastLook = now
        nextLook = now + Self.interval
        var found: [Int] = []
        for rank in silence.keys {
            let count = byteCount(rank)
            silence[rank] = byteCounts.updateValue(count, forKey: rank) == count ? (silence[rank] ?? 0) + elapsed : 0
            if silence[rank, default: 0] > allowance[rank] ?? .max { found.append(rank) }
        }
        return found.sorted().map { rank in
            let isExample = deliverers.remove(rank) == nil
            (silence[rank], allowance[rank]) = (nil, nil)
            return (
                rank,
                isExample
                    ? "it does not answer, and its example has had longer than --timeout allows"
                    : "it does not answer when it is asked for its results"
            )
        }
    }
}
