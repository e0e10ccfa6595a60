// Which worker is given which examples.

extension ManagedSchedule {
    /// How many ranks take part or may yet do so.
    var presentWorkers: Int { max(1, workers.count - goneWorkers) }

    /// Whether at most one rank takes part or may still do so.
    private var isAlone: Bool { workers.count - goneWorkers <= 1 }

    /// Whether `worker` is to be given nothing that may kill it: the death of rank 0 would end the job.
    private func isSpared(_ worker: Int) -> Bool { worker == 0 && !isAlone }

    private func input(of worker: Int, available: Int? = nil) -> ChunkingInput {
        ChunkingInput(
            available: queue.openAmount ?? Double(available ?? queue.openCount()), workers: presentWorkers, cost: cost,
            previous: workers[worker].previousCount)
    }

    /// Gives `worker`, which takes part, what it may have, or lets it wait, or ends it.
    mutating func serve(_ worker: Int, into actions: inout [ScheduleAction]) {
        if workers[worker].current == nil {
            guard !isHalted, let unit = firstUnit(for: worker) else { return idle(worker, into: &actions) }
            busyWorkers += 1
            workers[worker].phase = .working
            assign(unit, to: worker, into: &actions)
        }
        var input = input(of: worker)
        if queue.isOrdered { input.next = queue.nextCost() }
        if !isHalted, workers[worker].ahead == nil, policy.allowsAhead(in: input),
            let unit = takeLot(in: input, for: worker)
        {
            assign(unit, to: worker, into: &actions)
        }
    }

    /// Takes the next unit for a worker that has none; what failed elsewhere comes last.
    private mutating func firstUnit(for worker: Int) -> WorkUnit? {
        // No other worker waits for a share, so its chunks need not shrink.
        let portion = sharesInChunks ? policy.count(in: input(of: worker, available: .max)) : .max
        if let unit = workers[worker].takeShare(portion, below: queue.limit) { return unit }
        if let unit = takeLot(in: input(of: worker), for: worker) { return unit }
        return retries.take(for: worker, isAlone: isAlone).map { WorkUnit(Chunk(first: $0, count: 1)) }
    }

    private mutating func takeLot(in input: ChunkingInput, for worker: Int) -> WorkUnit? {
        if queue.isOrdered {
            return queue.take(policy.limits(in: input), sparing: isSpared(worker))
        }
        let count = policy.count(in: input)
        let freshBefore = queue.freshCount
        let unit = queue.take(
            ChunkLimits(count: count), sparing: isSpared(worker),
            fromEnd: tailProbe.map { $0.wantsEnd(for: worker) } ?? false)
        if let unit, queue.freshCount < freshBefore { tailProbe?.note(unit.chunk, for: worker, end: queue.end) }
        return unit
    }

    private mutating func assign(_ unit: WorkUnit, to worker: Int, into actions: inout [ScheduleAction]) {
        // A share, and what is left of one, stays with its worker.
        let patience =
            unit.chunk.stride > 1
            ? 0
            : policy.giveBackAfter(
                chunkOf: unit.chunk.count, costing: queue.amount(of: unit.chunk), in: input(of: worker))
        workers[worker].receive(unit)
        actions.append(.assign(worker: worker, unit.chunk, giveBackAfter: patience))
    }

    private mutating func idle(_ worker: Int, into actions: inout [ScheduleAction]) {
        if finished {
            workers[worker].phase = .ended
            activeWorkers -= 1
            actions.append(.end(worker: worker))
        } else if isSettled, !workers[worker].finished.isEmpty {
            workers[worker].phase = .delivering
            actions.append(.deliver(worker: worker))
        } else {
            workers[worker].phase = .waiting
            waiting.append(worker)
        }
    }

    /// Serves workers that wait, as long as there is something to hand out or nothing more to wait for.
    mutating func serveWaiting(into actions: inout [ScheduleAction]) {
        // A worker that waits may not be able to take what there is: examples that failed on it or, as rank 0, examples
        // that may kill it.
        var unserved: [Int] = []
        while mayServe, let worker = waiting.popLast() {
            guard workers[worker].phase == .waiting else { continue }
            if canServe(worker) { serve(worker, into: &actions) } else { unserved.append(worker) }
        }
        waiting += unserved.reversed()
        if isSettled { hasAskedForResults = true }
    }

    private var mayServe: Bool { hasWork || finished || (isSettled && !hasAskedForResults) }

    private var hasWork: Bool { !isHalted && (queue.openCount() > 0 || retries.count > 0) }

    private func canServe(_ worker: Int) -> Bool {
        hasWork(for: worker) || finished || (isSettled && !workers[worker].finished.isEmpty)
    }

    private func hasWork(for worker: Int) -> Bool {
        !isHalted
            && (queue.openCount(sparing: isSpared(worker)) > 0 || retries.has(for: worker, isAlone: isAlone))
    }

    /// Serves workers that wait although they have a share.
    mutating func serveShareholders(into actions: inout [ScheduleAction]) {
        for worker in isHalted ? 0..<0 : shareholders ?? 0..<0
        where workers[worker].phase == .waiting && workers[worker].hasShare(below: queue.limit) {
            serve(worker, into: &actions)
        }
        waiting.removeAll { workers[$0].phase != .waiting }
    }

    /// Orders the examples that no worker has been given yet by their costs, the longest first.
    ///
    /// Those that are short compared with a worker's share come last, in the order of the list.
    ///
    /// Workers that have shares keep them.
    ///
    /// - Parameter costs: the costs of the first examples of the list, in any unit; an example without one counts as
    ///   the mean of the others.
    /// - Precondition: none is negative, infinite or no number.
    public mutating func order(by costs: [Double]) {
        guard shareholders == nil else { return }
        tailProbe = nil
        queue.order(by: costs, workers: presentWorkers)
        orderedAmount = queue.orderedAmount
    }

    /// Hands out nothing from the example `end` on, until another limit is set.
    public mutating func limit(to end: Int, into actions: inout [ScheduleAction]) {
        queue.limit = max(0, end)
        serveShareholders(into: &actions)
        serveWaiting(into: &actions)
    }

    /// Hands out nothing more; workers finish what they have, or give it back.
    public mutating func halt(into actions: inout [ScheduleAction]) {
        guard !isHalted else { return }
        isHalted = true
        serveWaiting(into: &actions)
    }
}
