/// Decides from which end of a list of known length examples are handed out.
///
/// A long example that comes last keeps one rank busy while the others have nothing left. Where examples take longer
/// the later they come in the list, as in many sweeps over a parameter, the last ones are the longest. So the second
/// worker is given the very last example first. If that takes much longer than the first ones did, or is not done by
/// the time in which several of those are, the list is gone through backwards: the longest examples first is a better
/// order than any that ignores their lengths (LPT; Graham, SIAM Journal on Applied Mathematics 17, 1969).
struct TailProbe: Sendable {
    /// The worker that was given the first example.
    private(set) var firstWorker: Int?
    /// What was given to another worker from the end of the list.
    private(set) var probe: Chunk?
    /// The worker that has it.
    private var probingWorker: Int?
    /// How long the other workers have worked since, in nanoseconds, all together.
    private(set) var workSince: Int64 = 0
    /// Whether it is known how long that took, or that it is long.
    private(set) var isMade = false
    /// Whether the list is gone through backwards.
    private(set) var isFromEnd = false

    /// How much longer the last example must take than those at the front.
    private static let difference = 2.0
    /// The same while it is under work: then its time is only estimated.
    private static let roughDifference = 4.0
    /// How many nanoseconds it must take in that case: reports may be that late.
    private static let leastTime: Int64 = 20_000_000

    /// Whether `worker` is to be given examples from the end.
    func wantsEnd(for worker: Int) -> Bool {
        isMade ? isFromEnd : probe == nil && firstWorker.map { $0 != worker } ?? false
    }

    /// `worker` was given examples that nobody had before; the list ends before `end`.
    mutating func note(_ chunk: Chunk, for worker: Int, end: Int) {
        if firstWorker == nil {
            firstWorker = worker
        } else if probe == nil, chunk.end == end, worker != firstWorker {
            (probe, probingWorker) = (chunk, worker)
        }
    }

    /// `worker` is gone, or an example has failed on it: if it had the last example, the time of that remains unknown.
    mutating func giveUp(on worker: Int) {
        if worker == probingWorker { isMade = true }
    }

    /// Some examples have been done.
    ///
    /// - Parameters:
    ///   - others: how many nanoseconds an example took of those that were done before; nil where none was.
    ///   - workers: how many there are.
    mutating func learn(_ done: Chunk, _ nanoseconds: Int64, others: Double?, workers: Int) {
        guard !isMade, let probe else { return }
        guard done.first != probe.first else {
            isMade = true
            // Where the last example is done before any other, it was the shorter one.
            isFromEnd = others.map { Double(nanoseconds) > Self.difference * $0 * Double(done.count) } ?? false
            return
        }
        let (sum, overflows) = workSince.addingReportingOverflow(max(0, nanoseconds))
        workSince = overflows ? .max : sum
        let elapsed = workSince / Int64(max(1, workers - 1))
        guard elapsed > Self.leastTime, let others, Double(elapsed) > Self.roughDifference * others else { return }
        (isMade, isFromEnd) = (true, true)
    }
}
