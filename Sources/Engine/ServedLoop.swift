import Codec
import Scheduling

/// A loop as the root serves it: its schedule and, where they are sent, its examples.
///
/// Events collect in `actions` what is to be done.
final class ServedLoop {
    /// The loop's number.
    let number: UInt64
    let options: LoopOptions
    /// The length that every rank must announce alike.
    let announcedLength: Int?
    /// In a loop that scripts begin: the elements that are used, and the rank that they come from.
    ///
    /// The elements are kept as long as a rank may come to which they must be sent.
    var origin: LoopOrigin?
    private(set) var isCancelled = false
    /// How many more examples the main thread should give.
    private(set) var demand: LoopDemand?

    private var schedule: ManagedSchedule
    /// What is to be done for it, in this order.
    var actions: [ScheduleAction] = []
    private let ranks: Int
    private var entered = 0
    /// How many ranks have retired.
    private var retired = 0
    /// One more than the largest rank that may have taken part.
    private var rankEnd: Int
    /// Which ranks may still come, and how many they are.
    private var isAwaited: [Bool]
    private var awaited: Int
    /// Whether a rank has finished its script without having left the loop, and whether one has died.
    private var isForsaken = false
    private var hasLostRanks = false
    private var workNanoseconds: UInt64 = 0
    private var cpuNanoseconds: UInt64 = 0
    private var longest: LongestExample?
    private var peak: Int64?
    /// Ranks that take no examples but want to know when the loop is over.
    private var watchers: [Int] = []
    /// Encoded examples that may still be handed out, by index.
    private var examples: [Int: Bytes] = [:]
    private var fed = 0
    /// No example from here on is handed out yet.
    private var limit = Int.max
    /// The costs of the examples of the list.
    ///
    /// Nothing is handed out before the list is complete; then this is nil.
    private var costs: [Double]?
    private var isClosed = false
    /// Whether the list is complete except for what is added; and how many examples were added.
    private var isListed = false
    private var added = 0
    /// The length of the list, and how much of it was added, when the main thread was last told that all of it is done.
    private var toldOf: (end: Int, added: Int)?
    /// Set when the main thread is to be told that: how many examples were added.
    var workedOff: Int?
    /// Results that had stayed with a rank which has not sent all of them yet: they count when it has.
    private var deliveries: [Int: [ResultRun]] = [:]

    /// How many unassigned examples the root keeps in advance at most, beyond a few for each rank.
    private static let reserve = 4096
    /// How long they should keep the ranks busy, in nanoseconds.
    ///
    /// Examples that are made later can use more results.
    private static let readAhead = 100_000_000.0
    /// The most examples that a rank is given at a time, whatever was asked for.
    private static let largestChunk = 1 << 30

    /// - Parameter done: examples of a list of known length that are done already, in their order.
    init(_ number: UInt64, length: Int?, options: LoopOptions, ranks: Int, done: [Range<Int>] = []) {
        self.number = number
        self.options = options
        self.ranks = ranks
        rankEnd = ranks
        isAwaited = Array(repeating: true, count: ranks)
        awaited = ranks
        announcedLength = length
        isListed = length != nil
        fed = length ?? 0
        let extent: ManagedSchedule.Extent = length.map { .known($0) } ?? (options.isUnbounded ? .unbounded : .growing)
        schedule = ManagedSchedule(
            extent, workers: ranks, policy: options.chunk.map { .fixed(min($0, Self.largestChunk)) } ?? .adaptive,
            failures: options.failures,
            resultsStay: options.results == .stay, shares: options.shares, sharesInChunks: options.sharesInChunks,
            mayGrow: options.mayGrow, mayBeginAtEnd: options.isOrderFree, done: done)
        // No rank takes part yet.
        if let window = options.window { limit = window }
        schedule.limit(to: limit, into: &actions)
    }

    /// Orders the elements of a list that no rank has been given yet by their costs: the longest are begun first.
    func order(by costs: [Double]) { schedule.order(by: costs) }

    /// How many examples there are, where that is known; of a list that may still grow, how many there are so far.
    var length: Int? { schedule.length ?? (isListed ? schedule.listedCount : nil) }

    /// Whether every rank has taken part, or never will, and none does any more.
    var isOver: Bool { awaited == 0 && schedule.activeWorkers == 0 && watchers.isEmpty }

    /// Whether only rank 0 has come, and works.
    var isRootsAlone: Bool { entered == 1 && schedule.isActive(0) }

    var progress: LoopProgress {
        LoopProgress(
            operation: number, done: schedule.doneCount + schedule.failedCount, earlier: schedule.skippedCount,
            failures: schedule.failedCount, total: length,
            costShare: schedule.costShare, busy: schedule.busyWorkers,
            ranks: entered - watchers.count - retired, work: workNanoseconds,
            cpu: cpuNanoseconds, longest: longest, peak: peak)
    }

    /// Notes what examples have cost.
    func note(_ cost: ExampleCost, of done: Chunk) {
        cpuNanoseconds &+= UInt64(cost.cpu)
        if let peak = cost.peak { self.peak = max(self.peak ?? 0, peak) }
        // Of several that were reported together it is not known which was the longest.
        if done.count == 1 { noteLength(cost.nanoseconds, of: done.first) }
    }

    /// Notes what a failed example has cost, as its fault says.
    func note(_ fault: Fault, _ example: Int) {
        cpuNanoseconds &+= UInt64(max(0, fault.cpu ?? 0))
        if let nanoseconds = fault.nanoseconds { noteLength(nanoseconds, of: example) }
    }

    private func noteLength(_ nanoseconds: Int64, of example: Int) {
        if nanoseconds > longest?.nanoseconds ?? -1 {
            longest = LongestExample(index: example, nanoseconds: nanoseconds)
        }
    }

    /// Whether all is done and all results are safe, or the loop is cancelled.
    var isFinished: Bool { schedule.finished || isCancelled }

    /// Whether it ends before all is done, since no more examples are to be begun.
    var isCutShort: Bool {
        schedule.isHalted && !isCancelled && schedule.doneCount + schedule.failedCount != length
    }

    /// Whether `rank` has yet to come.
    func isAwaiting(_ rank: Int) -> Bool { isAwaited[rank] }

    /// `rank` need not be waited for any more.
    private func stopAwaiting(_ rank: Int) {
        isAwaited[rank] = false
        awaited -= 1
        if awaited == 0 { origin?.beginning.list.encoded = .empty }
    }

    func enter(_ rank: Int, working: Bool) throws(ScheduleViolation) {
        guard isAwaited[rank] else { throw ScheduleViolation("rank \(rank) entered a loop twice", by: rank) }
        stopAwaiting(rank)
        entered += 1
        if isCancelled {
            actions.append(.end(worker: rank))
        } else if working {
            try schedule.enter(rank, into: &actions)
        } else {
            watchers.append(rank)
            try schedule.abstain(rank, into: &actions)
        }
        try update()
    }

    /// `rank`, which came late, takes part.
    func enterLate(_ rank: Int) throws(ScheduleViolation) {
        rankEnd = max(rankEnd, rank + 1)
        entered += 1
        if isCancelled {
            actions.append(.end(worker: rank))
        } else {
            try schedule.enter(rank, into: &actions)
        }
        try update()
    }

    /// Whether `rank` has examples.
    func isBusy(_ rank: Int) -> Bool { schedule.outstanding(rank) > 0 }

    /// What `rank` is at work on, or is to be next; nil where it has nothing.
    func chunk(of rank: Int) -> Chunk? { schedule.chunk(of: rank) }

    /// Whether `rank` waits for something to do.
    func isWaiting(_ rank: Int) -> Bool { schedule.isWaiting(rank) }

    /// Whether `rank` has not come, and still may.
    func mayCome(_ rank: Int) -> Bool { rank < ranks && isAwaited[rank] }

    /// Whether `rank` takes part at present.
    func isActive(_ rank: Int) -> Bool { schedule.isActive(rank) }

    /// `rank` takes no more; what it has done counts.
    func retire(_ rank: Int) throws(ScheduleViolation) {
        guard !isCancelled else { return end(rank) }
        if schedule.isActive(rank) { retired += 1 }
        try schedule.retire(rank, into: &actions)
        try update()
    }

    /// `rank` has done examples.
    ///
    /// - Returns: the examples that are done, and how often they were tried; nil in a loop that is over.
    func done(_ rank: Int, _ report: ChunkReport) throws(ScheduleViolation) -> (done: Chunk, attempts: Int)? {
        guard !isCancelled else {
            if !report.goesOn { end(rank) }
            return nil
        }
        // An example that is tried again is handed out alone.
        let attempts = 1 + (schedule.attempts[report.first] ?? 0)
        let done =
            report.goesOn
            ? try schedule.partlyDone(
                rank, first: report.first, completed: report.completed, nanoseconds: report.nanoseconds)
            : try schedule.done(
                rank, first: report.first, completed: report.completed, nanoseconds: report.nanoseconds,
                into: &actions)
        settle(done, report.nanoseconds)
        try update()
        return (done, attempts)
    }

    /// The example behind those that `rank` has done has failed.
    ///
    /// - Returns: the examples that are done, the one that failed, and what becomes of it; nil in a loop that is over.
    func failed(
        _ rank: Int, _ report: ChunkReport
    ) throws(ScheduleViolation) -> (done: Chunk, example: Int, verdict: FailureVerdict)? {
        guard !isCancelled else { return nil }
        let (done, verdict) = try schedule.failed(
            rank, first: report.first, completed: report.completed, nanoseconds: report.nanoseconds, into: &actions)
        settle(done, report.nanoseconds)
        if case .final = verdict { examples[done.end] = nil }
        try update()
        return (done, done.end, verdict)
    }

    /// `rank` ends because `example` does not return there.
    ///
    /// - Returns: what becomes of the example; nil in a loop that is over.
    func givenUp(
        _ rank: Int, on example: Int
    ) throws(ScheduleViolation) -> FailureVerdict? {
        guard !isCancelled else { return nil }
        let verdict = try schedule.givenUp(rank, on: example, into: &actions)
        hasLostRanks = true
        deliveries[rank] = nil
        if case .final = verdict { examples[example] = nil }
        try update()
        return verdict
    }

    private func settle(_ done: Chunk, _ nanoseconds: Int64) {
        workNanoseconds &+= UInt64(max(0, nanoseconds))
        // Where results stay with their rank, the examples may have to be done again.
        if !examples.isEmpty, options.results != .stay { for index in done.indices { examples[index] = nil } }
    }

    /// The same for what a rank has done that was lost before; its results are on the root in any case.
    func settleClaim(of done: Chunk, _ nanoseconds: Int64) {
        workNanoseconds &+= UInt64(max(0, nanoseconds))
        for index in done.indices { forget(index) }
    }

    /// Forgets the value of an example, which is not needed any more.
    func forget(_ example: Int) { examples[example] = nil }

    /// `example` failed and has rested long enough.
    func retry(_ example: Int) throws(ScheduleViolation) {
        guard !isCancelled else { return }
        schedule.retry(example, into: &actions)
        try update()
    }

    /// Keeps results that had stayed with their rank until all of that rank's are here.
    func keep(_ run: ResultRun) throws(ScheduleViolation) {
        try schedule.takeDelivery(
            of: Chunk(first: run.first, count: run.count, stride: run.stride), from: run.rank)
        deliveries[run.rank, default: []].append(run)
    }

    /// `rank` has sent all results that had stayed with it.
    ///
    /// - Returns: these results.
    func delivered(
        _ rank: Int
    ) throws(ScheduleViolation) -> [ResultRun] {
        let (kept, delivered) = schedule.results(of: rank)
        guard kept == delivered else {
            throw ScheduleViolation("rank \(rank) delivered \(delivered) results, not \(kept)", by: rank)
        }
        try schedule.delivered(rank, into: &actions)
        try update()
        return deliveries.removeValue(forKey: rank) ?? []
    }

    func leave(_ rank: Int) throws(ScheduleViolation) {
        guard !isCancelled else {
            _ = remove(rank)
            return
        }
        guard !watchers.contains(rank) else { return watchers.removeAll { $0 == rank } }
        deliveries[rank] = nil
        try schedule.leave(rank, into: &actions)
        try update()
    }

    /// `rank` does not come: it is past the loop.
    func leaveOut(_ rank: Int) throws(ScheduleViolation) {
        stopAwaiting(rank)
        if !isCancelled { try schedule.abstain(rank, into: &actions) }
        try update()
    }

    /// `rank` has finished its script: it will not come any more, and what it still has goes back.
    func depart(_ rank: Int) throws(ScheduleViolation) {
        if rank < ranks, isAwaited[rank] {
            stopAwaiting(rank)
            isForsaken = true
            if !isCancelled { try schedule.abstain(rank, into: &actions) }
        } else if schedule.isActive(rank) {
            isForsaken = true
            try leave(rank)
        }
        watchers.removeAll { $0 == rank }
        try update()
    }

    /// `rank` may be dead: it is given nothing more.
    func suspend(_ rank: Int) { schedule.suspend(rank) }

    /// `rank` is dead: what it still has goes back, and so does what only it had.
    ///
    /// - Returns: the example that counts as failed because of it, if there is one.
    func lost(
        _ rank: Int
    ) throws(ScheduleViolation) -> CrashedExample? {
        if rank < ranks, isAwaited[rank] { stopAwaiting(rank) }
        hasLostRanks = true
        watchers.removeAll { $0 == rank }
        deliveries[rank] = nil
        let crashed = schedule.lost(rank, into: &actions)
        if let crashed { examples[crashed.example] = nil }
        try update()
        return crashed
    }

    func lengthBecameKnown(
        _ length: Int
    ) throws(ScheduleViolation) {
        guard !isCancelled else { return }
        try schedule.lengthBecameKnown(length, into: &actions)
        try update()
    }

    func feed(_ part: LoopFeed.Part) throws(ScheduleViolation) {
        guard !isCancelled else { return }
        switch part {
        case .examples(let more):
            for (number, example) in more.enumerated() { examples[fed + number] = example }
            fed += more.count
            schedule.extend(by: more.count, into: &actions)
        case .replicated(let count):
            fed += count
            schedule.extend(by: count, into: &actions)
        case .done(let count):
            fed += count
            schedule.skip(count)
        case .added(let count): added = count
        case .end:
            isListed = true
            order()
        case .costs(let costs):
            self.costs = costs
            schedule.limit(to: 0, into: &actions)
        }
        try update()
    }

    /// The list is complete: where costs are known they decide what comes first.
    private func order() {
        guard let costs = costs.take() else { return }
        schedule.order(by: costs)
        schedule.limit(to: limit, into: &actions)
    }

    func close() throws(ScheduleViolation) {
        isClosed = true
        order()
        schedule.close(into: &actions)
        try update()
    }

    /// Examples below `end` may be handed out, and no others.
    func allow(below end: Int) throws(ScheduleViolation) {
        guard !isCancelled else { return }
        limit = end
        if costs == nil { schedule.limit(to: end, into: &actions) }
        try update()
    }

    /// Nothing more is handed out; when all have reported on what they have, the loop is over for all.
    func halt() throws(ScheduleViolation) {
        guard !isCancelled else { return }
        schedule.halt(into: &actions)
        try update()
    }

    /// Nothing more is handed out; a rank that reports is told that the loop is over.
    func cancel() throws(ScheduleViolation) {
        isCancelled = true
        examples = [:]
        for rank in 0..<rankEnd where schedule.isWaiting(rank) { end(rank) }
        try update()
    }

    /// Takes a rank out of a cancelled loop; it may report once more what it had in advance.
    func end(_ rank: Int) {
        if remove(rank) { actions.append(.end(worker: rank)) }
    }

    /// Takes a rank out of a cancelled loop, in which nothing is handed out any more; false where it was not in it.
    private func remove(_ rank: Int) -> Bool {
        var unwanted: [ScheduleAction] = []
        return (try? schedule.leave(rank, into: &unwanted)) != nil
    }

    /// The examples of `chunk`, one after another.
    func examples(of chunk: Chunk) -> Bytes {
        if chunk.count == 1 { return examples[chunk.first] ?? .empty }
        var writer = ByteWriter(capacity: chunk.indices.reduce(0) { $0 + (examples[$1]?.count ?? 0) })
        for index in chunk.indices { if let example = examples[index] { writer.append(example) } }
        return writer.finish()
    }

    /// Does what follows from the schedule's new state.
    ///
    /// - Throws: where the rest will never be done, although a rank waits for it.
    func update() throws(ScheduleViolation) {
        let isOver = schedule.finished || isCancelled
        let isDeserted = awaited == 0 && schedule.activeWorkers == 0
        if !watchers.isEmpty, isDeserted, !isOver, isForsaken || hasLostRanks {
            throw ScheduleViolation(
                hasLostRanks
                    ? "every rank that could work on it has died, and rank 0 does not work"
                    : "every rank that could work on it has finished its script, but it is not done: all ranks must call "
                        + "the same loops")
        }
        // The loop also ends where all ranks have left it by `break`: they want no more of it.
        if !watchers.isEmpty, isOver || isDeserted {
            for watcher in watchers { actions.append(.end(worker: watcher)) }
            watchers = []
        }
        if schedule.finished { examples = [:] }
        if options.mayGrow, isListed, !isClosed, !isOver, !schedule.isHalted, schedule.isWorkedOff,
            toldOf ?? (-1, -1) != (schedule.listedCount, added)
        {
            toldOf = (schedule.listedCount, added)
            workedOff = added
        }
        let isFed = options.examples == .sent && announcedLength == nil
        let isWanted = isFed && !isClosed && !isListed && !isCancelled && !schedule.isHalted && fed < limit
        demand = isWanted ? nextDemand() : nil
    }

    /// How many more examples are wanted; nil where there are enough.
    private func nextDemand() -> LoopDemand? {
        let (most, active) = (Self.reserve + 4 * ranks, max(1, schedule.activeWorkers))
        let reserve = schedule.exampleCost.map { Double(active) * Self.readAhead / max($0, 1) } ?? 0
        let wanted = max(active, Int(min(reserve, Double(most))))
        let available = schedule.available
        // Asks only when more than a quarter is missing, so that it asks for several at a time.
        guard available < wanted - wanted / 4 else { return nil }
        return LoopDemand(count: wanted - available, idle: schedule.idleWorkers, given: fed)
    }

    // MARK: - Ranks that were lost, and come back

    /// Whether a lost rank may come back.
    ///
    /// It may not where each rank has its share from the start.
    var allowsReturns: Bool { options.failures.crashLimit > 0 && options.shares == nil && !options.isUnbounded }

    /// Whether `rank` has `example` under work.
    func has(_ rank: Int, example: Int) -> Bool { schedule.has(rank, example: example) }

    /// `rank`, which was lost, is there again.
    ///
    /// - Returns: what it may go on with, if there is something.
    func returned(_ rank: Int) throws(ScheduleViolation) -> Chunk? {
        let rest = try schedule.returned(rank)
        try update()
        return rest
    }

    /// `rank`, which has returned, has done examples that it had before it was lost.
    ///
    /// - Returns: those that count; none in a loop that is over.
    func claimed(
        _ rank: Int, _ chunk: Chunk, nanoseconds: Int64
    ) throws(ScheduleViolation) -> [Chunk] {
        guard !isCancelled else { return [] }
        let runs = try schedule.claimed(rank, chunk, nanoseconds: nanoseconds, into: &actions)
        for run in runs { settleClaim(of: run, nanoseconds / Int64(max(1, chunk.count)) * Int64(run.count)) }
        try update()
        return runs
    }

    /// `example`, which `rank` had before it was lost, has failed there after its return.
    ///
    /// - Returns: what becomes of it; nil where another rank has done it, or has it to do.
    func failedAfterReturn(
        _ rank: Int, _ example: Int
    ) throws(ScheduleViolation) -> FailureVerdict? {
        guard !isCancelled else { return nil }
        let verdict = try schedule.failedAfterReturn(rank, example, into: &actions)
        if case .final = verdict { forget(example) }
        try update()
        return verdict
    }

    /// `rank`, which has returned, takes part like any other from now on.
    func resume(_ rank: Int) throws(ScheduleViolation) {
        guard !isCancelled else { return end(rank) }
        try schedule.resume(rank, into: &actions)
        try update()
    }
}
