/// What one rank did when.
struct TimelineRow {
    /// How a rank was lost.
    struct Loss {
        /// Since when nothing was heard of it, and when that was noticed.
        var start: UInt64
        var end: UInt64
        var cause: String
    }

    var host: String?
    private(set) var blocks: [TimelineBlock] = []
    private(set) var loss: Loss?

    /// No block begins before.
    private let origin: UInt64
    /// There are never more blocks.
    private let capacity: Int
    /// What lasts no longer together is one block; 0 as long as there are few.
    private var resolution: UInt64 = 0

    /// How many blocks a late report may push back.
    private static let reach = 16

    init(origin: UInt64, capacity: Int) {
        self.origin = origin
        self.capacity = max(capacity, 4)
    }

    /// What its examples took of processors, in nanoseconds, as far as that is known.
    private(set) var cpu: UInt64?

    /// How long the rank was at work.
    var work: UInt64 { blocks.reduce(0) { $0 + $1.work } }

    /// Adds what the rank reported that it had done.
    mutating func add(_ report: TimelineBlock) {
        var block = report
        block.start = max(block.start, origin)
        block.end = max(block.end, block.start)
        if let last = blocks.last {
            if last.end > block.start { pushBack(by: last.end - block.start) }
            // Where there is no room for all of it, it is the clocks that differ.
            block.start = max(block.start, blocks[blocks.count - 1].end)
            block.end = max(block.end, block.start)
        }
        append(block)
        guard blocks.count > capacity else { return }
        // Two blocks that follow each other last longer than that together, so that half as many are left.
        resolution = max(4 * (block.end - origin) / UInt64(capacity), 1)
        let all = blocks
        blocks = []
        for block in all { append(block) }
    }

    private mutating func append(_ block: TimelineBlock) {
        if let last = blocks.last, resolution > 0, block.end - last.start <= resolution {
            blocks[blocks.count - 1] = last.joined(with: block)
        } else {
            blocks.append(block)
        }
    }

    /// Puts the latest blocks earlier, as far as the rank was idle before: they were reported late, for a rank does not
    /// do two things at once.
    private mutating func pushBack(by excess: UInt64) {
        let first = max(0, blocks.count - Self.reach)
        func gap(before index: Int) -> UInt64 {
            blocks[index].start - (index > 0 ? blocks[index - 1].end : origin)
        }
        let gaps = (first..<blocks.count).map(gap)
        var shift = min(excess, gaps.reduce(0, +))
        for index in (first..<blocks.count).reversed() where shift > 0 {
            blocks[index].start -= shift
            blocks[index].end -= shift
            shift -= min(shift, gaps[index - first])
        }
    }

    /// Examples of the rank took so many nanoseconds of processors.
    mutating func add(cpu nanoseconds: UInt64) { cpu = (cpu ?? 0).addingReportingOverflow(nanoseconds).partialValue }

    /// The rank was lost.
    mutating func lose(at moment: UInt64, cause: String) {
        let start = blocks.last?.end ?? origin
        loss = Loss(start: start, end: max(start, moment), cause: cause)
    }
}
