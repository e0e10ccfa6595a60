import DLP

/// Who did what when in a job, for a file to look at.
///
/// Ranks measure how long they work, and the root's clock says when they reported it: no other clock is needed. However
/// many examples there are, it stays small: what is too short to be seen is taken together.
struct Timeline {
    /// About so many blocks there are at most, in all rows.
    private static let capacity = 10_000
    private static let leastPerRow = 32

    let title: String
    /// When the job began, and ended, in nanoseconds of the monotonic clock.
    let start: UInt64
    private(set) var end: UInt64
    /// By rank; those that came late are behind the others.
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

    /// `rank` has said that it worked on `chunk`, the last example of which may have failed, for so many nanoseconds.
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

    /// Examples that `rank` has worked on took so many nanoseconds of processors.
    mutating func add(cpu nanoseconds: UInt64, of rank: Int) {
        addRows(upTo: rank)
        rows[rank].add(cpu: nanoseconds)
    }

    /// `rank` was lost.
    mutating func lose(_ rank: Int, host: String, cause: String, at now: UInt64) {
        addRows(upTo: rank)
        rows[rank].host = host
        rows[rank].lose(at: now, cause: cause)
    }

    /// The job is over.
    mutating func finish(at now: UInt64) { end = max(now, start) }

    /// How many examples were worked on, and how many times one failed.
    var count: Int { rows.reduce(0) { $0 + $1.blocks.reduce(0) { $0 + $1.count } } }
    var failures: Int { rows.reduce(0) { $0 + $1.blocks.reduce(0) { $0 + $1.failed } } }

    /// What people call a row: by its host too, where there are several.
    func name(of rank: Int) -> String {
        let isOneHost = Set(rows.compactMap(\.host)).count < 2
        guard !isOneHost, let host = rows[rank].host else { return "rank \(rank)" }
        return "rank \(rank) (\(host))"
    }
}
