import DLP

@testable import struct DLP.ManagedSchedule

/// Something that may happen to a schedule.
enum ScheduleEvent: Hashable {
    case enter(Int)
    /// The worker has done the first `completed` examples of its chunk number `slot`.
    case done(Int, slot: Int, completed: Int)
    case leave(Int)
    case lost(Int)
    case extend(Int)
    case close
    case length(Int)
}

/// A rule that a schedule broke.
struct BrokenRule: Error, CustomStringConvertible {
    let description: String
}

/// A schedule together with an independent account of who has and who has done what, which checks every step.
struct ScheduleHarness {
    enum Phase: Int { case absent, active, ended, left, lost }

    struct Setup {
        var extent: ManagedSchedule.Extent
        var workers: Int
        var policy: ChunkPolicy
        var resultsStay: Bool
        /// Nanoseconds per example.
        var cost: Int64
        /// How many examples there will be.
        var examples: Int
    }

    let setup: Setup
    private(set) var schedule: ManagedSchedule
    private(set) var phases: [Phase]
    private(set) var held: [[Chunk]]
    /// For every example the worker that has it, that has done it, or -1.
    private var holder: [Int]
    private var doer: [Int]
    private(set) var listed: Int
    private(set) var complete: Bool
    private var actions: [ScheduleAction] = []

    init(_ setup: Setup) {
        self.setup = setup
        schedule = ManagedSchedule(
            setup.extent, workers: setup.workers, policy: setup.policy, resultsStay: setup.resultsStay)
        phases = Array(repeating: .absent, count: setup.workers)
        held = Array(repeating: [], count: setup.workers)
        holder = Array(repeating: -1, count: setup.examples)
        doer = Array(repeating: -1, count: setup.examples)
        listed = setup.extent == .growing ? 0 : setup.examples
        complete = setup.extent == .known(setup.examples)
    }

    var activeWorkers: [Int] { phases.indices.filter { phases[$0] == .active } }
    var allDone: Bool { complete && doer.allSatisfy { $0 >= 0 } }

    /// Lets `event` happen and checks what the schedule makes of it.
    mutating func apply(_ event: ScheduleEvent) throws {
        actions.removeAll(keepingCapacity: true)
        switch event {
        case .enter(let worker):
            phases[worker] = .active
            try schedule.enter(worker, into: &actions)
        case .done(let worker, let slot, let completed):
            let chunk = held[worker].remove(at: slot)
            free(chunk)
            for example in chunk.first..<(chunk.first + completed) { doer[example] = worker }
            try schedule.done(
                worker, first: chunk.first, completed: completed, nanoseconds: Int64(completed) * setup.cost,
                into: &actions)
        case .leave(let worker):
            drop(worker, as: .left)
            try schedule.leave(worker, into: &actions)
        case .lost(let worker):
            drop(worker, as: .lost)
            if setup.resultsStay { for example in doer.indices where doer[example] == worker { doer[example] = -1 } }
            schedule.lost(worker, keepsResults: !setup.resultsStay, into: &actions)
        case .extend(let count):
            listed += count
            schedule.extend(by: count, into: &actions)
        case .close:
            complete = true
            schedule.close(into: &actions)
        case .length(let count):
            complete = true
            try schedule.lengthBecameKnown(count, into: &actions)
        }
        for action in actions { try check(action) }
        try checkState()
    }

    private mutating func drop(_ worker: Int, as phase: Phase) {
        for chunk in held[worker] { free(chunk) }
        held[worker] = []
        phases[worker] = phase
    }

    private mutating func free(_ chunk: Chunk) {
        for example in chunk.indices where example < holder.count { holder[example] = -1 }
    }

    private mutating func check(_ action: ScheduleAction) throws {
        switch action {
        case .assign(let worker, let chunk, let giveBackAfter):
            try require(phases[worker] == .active, "\(action) for a worker that is \(phases[worker])")
            try require(held[worker].count < 2, "a third chunk: \(action)")
            try require(chunk.count > 0 && chunk.first >= 0, "no examples in \(action)")
            try require(giveBackAfter >= 0, "a negative time in \(action)")
            try require(!complete || chunk.indices.upperBound <= listed, "examples behind the end in \(action)")
            for example in chunk.indices where example < holder.count {
                try require(holder[example] == -1, "example \(example) is with two workers")
                try require(doer[example] == -1, "example \(example) is to be done twice")
                holder[example] = worker
            }
            held[worker].append(chunk)
        case .end(let worker):
            try require(phases[worker] == .active, "\(action) for a worker that is \(phases[worker])")
            try require(held[worker].isEmpty, "\(action) for a worker that has something to do")
            try require(allDone, "\(action) before everything is done")
            phases[worker] = .ended
        }
    }

    private func checkState() throws {
        let done = doer.count { $0 >= 0 }
        let active = phases.count { $0 == .active }
        try require(schedule.doneCount == done, "\(schedule.doneCount) counted as done, not \(done)")
        try require(schedule.finished == (complete && done == listed), "finished is \(schedule.finished)")
        try require(
            schedule.length == (complete ? listed : nil), "the length is \(String(describing: schedule.length))")
        try require(schedule.busyWorkers == held.count { !$0.isEmpty }, "\(schedule.busyWorkers) counted as busy")
        try require(schedule.activeWorkers == active, "\(schedule.activeWorkers) counted as active")
        let taken = holder.indices.count { holder[$0] >= 0 || doer[$0] >= 0 }
        if complete { try require(schedule.handedOut == taken, "\(schedule.handedOut) counted as handed out") }
        for worker in phases.indices {
            let waits = phases[worker] == .active && held[worker].isEmpty
            try require(schedule.isWaiting(worker) == waits, "worker \(worker) waits: \(!waits)")
            try require(
                schedule.outstanding(worker) == held[worker].reduce(0) { $0 + $1.count },
                "worker \(worker) is said to have \(schedule.outstanding(worker)) examples")
            if waits {
                try require(!allDone, "worker \(worker) was not ended")
                try require(taken == listed, "worker \(worker) waits while there is something to do")
            }
        }
        if complete, active > 0 {
            try require(schedule.busyWorkers > 0, "all workers wait for each other")
        }
    }

    private func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
        if !condition { throw BrokenRule(description: rule()) }
    }
}

extension ScheduleHarness {
    /// Everything that decides what can happen from here on; the cost of an example is the same throughout.
    ///
    /// Workers differ in nothing but their numbers, so states that differ only in those are the same.
    var signature: [Int16] {
        var parts: [(worker: Int, key: [Int16])] = []
        for worker in phases.indices {
            var key = [Int16(phases[worker].rawValue), Int16(schedule.workers[worker].previousCount), -3]
            for chunk in held[worker] { append(chunk, to: &key) }
            if setup.resultsStay {
                for example in doer.indices where doer[example] == worker { key.append(Int16(example)) }
            }
            parts.append((worker, key))
        }
        parts.sort { $0.key.lexicographicallyPrecedes($1.key) }
        var key: [Int16] = [Int16(listed), complete ? 1 : 0, schedule.cost.recent == nil ? 0 : 1]
        key.append(Int16(schedule.queue.next))
        for chunk in schedule.queue.returned { append(chunk, to: &key) }
        for part in parts { key += part.key }
        for waiting in schedule.waiting where schedule.isWaiting(waiting) {
            key.append(Int16(parts.firstIndex { $0.worker == waiting } ?? -1))
        }
        return key
    }

    private func append(_ chunk: Chunk, to key: inout [Int16]) {
        key.append(Int16(chunk.first))
        key.append(Int16(-10 - chunk.count))
    }

    /// What can happen next; `disturbed`: also partly done chunks, leaving and dying.
    func possibleEvents(disturbed: Bool) -> [ScheduleEvent] {
        var events: [ScheduleEvent] = []
        // Workers differ in nothing but their numbers, so they need to come in one order only.
        if let newcomer = phases.firstIndex(of: .absent) { events.append(.enter(newcomer)) }
        if setup.extent == .growing, !complete {
            if listed < setup.examples { events += [.extend(1), .extend(setup.examples - listed)] }
            if listed == setup.examples { events.append(.close) }
        }
        if setup.extent == .unbounded, !complete, activeWorkers.contains(where: { meetsEnd($0) }) {
            events.append(.length(setup.examples))
        }
        for worker in phases.indices {
            if phases[worker] == .ended, !allDone { events.append(.enter(worker)) }
            for (slot, chunk) in held[worker].enumerated() {
                let doable = max(0, min(chunk.count, setup.examples - chunk.first))
                // A worker finds out that the list has an end before it reports the rest of its chunk.
                if doable < chunk.count, !complete { continue }
                events.append(.done(worker, slot: slot, completed: doable))
                if disturbed { for part in 0..<doable { events.append(.done(worker, slot: slot, completed: part)) } }
            }
            guard disturbed else { continue }
            if phases[worker] == .active || phases[worker] == .ended { events.append(.leave(worker)) }
            if phases[worker] != .lost { events.append(.lost(worker)) }
        }
        return events
    }

    private func meetsEnd(_ worker: Int) -> Bool { held[worker].contains { $0.indices.upperBound > setup.examples } }
}

extension ScheduleEvent {
    /// Whether nothing but this kind of event happens where nothing goes wrong.
    func isDisturbance(in harness: ScheduleHarness) -> Bool {
        switch self {
        case .leave, .lost: true
        case .done(let worker, let slot, let completed):
            completed < harness.held[worker][slot].count
                && harness.held[worker][slot].indices.upperBound <= harness.listed
        default: false
        }
    }
}
