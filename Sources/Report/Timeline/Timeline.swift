import DLP

/// What each rank did when in a job, for a file that shows it.
///
/// Ranks measure how long they work, and the root's clock says when they reported it, so that no other clock is needed. The
/// size does not grow with the number of examples: blocks that are too short to be seen are combined.
struct Timeline {
    /// The approximate maximum of blocks in all rows.
    private static let capacity = 10_000
    private static let leastPerRow = 32

    let title: String
    /// When the job began, and ended, in nanoseconds of the monotonic clock.
    let start: UInt64
    private(set) var end: UInt64
    /// The rows by rank; ranks that joined late are after the others.
    private(set) var rows: [TimelineRow]
    private let blocksPerRow: Int

    init(title: String, ranks: Int, start: UInt64) {
        self.title = title
        self.start = start
        end = start
        blocksPerRow = max(Self.capacity / max(ranks, 1), Self.leastPerRow)
        rows = []
        addRows(upTo: ranks - 1)
    }

    private mutating func addRows(upTo rank: Int) {
        while rows.count <= rank { rows.append(TimelineRow(origin: start, capacity: blocksPerRow)) }
    }

    /// Adds a report of `rank`: it worked on `chunk`, whose last example may have failed, for `nanoseconds`.
    mutating func add(
        _ chunk: Chunk, isFailed: Bool, rank: Int, host: String, nanoseconds: Int64, at now: UInt64
    ) {
        guard chunk.count > 0 else { return }
        addRows(upTo: rank)
        let duration = min(UInt64(max(nanoseconds, 0)), now)
        rows[rank].host = host
        rows[rank].add(
            TimelineBlock(
                start: now - duration, end: now, work: duration,
                examples: chunk.first + 1...chunk.first + 1 + (chunk.count - 1) * chunk.stride, count: chunk.count,
                failed: isFailed ? 1 : 0))
    }

    /// Adds processor time of examples of `rank`.
    mutating func add(cpu nanoseconds: UInt64, of rank: Int) {
        addRows(upTo: rank)
        rows[rank].add(cpu: nanoseconds)
    }

    /// Marks `rank` as lost.
    mutating func lose(_ rank: Int, host: String, cause: String, at now: UInt64) {
        addRows(upTo: rank)
        rows[rank].host = host
        rows[rank].lose(at: now, cause: cause)
    }

    /// Sets the end of the job.
    mutating func finish(at now: UInt64) { end = max(now, start) }

    /// How many examples were worked on, and how often one failed.
    var count: Int { rows.reduce(0) { $0 + $1.blocks.reduce(0) { $0 + $1.count } } }
    var failures: Int { rows.reduce(0) { $0 + $1.blocks.reduce(0) { $0 + $1.failed } } }

    /// The label of a row; with its host if there are several hosts.
    func name(of rank: Int) -> String {
        let isOneHost = Set(rows.compactMap(\.host)).count < 2
        guard !isOneHost, let host = rows[rank].host else { return "rank \(rank)" }
        return "rank \(rank) (\(host))"
    }
}
