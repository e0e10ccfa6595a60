@testable import Scheduling

/// An event that may happen to a schedule.
enum ScheduleEvent: Hashable {
    case enter(Int)
    /// The worker has done the first `completed` examples of its chunk number `slot`.
    case done(Int, slot: Int, completed: Int)
    /// The worker has done the first `completed` examples of its chunk number `slot`, and goes on with the others.
    case part(Int, slot: Int, completed: Int)
    /// The worker has done the first `completed` examples of its chunk number `slot`, and the next one failed.
    case failed(Int, slot: Int, completed: Int)
    case retry(Int)
    case delivered(Int)
    case leave(Int)
    case retire(Int)
    case lost(Int)
    case returned(Int)
    /// The worker, which has returned, has done the next `completed` examples of those that it had when it was lost.
    case claimed(Int, completed: Int)
    /// The same for one example, which failed.
    case failedAfterReturn(Int)
    case resume(Int)
    case extend(Int)
    case skip(Int)
    case close
    case length(Int)
    case halt
    /// Examples below this index may be handed out.
    case limit(Int)
}

/// A rule that a schedule broke.
struct BrokenRule: Error, CustomStringConvertible {
    let description: String
}

/// A schedule together with an independent account of which worker has and has done what.
///
/// It checks every step.
struct ScheduleHarness {
    enum Phase: Int { case absent, active, delivering, ended, left, lost, unexpected, returning }

    struct Setup {
        var extent: ManagedSchedule.Extent
        var workers: Int
        var policy: ChunkPolicy
        /// The policy for failures; nil: nothing fails.
        var failures: FailurePolicy?
        var resultsStay: Bool
        var shares: Int?
        var sharesInChunks = false
        /// How many more workers may join late, and whether workers may retire.
        var late = 0
        var mayRetire = false
        /// Whether workers that were lost may return.
        var mayReturn = false
        /// Whether workers may report on a part of a chunk.
        var hasParts = false
        /// Whether some of the examples of a list that grows are done already.
        var skips = false
        /// Whether examples are handed out only up to a limit, which moves.
        var hasLimit = false
        /// Whether a list of known length may get longer.
        var mayGrow = false
        /// Whether the hand-out may be ended early.
        var halts = false
        /// Nanoseconds for the first example, and how many more for each that follows.
        var cost: Int64
        var rise: Int64 = 0
        /// Whether the list may be handed out from its end.
        var mayBeginAtEnd = false
        /// The costs that the schedule is told once the list has ended; nil: none.
        var costs: [Double]?
        /// How many examples there will be.
        var examples: Int
    }

    /// The facts about one example.
    struct Example: Hashable {
        /// The worker that has it, the one that has done it, and the one on which it failed before it is tried again;
        /// or -1.
        var holder = -1
        var doer = -1
        var failedOn = -1
        /// Whether it may be tried again now; before that it must wait.
        var isRetryable = false
        var isFailed = false
        /// Whether it is done and its result survives the death of its worker.
        var isSafe = false
        var attempts = 0
        /// How many workers died that had it in the chunk in work, and for how many of them it was the only example
        /// there.
        var deaths = 0
        var deathsAlone = 0

        var isTaken: Bool { holder >= 0 || doer >= 0 || failedOn >= 0 || isFailed }
    }

    let setup: Setup
    var schedule: ManagedSchedule
    var phases: [Phase]
    private(set) var retiring: Set<Int> = []
    var held: [[Chunk]]
    /// What each worker had in work when it was lost, and has not reported on since.
    var former: [Chunk?]
    var account: [Example]
    private(set) var listed: Int
    private(set) var complete: Bool
    private(set) var isHalted = false
    private(set) var limit = Int.max
    var actions: [ScheduleAction] = []

    init(_ setup: Setup) {
        self.setup = setup
        schedule = ManagedSchedule(
            setup.extent, workers: setup.workers, policy: setup.policy, failures: setup.failures ?? FailurePolicy(),
            resultsStay: setup.resultsStay, shares: setup.shares, sharesInChunks: setup.sharesInChunks,
            mayGrow: setup.mayGrow, mayBeginAtEnd: setup.mayBeginAtEnd)
        phases = Array(repeating: .absent, count: setup.workers) + Array(repeating: .unexpected, count: setup.late)
        held = Array(repeating: [], count: phases.count)
        former = Array(repeating: nil, count: phases.count)
        account = Array(repeating: Example(), count: setup.examples)
        switch setup.extent {
        case .growing: listed = 0
        case .known(let count): listed = count
        case .unbounded: listed = setup.examples
        }
        complete = setup.extent == .known(setup.examples) && !setup.mayGrow
        if case .known = setup.extent, let costs = setup.costs { schedule.order(by: costs) }
        guard setup.hasLimit else { return }
        limit = 1
        schedule.limit(to: 1, into: &actions)
    }

    var allSettled: Bool {
        complete && account.allSatisfy { $0.doer >= 0 || $0.isFailed } || isHalted && held.allSatisfy(\.isEmpty)
    }
    /// An example that is not done once all is settled remains undone.
    var allDone: Bool { allSettled && account.allSatisfy { $0.doer < 0 || $0.isSafe } }

    /// Lets `event` happen and checks how the schedule reacts.
    mutating func apply(_ event: ScheduleEvent) throws {
        actions.removeAll(keepingCapacity: true)
        switch event {
        case .enter(let worker):
            phases[worker] = .active
            try schedule.enter(worker, into: &actions)
        case .done(let worker, let slot, let completed):
            let chunk = held[worker].remove(at: slot)
            finish(chunk, completed, worker)
            free(chunk)
            let done = try schedule.done(
                worker, first: chunk.first, completed: completed, nanoseconds: cost(of: chunk.prefix(completed)),
                into: &actions)
            try require(done == chunk.prefix(completed), "\(done) counted as done of \(chunk)")
        case .part(let worker, let slot, let completed):
            let chunk = held[worker][slot]
            finish(chunk, completed, worker)
            held[worker][slot] = chunk.dropFirst(completed)
            let done = try schedule.partlyDone(
                worker, first: chunk.first, completed: completed, nanoseconds: cost(of: chunk.prefix(completed)))
            try require(done == chunk.prefix(completed), "\(done) counted as done of \(chunk)")
        case .failed(let worker, let slot, let completed): try fail(worker, slot, completed)
        case .retry(let example):
            account[example].isRetryable = true
            schedule.retry(example, into: &actions)
        case .delivered(let worker):
            phases[worker] = .active
            for example in account.indices where account[example].doer == worker { account[example].isSafe = true }
            try schedule.delivered(worker, into: &actions)
            try require(retiring.contains(worker) == actions.contains(.end(worker: worker)) || allDone, "it goes on")
        case .leave(let worker):
            drop(worker, as: .left)
            try schedule.leave(worker, into: &actions)
        case .retire(let worker):
            for chunk in held[worker] { free(chunk) }
            held[worker] = []
            retiring.insert(worker)
            let wasActive = phases[worker] == .active
            try schedule.retire(worker, into: &actions)
            if wasActive {
                let answer: ScheduleAction = keepsResults(worker) ? .deliver(worker: worker) : .end(worker: worker)
                try require(actions.contains(answer), "worker \(worker) retires and waits for ever")
            }
        case .lost(let worker): try lose(worker)
        case .returned(let worker): try takeBack(worker)
        case .claimed(let worker, let completed): try claim(worker, completed)
        case .failedAfterReturn(let worker): try failAfterReturn(worker)
        case .resume(let worker):
            release(worker)
            former[worker] = nil
            phases[worker] = .active
            try schedule.resume(worker, into: &actions)
        case .extend(let count):
            listed += count
            schedule.extend(by: count, into: &actions)
        case .skip(let count):
            // None of the workers has done them.
            for example in listed..<listed + count { account[example] = Example(doer: phases.count, isSafe: true) }
            listed += count
            schedule.skip(count)
        case .close:
            complete = true
            if setup.extent == .growing, let costs = setup.costs { schedule.order(by: costs) }
            schedule.close(into: &actions)
        case .length(let count):
            complete = true
            try schedule.lengthBecameKnown(count, into: &actions)
        case .halt:
            isHalted = true
            schedule.halt(into: &actions)
        case .limit(let end):
            limit = end
            schedule.limit(to: end, into: &actions)
        }
        for action in actions { try check(action) }
        try checkState()
    }

    func cost(of chunk: Chunk) -> Int64 { chunk.indices.reduce(0) { $0 + setup.cost + setup.rise * Int64($1) } }

    private mutating func finish(_ chunk: Chunk, _ completed: Int, _ worker: Int) {
        for example in chunk.prefix(completed).indices {
            account[example] = Example(doer: worker, isSafe: !setup.resultsStay)
        }
    }

    private mutating func fail(_ worker: Int, _ slot: Int, _ completed: Int) throws {
        let chunk = held[worker][slot]
        finish(chunk, completed, worker)
        let example = chunk.prefix(completed).end
        let rest = chunk.dropFirst(completed + 1)
        if rest.count > 0 { held[worker][slot] = rest } else { held[worker].remove(at: slot) }
        account[example].holder = -1
        account[example].attempts += 1
        (account[example].deaths, account[example].deathsAlone) = (0, 0)
        let tried = account[example].attempts
        let isFinal = tried > (setup.failures?.retries ?? 0)
        if isFinal { account[example].isFailed = true } else { account[example].failedOn = worker }
        let (done, verdict) = try schedule.failed(
            worker, first: chunk.first, completed: completed, nanoseconds: cost(of: chunk.prefix(completed)),
            into: &actions)
        try require(done == chunk.prefix(completed), "\(done) counted as done of \(chunk)")
        try require(
            verdict == (isFinal ? .final(attempts: tried) : .retry(attempts: tried)),
            "\(verdict) after \(tried) attempts")
    }

    private mutating func lose(_ worker: Int) throws {
        let suspects = held[worker].first?.clipped(to: listed).indices.map { $0 } ?? []
        for example in suspects {
            account[example].deaths += 1
            if suspects.count == 1 { account[example].deathsAlone += 1 }
        }
        if let current = held[worker].first { former[worker] = current.clipped(to: listed) }
        drop(worker, as: .lost)
        let crashed = schedule.lost(worker, into: &actions)
        let limit = setup.extent == .unbounded ? 0 : setup.failures?.crashLimit ?? 0
        if let crashed {
            try require(suspects == [crashed.example], "\(crashed) of \(suspects)")
            let deaths = account[crashed.example].deaths
            try require(limit > 0 && limit...deaths ~= crashed.deaths, "\(crashed) after \(deaths) deaths")
            account[crashed.example].isFailed = true
        } else if limit > 0, let example = suspects.first {
            try require(account[example].deathsAlone < limit, "example \(example) may go on killing")
        }
    }

    /// Gives back what was kept for a worker.
    private mutating func drop(_ worker: Int, as phase: Phase) {
        for chunk in held[worker] { free(chunk) }
        held[worker] = []
        phases[worker] = phase
        for example in account.indices where keepsResult(worker, of: example) { account[example] = Example() }
    }

    private func keepsResult(_ worker: Int, of example: Int) -> Bool {
        account[example].doer == worker && !account[example].isSafe
    }

    private func keepsResults(_ worker: Int) -> Bool { account.indices.contains { keepsResult(worker, of: $0) } }

    mutating func free(_ chunk: Chunk) {
        for example in chunk.indices where example < account.count { account[example].holder = -1 }
    }

    private mutating func check(_ action: ScheduleAction) throws {
        switch action {
        case .assign(let worker, let chunk, let giveBackAfter):
            try require(!isHalted, "\(action) although nothing more is to be done")
            try require(phases[worker] == .active, "\(action) for a worker that is \(phases[worker])")
            try require(held[worker].count < 2, "a third chunk: \(action)")
            try require(chunk.count > 0 && chunk.first >= 0, "no examples in \(action)")
            try require(giveBackAfter >= 0, "a negative time in \(action)")
            try require(!complete || chunk.clipped(to: listed) == chunk, "examples behind the end in \(action)")
            for example in chunk.indices where example < account.count {
                let before = account[example]
                try require(example < limit || before.failedOn >= 0, "\(action) behind the limit, \(limit)")
                try require(before.holder == -1, "example \(example) is with two workers")
                try require(before.doer == -1, "example \(example) is to be done twice")
                try require(!before.isFailed, "example \(example) has failed for good")
                if before.failedOn >= 0 {
                    try require(before.isRetryable && chunk.count == 1, "\(action) before it was brought back")
                    try require(before.failedOn != worker || isAlone(worker), "\(action) where it failed")
                }
                account[example].holder = worker
                account[example].failedOn = -1
                account[example].isRetryable = false
            }
            held[worker].append(chunk)
        case .deliver(let worker):
            try require(phases[worker] == .active && held[worker].isEmpty, "\(action) for one that is at work")
            try require(
                (allSettled || retiring.contains(worker)) && keepsResults(worker), "\(action) at the wrong time")
            phases[worker] = .delivering
        case .end(let worker):
            try require(phases[worker] == .active, "\(action) for a worker that is \(phases[worker])")
            try require(held[worker].isEmpty, "\(action) for a worker that has something to do")
            try require(
                allDone || (retiring.contains(worker) && !keepsResults(worker)),
                "\(action) before everything is done")
            phases[worker] = retiring.contains(worker) ? .left : .ended
        }
    }

    private func isAlone(_ worker: Int) -> Bool {
        phases.indices.allSatisfy { $0 == worker || [.left, .lost, .unexpected].contains(phases[$0]) }
    }

    private func checkState() throws {
        let done = account.count { $0.doer >= 0 }
        let failed = account.count { $0.isFailed }
        let active = phases.count { [.active, .delivering, .returning].contains($0) }
        try require(schedule.doneCount == done, "\(schedule.doneCount) counted as done, not \(done)")
        try require(schedule.failedCount == failed, "\(schedule.failedCount) counted as failed, not \(failed)")
        try require(schedule.finished == allDone, "finished is \(schedule.finished)")
        try require(
            schedule.length == (complete ? listed : nil), "the length is \(String(describing: schedule.length))")
        try require(schedule.busyWorkers == held.count { !$0.isEmpty }, "\(schedule.busyWorkers) counted as busy")
        try require(schedule.activeWorkers == active, "\(schedule.activeWorkers) counted as active")
        let taken = account.count { $0.isTaken }
        let reserved = schedule.workers.indices.reduce(0) {
            $0 + schedule.workers[$1].shares.reduce(0) { $0 + $1.count }
        }
        let shared = Set(schedule.workers.flatMap { $0.shares.flatMap { Array($0.indices) } })
        let openCount = account[..<listed].indices.count { $0 < limit && !account[$0].isTaken && !shared.contains($0) }
        if complete {
            try require(
                schedule.handedOut == taken + reserved - schedule.skippedCount,
                "\(schedule.handedOut) counted as handed out")
        }
        for worker in phases.indices {
            let waits = phases[worker] == .active && held[worker].isEmpty
            try require(schedule.isWaiting(worker) == waits, "worker \(worker) waits: \(!waits)")
            try require(
                schedule.outstanding(worker) == held[worker].reduce(0) { $0 + $1.count },
                "worker \(worker) is said to have \(schedule.outstanding(worker)) examples")
            if waits {
                // A worker that has reported its last examples as a part of a chunk must still find out that there
                // are no more.
                try require(!allDone || held.contains { !$0.isEmpty }, "worker \(worker) was not ended")
                try require(!allSettled || !keepsResults(worker), "worker \(worker) waits with results")
                let isSpared = worker == 0 && !isAlone(0) && schedule.queue.openCount(sparing: true) == 0
                try require(
                    isHalted || openCount == 0 || isSpared || setup.shares != nil && !complete,
                    "worker \(worker) waits while there is something to do")
                try require(
                    isHalted || !schedule.workers[worker].hasShare(below: limit), "worker \(worker) waits with a share")
                try require(
                    isHalted || account.allSatisfy { !$0.isRetryable || ($0.failedOn == worker && !isAlone(worker)) },
                    "worker \(worker) waits while there is something to try again")
            }
        }
        if complete, active > 0 {
            let somethingWillCome =
                phases.contains(.delivering) || phases.contains(.absent) || phases.contains(.returning)
                || account.contains { $0.failedOn >= 0 && !$0.isRetryable }
            try require(
                schedule.busyWorkers > 0 || somethingWillCome || limit < listed, "all workers wait for each other")
        }
    }

    func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
        if !condition { throw BrokenRule(description: rule()) }
    }
}
