import Codec
import Scheduling
import SystemSupport

// Ranks that were lost because their connection broke, and come back. What they do counts where no other rank has done
// it or been given it.

extension RootEngine {
    /// Lets a lost rank, which may still live, connect again.
    func awaitReturn(of rank: Int) {
        // A rank that was back and reported nothing new is not awaited again: its connection seems to break whenever
        // something is sent over it, and so would another one.
        guard allowsReturns, end == nil, !isLate(rank), !distrusted.contains(rank), !unprovenRanks.contains(rank),
            hasDeparted[rank], loops[newestLoop]?.allowsReturns ?? false
        else { return }
        awaitedReturns.insert(rank)
        communicator.awaitReturn(of: rank)
    }

    /// A lost rank is connected again.
    func returned(_ rank: Int) {
        guard awaitedReturns.remove(rank) != nil, end == nil, let host = host(of: rank) else {
            return communicator.drop(rank)
        }
        markAsPresent(rank)
        returningRanks.insert(rank)
        unprovenRanks.insert(rank)
        // The first `halt` may have been lost with the connection.
        if isHalted { send(.halt, to: rank) }
        reportWatch?.reported(rank, isIdle: true)
        observer.rankReturned(rank, host: host)
        change(newestLoop) { (loop) throws(ScheduleViolation) in
            guard let rest = try loop.returned(rank) else { return }
            reportWatch?.assigned(rest, to: rank, giveBackAfter: 0, isReady: false)
        }
    }

    /// Handles a message of a rank that has returned and has not yet finished what it had.
    ///
    /// - Returns: whether the message needs no further handling.
    func takeFromReturning(_ message: ToRoot, _ source: Int) -> Bool {
        guard returningRanks.contains(source) else { return false }
        switch message {
        case .done(let loop, let report): takeClaim(report, nil, in: loop, from: source)
        case .failed(let loop, let report, let fault): takeClaim(report, fault, in: loop, from: source)
        case .traces(let loop, let report): observer.examplesWereTraced(report, of: loop, by: source)
        case .resume(let loop, let options, let host): resume(loop, options, host, source)
        case .goodbye, .fault, .exit, .givenUp: return false
        // Messages about what it began before it was lost are ignored.
        case .collective, .enter, .leave, .length, .results, .delivered, .retire: break
        }
        return true
    }

    /// Lets a returned rank take part like any other from now on.
    private func resume(_ number: UInt64, _ options: LoopOptions, _ host: String, _ rank: Int) {
        returningRanks.remove(rank)
        guard let loop = loops[number], options == loop.options else {
            return distrust(rank, "returned to a loop in which it did not take part")
        }
        reportWatch?.reported(rank, isIdle: true)
        note(host: host, of: rank)
        change(loop) { (loop) throws(ScheduleViolation) in try loop.resume(rank) }
    }

    /// Handles a report on all or some of the examples that a returned rank had before it was lost; the example behind
    /// them may have failed.
    private func takeClaim(_ report: ChunkReport, _ fault: Fault?, in number: UInt64, from source: Int) {
        let (results, chunk) = (report.results, Chunk(first: report.first, count: report.completed))
        let isPossible = chunk.isPossible && (fault == nil || Chunk(first: chunk.end, count: 1).isPossible)
        guard isPossible else { return distrust(source, "reported on examples that cannot be") }
        // Results that stay with the rank come when it has finished what it had.
        let count = results.count == 0 ? 0 : chunk.count
        guard let ends = Self.ends(of: count, in: results) else {
            return distrust(source, "reported fewer results than examples")
        }
        change(number) { (loop) throws(ScheduleViolation) in
            let nanoseconds = max(0, report.nanoseconds &- (fault?.nanoseconds ?? 0))
            let runs = count > 0 ? try loop.claimed(source, chunk, nanoseconds: nanoseconds) : []
            for run in runs {
                let place = run.first - chunk.first
                let part = results[(place == 0 ? 0 : ends[place - 1])..<ends[place + run.count - 1]]
                take(run, part, of: report, nanoseconds, from: source, loop)
            }
            if var fault, let verdict = try loop.failedAfterReturn(source, chunk.end) {
                (fault.cpu, fault.peak) = (0, ExampleCost(report).peak)
                recordFailure(chunk.end, verdict, fault, from: source, loop)
            }
            reportWatch?.reported(source, isIdle: !loop.isBusy(source))
        }
    }

    /// Passes on results that count.
    private func take(
        _ run: Chunk, _ results: Bytes, of report: ChunkReport, _ nanoseconds: Int64, from source: Int,
        _ loop: ServedLoop
    ) {
        // Each example counts with an equal part of the time.
        let part = Double(run.count) / Double(report.completed)
        let cost = ExampleCost(
            nanoseconds: ExampleCost.part(part, of: nanoseconds), cpu: ExampleCost.part(part, of: report.cpu),
            peak: report.peak)
        loop.note(cost, of: run)
        noteWork(source, on: run, isFailed: false, cost)
        let found = ResultRun(run, results: results, rank: source)
        if loop.options.results == .stream {
            observer.examplesAreDone(
                found, of: loop.number, host: hosts[source] ?? "unknown", cost: cost, attempts: 1)
        }
        put(found, loop.number)
    }

    /// Returns the end of each of `count` results that stand one after another; nil where there are fewer.
    private static func ends(of count: Int, in results: Bytes) -> [Int]? {
        results.withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            var ends: [Int] = []
            while ends.count < count {
                guard reader.position < bytes.count, (try? reader.skip()) != nil else { return nil }
                ends.append(reader.position)
            }
            return ends
        }
    }
}
