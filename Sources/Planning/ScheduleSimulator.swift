public import Scheduling

/// A discrete-event simulation of a job: ranks that work, a network that delays, a root that serves one at a time.
public struct ScheduleSimulator {
    /// How many ranks there are, all of which work.
    public var ranks: Int
    /// Nanoseconds from the root to a rank, and from a rank to the root.
    public var delay: Int64 = 50_000
    /// Nanoseconds for which the root is busy with one message that it receives or sends.
    public var messageCost: Int64 = 10_000
    /// How the schedule cuts chunks.
    public var policy = ChunkPolicy.adaptive
    /// What becomes of examples that fail.
    public var failures = FailurePolicy()
    /// Whether the list may be gone through from its end.
    public var mayBeginAtEnd = false
    /// Whether the schedule knows what examples cost.
    public var knowsCosts = false
    /// Every so many examples one fails the first time; 0: none does.
    public var failing = 0
    /// Every so many reports the worker dies before it sends one; 0: none does.
    ///
    /// Rank 0 never does.
    public var dying = 0

    /// A simulation of a job of so many ranks.
    public init(ranks: Int) { self.ranks = ranks }

    /// How a simulated job went.
    public struct Outcome {
        /// Nanoseconds from the start until the last example was done.
        public var makespan: Int64
        /// How often a rank was given examples.
        public var chunks: Int
        /// What no schedule could have beaten: the longest example, or everybody busy all the time.
        public var bound: Int64
        /// Nanoseconds for which the root was busy with messages.
        public var rootBusy: Int64

        /// How much longer than `bound` it took.
        public var ratio: Double { Double(makespan) / Double(bound) }
    }

    /// What a worker will report when it has done a chunk.
    private struct Report {
        var first: Int
        var completed: Int
        var nanoseconds: Int64
        /// Whether the example after those has failed.
        var fails = false
    }

    /// Runs a job whose examples have these costs.
    ///
    /// - Throws: `ScheduleViolation` where schedule and simulation do not fit together.
    public func run(_ costs: ExampleCosts) throws -> Outcome {
        var schedule = ManagedSchedule(
            .known(costs.count), workers: ranks, policy: policy, failures: failures, mayBeginAtEnd: mayBeginAtEnd)
        if knowsCosts {
            schedule.order(by: (0..<costs.count).map { Double(costs.before($0 + 1) - costs.before($0)) })
        }
        var hasFailed = Set<Int>()
        var isDead = Array(repeating: false, count: ranks)
        var heard = 0
        var free = Array(repeating: Int64(0), count: ranks)
        // Nobody has more than two chunks, and they are done in the order in which they came.
        var reports = Array(repeating: [Report](), count: ranks)
        var arrivals = EarliestFirst()
        for worker in 0..<ranks { arrivals.insert(worker, at: 0) }
        var actions: [ScheduleAction] = []
        var rootFree: Int64 = 0
        var messages: Int64 = 0
        var chunks = 0
        while let (worker, arrival) = arrivals.removeFirst() {
            if isDead[worker] { continue }
            rootFree = max(rootFree, arrival) + messageCost
            messages += 1
            actions.removeAll(keepingCapacity: true)
            heard += 1
            if free[worker] == 0 {
                try schedule.enter(worker, into: &actions)
            } else if dying > 0, worker > 0, heard % dying == 0 {
                isDead[worker] = true
                free[worker] = 0
                _ = schedule.lost(worker, into: &actions)
            } else {
                let report = reports[worker].removeFirst()
                if report.fails {
                    _ = try schedule.failed(
                        worker, first: report.first, completed: report.completed, nanoseconds: report.nanoseconds,
                        into: &actions)
                    schedule.retry(report.first + report.completed, into: &actions)
                } else {
                    try schedule.done(
                        worker, first: report.first, completed: report.completed, nanoseconds: report.nanoseconds,
                        into: &actions)
                }
            }
            for action in actions {
                guard case .assign(let worker, let chunk, let giveBackAfter) = action else { continue }
                chunks += 1
                rootFree += messageCost
                messages += 1
                let start = max(free[worker], rootFree + delay)
                let completed = completed(of: chunk, within: giveBackAfter, costs)
                var first = chunk.first
                let end = first + completed
                let begin = costs.before(chunk.first)
                // A worker goes on after an example that failed, so that one chunk may make several reports.
                if failing > 0 {
                    for example in first..<end where example % failing == 0 && hasFailed.insert(example).inserted {
                        let time = costs.before(example + 1) - costs.before(first)
                        let at = start + costs.before(example + 1) - begin
                        reports[worker].append(
                            Report(first: first, completed: example - first, nanoseconds: time, fails: true))
                        arrivals.insert(worker, at: at + delay)
                        first = example + 1
                    }
                }
                free[worker] = start + costs.before(end) - begin
                guard first < chunk.first + chunk.count else { continue }
                reports[worker].append(
                    Report(first: first, completed: end - first, nanoseconds: costs.before(end) - costs.before(first)))
                arrivals.insert(worker, at: free[worker] + delay)
            }
        }
        guard schedule.finished else { throw UnfinishedJob() }
        return Outcome(
            makespan: free.max() ?? 0, chunks: chunks,
            bound: max(costs.longest, costs.before(costs.count) / Int64(ranks)), rootBusy: messages * messageCost)
    }

    /// How many examples of `chunk` a worker does before it gives the others back.
    private func completed(of chunk: Chunk, within limit: Int64, _ costs: ExampleCosts) -> Int {
        let begin = costs.before(chunk.first)
        guard limit > 0, costs.before(chunk.first + chunk.count) - begin > limit else { return chunk.count }
        var low = 1
        var high = chunk.count
        while low < high {
            let middle = (low + high) / 2
            if costs.before(chunk.first + middle) - begin >= limit { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// The schedule left examples undone.
public struct UnfinishedJob: Error {}
