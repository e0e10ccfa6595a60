@testable import Scheduling

extension ScheduleHarness {
    /// Everything that decides what can happen from here on; an example's cost matters only for the choice of an end.
    ///
    /// Workers other than rank 0 differ only in their numbers, so states that differ only in those are the same,
    /// unless the workers have shares.
    var signature: [Int16] {
        var parts: [(worker: Int, key: [Int16])] = []
        for worker in phases.indices {
            let known = worker < schedule.workers.count ? schedule.workers[worker] : ScheduledWorker(phase: .unexpected)
            var key = [
                Int16(phases[worker].rawValue), Int16(known.previousCount), retiring.contains(worker) ? -9 : -3,
            ]
            if let choice = schedule.tailProbe, choice.firstWorker == worker { key.append(-11) }
            for unit in [known.current, known.ahead].compactMap({ $0 }) { append(unit, to: &key) }
            for share in known.shares { append(WorkUnit(share), to: &key) }
            if let chunk = former[worker] { key += [-12, Int16(chunk.first), Int16(chunk.count)] }
            if let unfinished = known.unfinished {
                key += [-13, Int16(unfinished.chunk.first), Int16(unfinished.chunk.count), Int16(unfinished.death)]
            }
            for example in account.indices {
                let now = account[example]
                if setup.resultsStay, now.doer == worker { key += [now.isSafe ? -4 : -8, Int16(example)] }
                if now.failedOn == worker { key += [-5, Int16(example), now.isRetryable ? 1 : 0] }
            }
            parts.append((worker, key))
        }
        if setup.shares == nil { parts[1...].sort { $0.key.lexicographicallyPrecedes($1.key) } }
        var key: [Int16] = [
            Int16(listed), complete ? 1 : 0, isHalted ? 1 : 0, Int16(clamping: limit),
            schedule.cost.recent == nil ? 0 : 1,
        ]
        key.append(Int16(schedule.queue.next))
        if let choice = schedule.tailProbe {
            key += [Int16(schedule.queue.freshEnd), choice.isMade ? 1 : 0, choice.isFromEnd ? 1 : 0]
            if let probe = choice.probe { key.append(Int16(probe.first)) }
            if !choice.isMade, let recent = schedule.cost.recent {
                key += [Int16(recent / 10_000), Int16(choice.workSince / 100_000)]
            }
        }
        for unit in schedule.queue.returned { append(unit, to: &key) }
        for part in parts { key += part.key }
        for waiting in schedule.waiting where schedule.isWaiting(waiting) {
            key.append(Int16(parts.firstIndex { $0.worker == waiting } ?? -1))
        }
        for (example, now) in account.enumerated() where now.isFailed || now.attempts > 0 || now.deaths > 0 {
            key += [
                -6, Int16(example), now.isFailed ? 1 : 0, Int16(now.attempts), Int16(now.deaths),
                Int16(now.deathsAlone),
            ]
        }
        return key
    }

    private func append(_ unit: WorkUnit, to key: inout [Int16]) {
        key += [Int16(unit.chunk.first), Int16(-10 - unit.chunk.count)]
        if let suspicion = unit.suspicion { key += [-7, Int16(suspicion.deaths), Int16(suspicion.death)] }
    }

    /// Returns the events that can happen next; `disturbed`: also partly done chunks, failures, leaving and dying.
    func possibleEvents(disturbed: Bool) -> [ScheduleEvent] {
        var events: [ScheduleEvent] = []
        // Workers other than rank 0 differ only in their numbers, so they need to enter in one order only.
        if phases[0] == .absent { events.append(.enter(0)) }
        if let newcomer = phases.dropFirst().firstIndex(of: .absent) { events.append(.enter(newcomer)) }
        // Late workers enter in any order, because some take longer than others to get ready.
        if disturbed { events += phases.indices.filter { phases[$0] == .unexpected }.map { .enter($0) } }
        if setup.extent == .growing || setup.mayGrow, !complete {
            if listed < setup.examples { events += [.extend(1), .extend(setup.examples - listed)] }
            if setup.skips, schedule.tailProbe == nil, listed < setup.examples {
                events += [.skip(1), .skip((setup.examples - listed + 1) / 2)]
            }
            if listed == setup.examples { events.append(.close) }
        }
        if setup.extent == .unbounded, !complete, held.joined().contains(where: { $0.end > setup.examples }) {
            events.append(.length(setup.examples))
        }
        if setup.hasLimit, limit < setup.examples { events += [.limit(limit + 1), .limit(setup.examples)] }
        if setup.hasLimit, limit > 1, disturbed { events.append(.limit(limit / 2)) }
        for (example, now) in account.enumerated() where now.failedOn >= 0 && !now.isRetryable {
            events.append(.retry(example))
        }
        for worker in phases.indices {
            if phases[worker] == .delivering { events.append(.delivered(worker)) }
            // Workers that joined late do not return, nor do those that wanted to leave.
            if phases[worker] == .lost, worker < setup.workers, !retiring.contains(worker), setup.mayReturn, disturbed {
                events.append(.returned(worker))
            }
            if phases[worker] == .returning {
                events.append(.resume(worker))
                for part in 1..<max(2, (former[worker]?.count ?? 0) + 1) where former[worker]?.count ?? 0 > 0 {
                    events.append(.claimed(worker, completed: part))
                }
                if setup.failures != nil, disturbed, former[worker]?.count ?? 0 > 0 {
                    events.append(.failedAfterReturn(worker))
                }
                if disturbed { events += [.leave(worker), .lost(worker)] }
                continue
            }
            for (slot, chunk) in held[worker].enumerated() {
                let doable = chunk.clipped(to: setup.examples).count
                // A worker learns that the list has ended before it reports the rest of its chunk.
                if doable == chunk.count || complete { events.append(.done(worker, slot: slot, completed: doable)) }
                guard disturbed else { continue }
                if setup.hasParts, slot == 0 {
                    for part in 1..<max(1, min(doable + 1, chunk.count)) {
                        events.append(.part(worker, slot: slot, completed: part))
                    }
                }
                for part in 0..<doable {
                    if doable == chunk.count || complete { events.append(.done(worker, slot: slot, completed: part)) }
                    if setup.failures != nil { events.append(.failed(worker, slot: slot, completed: part)) }
                }
            }
            guard disturbed else { continue }
            if setup.halts, !isHalted, worker == 0 { events.append(.halt) }
            if [.active, .delivering, .ended].contains(phases[worker]) {
                events.append(.leave(worker))
                if setup.mayRetire, !retiring.contains(worker) { events.append(.retire(worker)) }
            }
            if phases[worker] != .lost { events.append(.lost(worker)) }
        }
        return events
    }
}

extension ScheduleEvent {
    /// Whether this kind of event is a disturbance: without disturbances, only the other kinds happen.
    func isDisturbance(in harness: ScheduleHarness) -> Bool {
        switch self {
        case .limit(let end): end < harness.limit
        case .leave, .retire, .lost, .returned, .failedAfterReturn, .failed, .halt, .part: true
        case .enter(let worker): worker >= harness.setup.workers
        case .done(let worker, let slot, let completed):
            completed < harness.held[worker][slot].count && harness.held[worker][slot].end <= harness.listed
        default: false
        }
    }
}
