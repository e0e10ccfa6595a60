import Scheduling

/// A simulated job under way.
struct SimulatedJob {
    /// What a worker will report when it has done a chunk.
    private struct Report {
        var first: Int
        var completed: Int
        var nanoseconds: Int64
        /// Whether the example after those has failed.
        var fails = false
    }

    private let rules: ScheduleSimulator
    private let costs: ExampleCosts
    private let crew: SimulatedCrew
    private let isMortal: Bool
    /// How many hosts have a relay, and how many ranks each of them has.
    private let hosts, ranksPerHost: Int
    /// Nanoseconds from a worker to the process that gets its messages: a relay, or the root.
    private let way: Int64
    private var schedule: ManagedSchedule
    private var relays: SimulatedRelays?
    private var hasFailed = Set<Int>()
    private var hasEntered: [Bool]
    private var isLost: [Bool]
    /// When each worker has done all that it has.
    private var free: [Int64]
    /// What each worker will report.
    ///
    /// None has more than two chunks, and they are done in the order in which they came.
    private var reports: [[Report]]
    /// What arrives next, by number: first the messages of workers, then the messages to the root, by host, then the
    /// messages from the root, by host.
    private var arrivals = EarliestFirst()
    private var actions: [ScheduleAction] = []
    private var rootFree: Int64 = 0
    private var rootBusy: Int64 = 0
    private var (messages, chunks, lost) = (0, 0, 0)

    init(_ rules: ScheduleSimulator, _ costs: ExampleCosts) {
        (self.rules, self.costs) = (rules, costs)
        crew = SimulatedCrew(rules)
        isMortal = rules.deaths.meanLife > 0
        schedule = ManagedSchedule(
            .known(costs.count), workers: rules.ranks, policy: rules.policy, failures: rules.failures,
            mayBeginAtEnd: rules.mayBeginAtEnd)
        if rules.knowsCosts {
            schedule.order(by: (0..<costs.count).map { Double(costs.before($0 + 1) - costs.before($0)) })
        }
        ranksPerHost = rules.relays?.ranksPerHost ?? 1
        hosts = rules.relays == nil ? 0 : (rules.ranks + ranksPerHost - 1) / ranksPerHost
        way = rules.relays?.hop ?? rules.delay
        hasEntered = Array(repeating: false, count: rules.ranks)
        isLost = hasEntered
        free = Array(repeating: 0, count: rules.ranks)
        reports = Array(repeating: [], count: rules.ranks)
        if let rules = rules.relays { relays = SimulatedRelays(rules, hosts: hosts) }
    }

    /// Runs it to its end.
    mutating func run() throws -> ScheduleSimulator.Outcome {
        for worker in 0..<rules.ranks { arrivals.insert(worker, at: 0) }
        for (worker, _) in crew.mortals { arrivals.insert(worker, at: noticed(worker)) }
        while !schedule.finished, let (number, time) = arrivals.removeFirst() {
            if number >= rules.ranks + hosts {
                arrive(at: number - rules.ranks - hosts, time)
            } else if number >= rules.ranks {
                try hear(from: number - rules.ranks, at: time)
            } else if let word = word(of: number, arrivingAt: time) {
                if hosts == 0 {
                    try hear(word, at: time)
                } else if let send = relays?.gather(word, from: number / ranksPerHost, at: time) {
                    arrivals.insert(rules.ranks + number / ranksPerHost, at: send + rules.delay)
                }
            }
        }
        guard schedule.finished else { throw UnfinishedJob() }
        return ScheduleSimulator.Outcome(
            makespan: free.max() ?? 0, chunks: chunks,
            bound: max(costs.longest, crew.leastTime(for: costs.before(costs.count))), rootBusy: rootBusy,
            messages: messages, lost: lost, failed: schedule.failedCount)
    }

    // MARK: - Workers

    /// When the news arrives that a mortal worker is dead.
    private func noticed(_ worker: Int) -> Int64 { (crew.end(of: worker) ?? 0) + rules.deaths.notice + way }

    /// The message that now arrives from a worker, or about it; nil where it died before it could send that.
    private func word(of worker: Int, arrivingAt time: Int64) -> SimulatedWord? {
        guard isMortal, let end = crew.end(of: worker) else { return SimulatedWord(worker: worker) }
        if time == noticed(worker) { return SimulatedWord(worker: worker, isDeath: true) }
        return time - way < end ? SimulatedWord(worker: worker) : nil
    }

    /// A worker is given a chunk, and begins it when it has done the one before.
    private mutating func begin(_ assignment: SimulatedAssignment, at time: Int64) {
        let (worker, chunk) = (assignment.worker, assignment.chunk)
        guard !isLost[worker] else { return }
        let slowness = crew.slowness(of: worker)
        let start = max(free[worker], time)
        let completed = completed(of: chunk, within: (assignment.giveBackAfter + slowness - 1) / slowness)
        var first = chunk.first
        let end = first + completed
        let before = costs.before(chunk.first)
        // A worker goes on after an example that failed, so that one chunk may make several reports.
        if rules.failing > 0 {
            for example in first..<end where example % rules.failing == 0 && hasFailed.insert(example).inserted {
                let time = (costs.before(example + 1) - costs.before(first)) * slowness
                let at = start + (costs.before(example + 1) - before) * slowness
                reports[worker].append(
                    Report(first: first, completed: example - first, nanoseconds: time, fails: true))
                arrivals.insert(worker, at: at + way)
                first = example + 1
            }
        }
        free[worker] = start + (costs.before(end) - before) * slowness
        guard first < chunk.first + chunk.count else { return }
        let time = (costs.before(end) - costs.before(first)) * slowness
        reports[worker].append(Report(first: first, completed: end - first, nanoseconds: time))
        arrivals.insert(worker, at: free[worker] + way)
    }

    /// How many examples of `chunk` a worker does before it gives the others back.
    private func completed(of chunk: Chunk, within limit: Int64) -> Int {
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

    // MARK: - The root

    /// Makes the root busy with a message that has this many parts.
    private mutating func passMessage(parts: Int = 0) {
        let time = rules.messageCost + Int64(parts) * (rules.relays?.partCost ?? 0)
        rootFree += time
        rootBusy += time
        messages += 1
    }

    /// Tells the schedule of a message; what follows from it is added to `actions`.
    private mutating func apply(_ word: SimulatedWord) throws {
        let worker = word.worker
        if isLost[worker] { return }
        if word.isDeath {
            (isLost[worker], free[worker]) = (true, 0)
            lost += 1
            reports[worker].removeAll()
            _ = schedule.lost(worker, into: &actions)
        } else if !hasEntered[worker] {
            hasEntered[worker] = true
            try schedule.enter(worker, into: &actions)
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
    }

    /// A worker's message reaches the root, which sends to each worker by itself.
    private mutating func hear(_ word: SimulatedWord, at time: Int64) throws {
        rootFree = max(rootFree, time)
        passMessage()
        actions.removeAll(keepingCapacity: true)
        try apply(word)
        for case .assign(let worker, let chunk, let giveBackAfter) in actions {
            chunks += 1
            passMessage()
            begin(
                SimulatedAssignment(worker: worker, chunk: chunk, giveBackAfter: giveBackAfter),
                at: rootFree + rules.delay)
        }
    }

    /// A relay's message reaches the root, which answers it, and sends to other relays what follows for their ranks.
    private mutating func hear(from host: Int, at time: Int64) throws {
        let words = relays?.received(from: host) ?? []
        rootFree = max(rootFree, time)
        passMessage(parts: words.count)
        actions.removeAll(keepingCapacity: true)
        for word in words { try apply(word) }
        var deliveries = [host: SimulatedRelays.Delivery(isAnswer: true)]
        for case .assign(let worker, let chunk, let giveBackAfter) in actions {
            chunks += 1
            deliveries[worker / ranksPerHost, default: .init()].assignments.append(
                SimulatedAssignment(worker: worker, chunk: chunk, giveBackAfter: giveBackAfter))
        }
        for (to, delivery) in deliveries.sorted(by: { $0.key < $1.key }) {
            passMessage(parts: delivery.assignments.count)
            relays?.deliver(delivery, to: to)
            arrivals.insert(rules.ranks + hosts + to, at: rootFree + rules.delay)
        }
    }

    /// What the root sent to a relay has arrived.
    private mutating func arrive(at host: Int, _ time: Int64) {
        guard let (assignments, next) = relays?.arrive(at: host, time) else { return }
        for (assignment, at) in assignments { begin(assignment, at: at) }
        if let next { arrivals.insert(rules.ranks + host, at: next + rules.delay) }
    }
}
