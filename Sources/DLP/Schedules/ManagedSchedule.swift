/// Who does which example, decided by the root as ranks ask: the schedule of the modes `managed` and `map`.
///
/// It is a value without clock, socket or thread: events go in, actions come out, and whoever owns it carries them
/// out. The root's own rank is a worker like the others. Every example is with at most one worker at a time and is
/// done exactly once, unless its result died with a worker; an event that contradicts this throws and changes
/// nothing. Every event takes constant time, apart from what it gives back and the actions it causes.
///
/// A worker that finds nothing to do waits until every example is done, for what another one has may come back. So
/// all workers that wait are ended together. Where results stay with the workers one may die after that and take
/// results along: they are done again by workers that have not been ended, or by one that enters again. Where
/// nobody does so, `finished` stays false and the examples are lost to this loop.
public struct ManagedSchedule: Sendable {
    /// How many examples there are, as far as that is known beforehand.
    public enum Extent: Sendable, Hashable {
        /// This many.
        case known(Int)
        /// None yet: the root adds them with `extend` and ends the list with `close`.
        case growing
        /// Every rank has its own copy of the list and `lengthBecameKnown` tells when one has come to its end; until
        /// then examples are handed out as if there were always more.
        case unbounded
    }

    /// The number of examples; nil where it is not known yet.
    public private(set) var length: Int?
    /// How many examples are done.
    public private(set) var doneCount = 0
    /// How many workers have a chunk.
    public private(set) var busyWorkers = 0
    /// How many workers take part: they have a chunk or wait for one.
    public private(set) var activeWorkers = 0

    private let extent: Extent
    private let policy: ChunkPolicy
    private let resultsStay: Bool
    private(set) var queue: HandOutQueue
    private(set) var cost = CostEstimate()
    private(set) var workers: [ScheduledWorker]
    /// Workers that wait, and some that no longer do because they left or died.
    private(set) var waiting: [Int] = []
    /// How many of the workers have left or died.
    private var goneWorkers = 0
    /// One more than the last example that was ever done.
    private var doneEnd = 0

    /// A schedule for ranks `0 ..< workers`; more may enter later.
    ///
    /// `resultsStay`: a worker keeps the results of what it has done, and they die with it.
    public init(_ extent: Extent, workers: Int, policy: ChunkPolicy = .adaptive, resultsStay: Bool = false) {
        self.extent = extent
        self.policy = policy
        self.resultsStay = resultsStay
        self.workers = Array(repeating: ScheduledWorker(), count: max(workers, 1))
        switch extent {
        case .known(let count):
            length = max(count, 0)
            queue = HandOutQueue(end: max(count, 0))
        case .growing: queue = HandOutQueue(end: 0)
        case .unbounded: queue = HandOutQueue(end: .max)
        }
    }

    /// Whether every example is done.
    public var finished: Bool { doneCount == length }
    /// How many examples are there to be handed out; very many where the list is unbounded.
    public var available: Int { queue.count }
    /// How many examples are done or with a worker.
    public var handedOut: Int { min(queue.next, queue.end) - queue.returnedCount }

    /// Whether `worker` waits for something to do.
    public func isWaiting(_ worker: Int) -> Bool {
        workers.indices.contains(worker) && workers[worker].phase == .waiting
    }

    /// How many examples `worker` has.
    public func outstanding(_ worker: Int) -> Int {
        workers.indices.contains(worker) ? workers[worker].outstanding : 0
    }
}

// MARK: - What workers do

extension ManagedSchedule {
    /// No rank has a number from here on; it bounds the memory that an event can ask for.
    private static let workerLimit = 1 << 24

    /// `worker` takes part from now on; one that was ended may take part again.
    ///
    /// - Throws: `ScheduleViolation` where it takes part already, has left or is lost.
    public mutating func enter(
        _ worker: Int, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) {
        guard 0..<Self.workerLimit ~= worker else {
            throw ScheduleViolation("there is no rank \(worker)")
        }
        while workers.count <= worker { workers.append(ScheduledWorker()) }
        guard workers[worker].phase == .absent || workers[worker].phase == .ended else {
            throw ScheduleViolation("rank \(worker) entered a loop twice")
        }
        activeWorkers += 1
        serve(worker, into: &actions)
    }

    /// `worker` has done the first `completed` examples of its chunk that begins at `first`, which took it
    /// `nanoseconds`; it gives the others back.
    ///
    /// - Throws: `ScheduleViolation` where it does not have that chunk, or not that many examples of it.
    public mutating func done(
        _ worker: Int, first: Int, completed: Int, nanoseconds: Int64, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) {
        guard workers.indices.contains(worker), let chunk = workers[worker].holding(first: first) else {
            throw ScheduleViolation("rank \(worker) reported a chunk of examples that it does not have")
        }
        guard 0...chunk.clipped(to: queue.end).count ~= completed else {
            throw ScheduleViolation("rank \(worker) reported more examples as done than it had")
        }
        workers[worker].release(chunk)
        queue.putBack(Chunk(first: first + completed, count: chunk.count - completed))
        if completed > 0 {
            doneCount += completed
            doneEnd = max(doneEnd, first + completed)
            cost.record(nanoseconds: nanoseconds, examples: completed, window: max(16, presentWorkers))
            if resultsStay { workers[worker].finish(Chunk(first: first, count: completed)) }
        }
        serveWaiting(into: &actions)
        if workers[worker].current == nil { busyWorkers -= 1 }
        serve(worker, into: &actions)
    }

    /// `worker` takes no more; all that it has not reported as done goes back.
    ///
    /// - Throws: `ScheduleViolation` where it does not take part. One that has just been ended may still leave.
    public mutating func leave(
        _ worker: Int, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) {
        guard workers.indices.contains(worker), [.working, .waiting, .ended].contains(workers[worker].phase) else {
            throw ScheduleViolation("rank \(worker) left a loop in which it did not take part")
        }
        remove(worker, as: .left)
        serveWaiting(into: &actions)
    }

    /// `worker` is dead: what it had goes back, and what it had done too where the results died with it.
    ///
    /// `keepsResults`: its results are safe, for example because they had been gathered before.
    public mutating func lost(_ worker: Int, keepsResults: Bool, into actions: inout [ScheduleAction]) {
        guard workers.indices.contains(worker), workers[worker].phase != .lost else { return }
        if !keepsResults {
            for chunk in workers[worker].finished.reversed() {
                doneCount -= chunk.count
                queue.putBack(chunk)
            }
        }
        workers[worker].finished = []
        remove(worker, as: .lost)
        serveWaiting(into: &actions)
    }

    private mutating func remove(_ worker: Int, as phase: ScheduledWorker.Phase) {
        switch workers[worker].phase {
        case .working:
            activeWorkers -= 1
            busyWorkers -= 1
            goneWorkers += 1
        case .waiting:
            activeWorkers -= 1
            goneWorkers += 1
        case .absent, .ended: goneWorkers += 1
        case .left, .lost: break
        }
        for chunk in workers[worker].releaseAll() { queue.putBack(chunk) }
        workers[worker].phase = phase
    }
}

// MARK: - What becomes known of the list

extension ManagedSchedule {
    /// The root has `count` more examples.
    ///
    /// - Precondition: the list is growing and not closed.
    public mutating func extend(by count: Int, into actions: inout [ScheduleAction]) {
        precondition(extent == .growing && length == nil && count >= 0, "this list of examples does not grow")
        queue.extend(by: count)
        serveWaiting(into: &actions)
    }

    /// The root has no more examples.
    ///
    /// - Precondition: the list is growing.
    public mutating func close(into actions: inout [ScheduleAction]) {
        precondition(extent == .growing, "this list of examples does not grow")
        length = queue.end
        serveWaiting(into: &actions)
    }

    /// A rank has come to the end of its copy of the list: there are `count` examples.
    ///
    /// - Throws: `ScheduleViolation` where the length is known and another, or an example behind the end is done.
    public mutating func lengthBecameKnown(
        _ count: Int, into actions: inout [ScheduleAction]
    ) throws(ScheduleViolation) {
        if let length {
            guard length == count else { throw disagreement(count, length) }
            return
        }
        guard extent == .unbounded, count >= 0 else {
            throw ScheduleViolation("a rank reported a length of the list of examples that cannot be")
        }
        guard count >= doneEnd else { throw disagreement(count, doneEnd) }
        length = count
        queue.cut(to: count)
        serveWaiting(into: &actions)
    }

    private func disagreement(_ one: Int, _ other: Int) -> ScheduleViolation {
        ScheduleViolation(
            "ranks disagree on the list of examples: it has \(one) on one rank and \(other) on another; "
                + "make the list the same on every rank")
    }
}

// MARK: - Handing out

extension ManagedSchedule {
    /// How many ranks take part or may yet do so.
    private var presentWorkers: Int { max(1, workers.count - goneWorkers) }

    private func situation(of worker: Int) -> HandOutSituation {
        HandOutSituation(
            available: queue.count, workers: presentWorkers, cost: cost,
            previous: workers[worker].previousCount)
    }

    /// Gives `worker`, which takes part, what it may have, or lets it wait, or ends it.
    private mutating func serve(_ worker: Int, into actions: inout [ScheduleAction]) {
        if workers[worker].current == nil {
            guard assign(worker, into: &actions) else {
                idle(worker, into: &actions)
                return
            }
            busyWorkers += 1
            workers[worker].phase = .working
        }
        if workers[worker].ahead == nil, policy.allowsAhead(in: situation(of: worker)) {
            _ = assign(worker, into: &actions)
        }
    }

    private mutating func idle(_ worker: Int, into actions: inout [ScheduleAction]) {
        if finished {
            workers[worker].phase = .ended
            activeWorkers -= 1
            actions.append(.end(worker: worker))
        } else {
            workers[worker].phase = .waiting
            waiting.append(worker)
        }
    }

    /// Hands `worker` a chunk; returns whether there was one.
    private mutating func assign(_ worker: Int, into actions: inout [ScheduleAction]) -> Bool {
        let situation = situation(of: worker)
        guard let chunk = queue.take(policy.count(in: situation)) else { return false }
        workers[worker].receive(chunk)
        let patience = policy.giveBackAfter(chunkOf: chunk.count, in: situation)
        actions.append(.assign(worker: worker, chunk, giveBackAfter: patience))
        return true
    }

    /// Serves workers that wait, as long as there is something to hand out or nothing more to wait for.
    private mutating func serveWaiting(into actions: inout [ScheduleAction]) {
        while queue.count > 0 || finished, let worker = waiting.popLast() {
            if workers[worker].phase == .waiting { serve(worker, into: &actions) }
        }
    }
}
