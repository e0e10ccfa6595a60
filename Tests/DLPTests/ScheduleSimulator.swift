import DLP

/// A discrete-event simulation of a job: ranks that work, a network that delays, a root that serves one at a time.
struct ScheduleSimulator {
    var ranks: Int
    /// Nanoseconds from the root to a rank, and from a rank to the root.
    var delay: Int64 = 50_000
    /// Nanoseconds for which the root is busy with one message that it receives or sends.
    var messageCost: Int64 = 10_000
    var policy = ChunkPolicy.adaptive
    var failures = FailurePolicy()
    /// Every so many examples one fails the first time; 0: none does.
    var failing = 0
    /// Every so many reports the worker dies before it sends one; 0: none does.
    ///
    /// Rank 0 never does.
    var dying = 0

    /// How a simulated job went.
    struct Outcome {
        /// Nanoseconds from the start until the last example was done.
        var makespan: Int64
        var chunks: Int
        /// What no schedule could have beaten: the longest example, or everybody busy all the time.
        var bound: Int64

        var ratio: Double { Double(makespan) / Double(bound) }
    }

    /// What a worker will report when it has done a chunk.
    private struct Report {
        var first: Int
        var completed: Int
        var nanoseconds: Int64
        /// Whether the example after those has failed.
        var fails = false
    }

    /// Runs a job whose examples take `costs` nanoseconds.
    func run(costs: [Int64]) throws -> Outcome {
        var schedule = ManagedSchedule(.known(costs.count), workers: ranks, policy: policy, failures: failures)
        var hasFailed = Set<Int>()
        var isDead = Array(repeating: false, count: ranks)
        var heard = 0
        // The time that the examples before each take together.
        var elapsed: [Int64] = [0]
        elapsed.reserveCapacity(costs.count + 1)
        var total: Int64 = 0
        var longest: Int64 = 0
        for cost in costs {
            total += cost
            longest = max(longest, cost)
            elapsed.append(total)
        }

        var free = Array(repeating: Int64(0), count: ranks)
        // Nobody has more than two chunks, and they are done in the order in which they came.
        var reports = Array(repeating: [Report](), count: ranks)
        var arrivals = EarliestFirst()
        for worker in 0..<ranks { arrivals.insert(worker, at: 0) }
        var actions: [ScheduleAction] = []
        var rootFree: Int64 = 0
        var chunks = 0
        while let (worker, arrival) = arrivals.removeFirst() {
            if isDead[worker] { continue }
            rootFree = max(rootFree, arrival) + messageCost
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
                let start = max(free[worker], rootFree + delay)
                let completed = completed(of: chunk, within: giveBackAfter, elapsed)
                var first = chunk.first
                let end = first + completed
                // A worker goes on after an example that failed, so that one chunk may make several reports.
                if failing > 0 {
                    for example in first..<end where example % failing == 0 && hasFailed.insert(example).inserted {
                        let time = elapsed[example + 1] - elapsed[first]
                        let at = start + elapsed[example + 1] - elapsed[chunk.first]
                        reports[worker].append(
                            Report(first: first, completed: example - first, nanoseconds: time, fails: true))
                        arrivals.insert(worker, at: at + delay)
                        first = example + 1
                    }
                }
                free[worker] = start + elapsed[end] - elapsed[chunk.first]
                guard first < chunk.first + chunk.count else { continue }
                reports[worker].append(
                    Report(first: first, completed: end - first, nanoseconds: elapsed[end] - elapsed[first]))
                arrivals.insert(worker, at: free[worker] + delay)
            }
        }
        guard schedule.finished else { throw BrokenRule(description: "the simulated job did not finish") }
        return Outcome(
            makespan: free.max() ?? 0, chunks: chunks, bound: max(longest, total / Int64(ranks)))
    }

    /// How many examples of `chunk` a worker does before it gives the others back.
    private func completed(of chunk: Chunk, within limit: Int64, _ elapsed: [Int64]) -> Int {
        guard limit > 0, elapsed[chunk.first + chunk.count] - elapsed[chunk.first] > limit else { return chunk.count }
        var low = 1
        var high = chunk.count
        while low < high {
            let middle = (low + high) / 2
            if elapsed[chunk.first + middle] - elapsed[chunk.first] >= limit { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// A binary heap of workers by the time at which something of theirs arrives.
///
/// A time and a worker share one integer: arrays of integers are what is fast without optimisation.
private struct EarliestFirst {
    private static let workerBits = 16

    private var entries: [Int] = []

    mutating func insert(_ worker: Int, at time: Int64) {
        entries.append(Int(time) << Self.workerBits | worker)
        var child = entries.count - 1
        while child > 0, entries[child] < entries[(child - 1) / 2] {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() -> (worker: Int, time: Int64)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        var parent = 0
        while 2 * parent + 1 < entries.count {
            var child = 2 * parent + 1
            if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
            guard entries[child] < last else { break }
            entries[parent] = entries[child]
            parent = child
        }
        if !entries.isEmpty { entries[parent] = last }
        return (first & (1 << Self.workerBits - 1), Int64(first >> Self.workerBits))
    }
}
