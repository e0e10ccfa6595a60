import SystemSupport

/// The examples that no worker has: first those that came back, then those that were never handed out.
struct HandOutQueue: Sendable {
    /// The units that came back; the last one goes out again first.
    private(set) var returned: [WorkUnit] = []
    /// How many examples came back and are still here.
    private(set) var returnedCount = 0
    /// How many of these are under suspicion.
    private var suspectedCount = 0
    /// The first example that was never handed out.
    private(set) var next = 0
    /// The end of the list: one more than its last example.
    private(set) var end: Int
    /// The end of the examples that were never handed out.
    ///
    /// It is before `end` only where some have been taken from there.
    private(set) var freshEnd: Int
    /// From `next` on, in their order: examples that are done already.
    private var gaps = Queue<Range<Int>>()
    private var gapCount = 0
    /// Those that were never handed out and whose costs are known; they come before the others.
    private var order: CostOrder?
    /// What the examples that came back cost, where costs are known.
    private var returnedAmount = 0.0
    /// From here on nothing is handed out for the time being.
    var limit = Int.max {
        didSet { order?.open(below: limit) }
    }

    /// A queue of the examples below `end`, except those that are `done` already.
    init(end: Int, done: [Range<Int>] = []) {
        self.end = end
        freshEnd = end
        for range in done where !range.isEmpty {
            gaps.append(range)
            gapCount += range.count
        }
        passGap()
    }

    /// How many examples it holds.
    var count: Int { returnedCount + max(0, freshEnd - next) - gapCount + (order?.count ?? 0) }

    /// How many of them were never handed out.
    var freshCount: Int { count - returnedCount }

    /// How many examples it may hand out now; a worker that is spared gets none that are under suspicion.
    ///
    /// Where an exact count would need a look at many, the result is an estimate, of at least 1.
    func openCount(sparing isSpared: Bool = false) -> Int {
        guard limit < end else { return isSpared ? count - suspectedCount : count }
        let openReturned = returned.reduce(0) { sum, unit in
            sum + (isSpared && unit.suspicion != nil ? 0 : unit.chunk.clipped(to: limit).count)
        }
        let openEnd = min(freshEnd, limit)
        let openOrdered = order?.openCount ?? 0
        return openReturned + openOrdered
            + (next < openEnd ? max(1, min(freshCount - (order?.count ?? 0), openEnd - next)) : 0)
    }

    // MARK: - Known costs

    /// Orders the examples that it holds and that no worker has had, among `workers` workers, by these costs of the
    /// first examples of the list.
    mutating func order(by costs: [Double], workers: Int) {
        let fresh = takeAllFresh().map { $0.first..<$0.end }
        guard !fresh.isEmpty else { return }
        order = CostOrder(costs, fresh: fresh, workers: workers)
        order?.open(below: limit)
        returnedAmount = returned.reduce(0) { $0 + (amount(of: $1.chunk) ?? 0) }
    }

    /// Whether costs are known.
    var isOrdered: Bool { order != nil }

    /// What these examples cost, in units of the mean; nil where costs are not known.
    func amount(of chunk: Chunk) -> Double? {
        guard let order else { return nil }
        return chunk.indices.reduce(0) { $0 + order.cost(of: $1) }
    }

    /// The cost of all examples that were ordered; nil where costs are not known.
    var orderedAmount: Double? { order?.total }

    /// The cost of all that may be handed out now; nil where costs are not known.
    var openAmount: Double? {
        order.map { returnedAmount + $0.openAmount + Double(max(0, min(freshEnd, limit) - next - gapCount)) }
    }

    /// The cost of the next example that no worker has had; nil where costs are not known.
    mutating func nextCost() -> Double? {
        if let longest = order?.longestCost() { return longest }
        return order.map { $0.openCount > 0 ? $0.openAmount / Double($0.openCount) : 1 }
    }

    /// How many of the examples of `chunk`, from the first on, cost no more than `amount`; at least one.
    private func prefixLength(of chunk: Chunk, costing amount: Double) -> Int {
        guard let order else { return chunk.count }
        var sum = 0.0
        for (number, example) in chunk.indices.enumerated() {
            sum += order.cost(of: example)
            if sum > amount { return max(1, number) }
        }
        return chunk.count
    }

    /// Subtracts a chunk from the cost of what came back, or adds it.
    private mutating func noteReturned(_ chunk: Chunk, isTaken: Bool) {
        guard let amount = amount(of: chunk) else { return }
        returnedAmount = returned.isEmpty ? 0 : max(0, returnedAmount + (isTaken ? -amount : amount))
    }

    // MARK: - Coming and going

    /// Adds `count` examples at the end.
    mutating func extend(by count: Int) {
        if freshEnd < end {
            // Some were taken from the end, so there are no gaps. The rest must make way for what is added: it joins
            // what came back.
            let rest = WorkUnit(Chunk(first: next, count: freshEnd - next))
            if rest.chunk.count > 0 { returned.insert(rest, at: 0) }
            returnedCount += rest.chunk.count
            next = end
        }
        end += count
        freshEnd = end
    }

    /// Adds `count` examples at the end that are done already.
    mutating func skip(_ count: Int) {
        gaps.append(end..<end + count)
        gapCount += count
        extend(by: count)
        passGap()
    }

    /// Skips what is done already, so that the next example is to be done.
    private mutating func passGap() {
        while let gap = gaps.first, gap.lowerBound == next {
            _ = gaps.popFirst()
            gapCount -= gap.count
            next = gap.upperBound
        }
    }

    /// Takes everything that was never handed out.
    mutating func takeAllFresh() -> [Chunk] {
        var runs: [Chunk] = []
        while let run = takeFresh(.max, below: freshEnd) { runs.append(run) }
        return runs
    }

    private mutating func takeFresh(_ count: Int, below limit: Int, fromEnd: Bool = false) -> Chunk? {
        if fromEnd {
            precondition(gapCount == 0, "a list of which some is done is not gone through from its end")
            let count = min(count, freshEnd - next)
            guard count > 0 else { return nil }
            freshEnd -= count
            return Chunk(first: freshEnd, count: count)
        }
        let end = min(gaps.first?.lowerBound ?? freshEnd, limit)
        guard next < end else { return nil }
        defer { passGap() }
        let taken = Chunk(first: next, count: min(count, end - next))
        next = taken.end
        return taken
    }

    /// Drops all examples from `end` on.
    mutating func cut(to end: Int) {
        (self.end, freshEnd) = (end, end)
        let kept = returned
        returned = []
        (returnedCount, suspectedCount) = (0, 0)
        for unit in kept { putBack(unit) }
    }

    /// Puts `unit` to the front, except for what lies behind the end.
    mutating func putBack(_ unit: WorkUnit) {
        let chunk = unit.chunk.clipped(to: end)
        guard chunk.count > 0 else { return }
        returned.append(WorkUnit(chunk, suspicion: unit.suspicion))
        returnedCount += chunk.count
        noteReturned(chunk, isTaken: false)
        if unit.suspicion != nil { suspectedCount += chunk.count }
    }

    /// Takes examples within the limits `most`; nil where there are none.
    ///
    /// Examples that came back come first; for a worker that is spared, only those not under suspicion. Then come
    /// examples that were never handed out, the first or, with `fromEnd`, the last.
    ///
    /// Where costs are known, `most` also limits what the chunk costs, and of the examples that no worker has had the
    /// longest come first.
    mutating func take(_ most: ChunkLimits, sparing isSpared: Bool, fromEnd: Bool = false) -> WorkUnit? {
        let index = returned.lastIndex { (!isSpared || $0.suspicion == nil) && $0.chunk.first < limit }
        if let index {
            let unit = returned[index]
            let open = unit.chunk.clipped(to: limit)
            var taken = open.prefix(min(most.count, open.count, unit.portion))
            if order != nil { taken = taken.prefix(prefixLength(of: taken, costing: most.amount)) }
            if taken.count < unit.chunk.count {
                returned[index].chunk = unit.chunk.dropFirst(taken.count)
            } else {
                returned.remove(at: index)
            }
            returnedCount -= taken.count
            noteReturned(taken, isTaken: true)
            if unit.suspicion != nil { suspectedCount -= taken.count }
            return WorkUnit(taken, suspicion: unit.suspicion)
        }
        if let chunk = order?.take(most) { return WorkUnit(chunk) }
        return takeFresh(most.count, below: limit, fromEnd: fromEnd).map { WorkUnit($0) }
    }

    /// Takes the first unit that came back of `chunk`, as much as is left of it.
    mutating func takeReturned(of chunk: Chunk) -> WorkUnit? {
        guard let index = returned.lastIndex(where: { chunk.place(of: $0.chunk.first) != nil }) else { return nil }
        let unit = returned.remove(at: index)
        count(unit, by: -unit.chunk.count)
        noteReturned(unit.chunk, isTaken: true)
        return unit
    }

    /// Takes those examples of `chunk`, which are consecutive, that came back and are still here.
    mutating func takeOut(_ chunk: Chunk) -> [Chunk] {
        var taken: [Chunk] = []
        for index in returned.indices.reversed() {
            let unit = returned[index]
            let (first, end) = (max(unit.chunk.first, chunk.first), min(unit.chunk.end, chunk.end))
            guard unit.chunk.stride == 1, first < end else { continue }
            // What comes first in the list is the first to go out again.
            let rest = [
                Chunk(first: end, count: unit.chunk.end - end),
                Chunk(first: unit.chunk.first, count: first - unit.chunk.first),
            ].filter { $0.count > 0 }
            returned.replaceSubrange(index...index, with: rest.map { WorkUnit($0, suspicion: unit.suspicion) })
            count(unit, by: first - end)
            noteReturned(Chunk(first: first, count: end - first), isTaken: true)
            taken.append(Chunk(first: first, count: end - first))
        }
        return taken.sorted { $0.first < $1.first }
    }

    /// Counts `number` more examples that came back; they are under suspicion where `unit` is.
    private mutating func count(_ unit: WorkUnit, by number: Int) {
        returnedCount += number
        if unit.suspicion != nil { suspectedCount += number }
    }

    /// Clears all examples of the blame for the death number `death`.
    mutating func clearBlame(of death: Int) {
        for index in returned.indices where returned[index].suspicion?.death == death {
            suspectedCount -= returned[index].chunk.count
            returned[index].suspicion = nil
        }
    }
}
