@testable import Scheduling

// The consequences of events of workers that were lost and have returned.

extension ScheduleHarness {
    mutating func release(_ worker: Int) {
        for chunk in held[worker] { free(chunk) }
        held[worker] = []
    }

    /// Checks what the schedule keeps for a worker that has returned.
    private mutating func keep(_ worker: Int) throws {
        guard let chunk = schedule.workers[worker].current?.chunk else { return }
        try require(
            chunk.indices.allSatisfy { isFree($0) }, "\(chunk) is kept for worker \(worker), but not there to be kept")
        for example in chunk.indices { account[example].holder = worker }
        held[worker] = [chunk]
    }

    /// Whether no worker has an example that has been handed out.
    private func isFree(_ example: Int) -> Bool { !account[example].isTaken }

    mutating func takeBack(_ worker: Int) throws {
        phases[worker] = .returning
        for example in former[worker]?.indices.map({ $0 }) ?? [] { account[example].deathsAlone = 0 }
        let rest = try schedule.returned(worker)
        try keep(worker)
        try require(rest == held[worker].first, "worker \(worker) is said to go on with \(String(describing: rest))")
    }

    mutating func claim(_ worker: Int, _ completed: Int) throws {
        guard let chunk = former[worker] else { return }
        release(worker)
        former[worker] = chunk.dropFirst(completed)
        let expected = chunk.prefix(completed).indices.filter { isFree($0) }
        for example in expected { account[example] = Example(doer: worker, isSafe: true) }
        let runs = try schedule.claimed(
            worker, chunk.prefix(completed), nanoseconds: cost(of: chunk.prefix(completed)), into: &actions)
        try require(runs.flatMap { $0.indices.map { $0 } } == expected, "\(runs) count of \(chunk), not \(expected)")
        try keep(worker)
    }

    mutating func failAfterReturn(_ worker: Int) throws {
        guard let chunk = former[worker] else { return }
        release(worker)
        former[worker] = chunk.dropFirst(1)
        let example = chunk.first
        var expected: FailureVerdict?
        if isFree(example) {
            account[example].attempts += 1
            (account[example].deaths, account[example].deathsAlone) = (0, 0)
            let tried = account[example].attempts
            let isFinal = tried > (setup.failures?.retries ?? 0)
            if isFinal { account[example].isFailed = true } else { account[example].failedOn = worker }
            expected = isFinal ? .final(attempts: tried) : .retry(attempts: tried)
        }
        let verdict = try schedule.failedAfterReturn(worker, example, into: &actions)
        try require(verdict == expected, "\(String(describing: verdict)) for an example that failed after a return")
        try keep(worker)
    }
}
