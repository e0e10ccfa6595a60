/// What one rank did, and when.
struct TimelineRow {
    /// The loss of a rank.
    struct Loss {
        /// Since when nothing was heard of it, and when its loss was noticed.
        var start: UInt64
        var end: UInt64
        var cause: String
    }

    var host: String?
    private(set) var blocks: [TimelineBlock] = []
    private(set) var loss: Loss?

    /// The earliest possible beginning of a block.
    private let origin: UInt64
    /// The most blocks that are kept.
    private let capacity: Int
    /// Blocks that together last no longer than this are combined; 0 while there are few blocks.
    private var resolution: UInt64 = 0

    /// How many earlier blocks a late report may move.
    private static let reach = 16

    init(origin: UInt64, capacity: Int) {
        self.origin = origin
        self.capacity = max(capacity, 4)
    }

    /// The processor time of its examples, in nanoseconds, as far as it is known.
    private(set) var cpu: UInt64?

    /// How long the rank was at work.
    var work: UInt64 { blocks.reduce(0) { $0 + $1.work } }

    /// Adds a block that the rank has reported.
    mutating func add(_ report: TimelineBlock) {
        var block = report
        block.start = max(block.start, origin)
        block.end = max(block.end, block.start)
        if let last = blocks.last {
            if last.end > block.start { pushBack(by: last.end - block.start) }
            // If there is not enough room, the clocks differ.
            block.start = max(block.start, blocks[blocks.count - 1].end)
            block.end = max(block.end, block.start)
        }
        append(block)
        guard blocks.count > capacity else { return }
        // Two neighbouring blocks then last longer than that together, so that at most half as many remain.
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

    /// Moves the latest blocks to earlier times, as far as the rank was idle before them.
    ///
    /// They were reported late, because a rank does not do two things at once.
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

    /// Adds processor time of examples of the rank.
    mutating func add(cpu nanoseconds: UInt64) { cpu = (cpu ?? 0).addingReportingOverflow(nanoseconds).partialValue }

    /// Marks the rank as lost.
    mutating func lose(at moment: UInt64, cause: String) {
        let start = blocks.last?.end ?? origin
        loss = Loss(start: start, end: max(start, moment), cause: cause)
    }
}
