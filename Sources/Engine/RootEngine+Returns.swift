import Codec
import Scheduling
import SystemSupport

// Ranks that were lost because their connection broke, and come back: what they do counts as far as others have not got it.

extension RootEngine {
    /// A lost rank, which may live, is taken back where it connects again.
    func awaitReturn(of rank: Int) {
        // Where a connection breaks whenever something goes over it, nothing comes of another one.
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
        // It may have been on its way.
        if isHalted { send(.halt, to: rank) }
        reportWatch?.reported(rank, isIdle: true)
        observer.rankReturned(rank, host: host)
        change(newestLoop) { (loop) throws(ScheduleViolation) in
            guard let rest = try loop.returned(rank) else { return }
            reportWatch?.assigned(rest, to: rank, giveBackAfter: 0, isReady: false)
        }
    }

    /// Takes what a rank says that has returned and has not yet come to the end of what it had.
    ///
    /// - Returns: whether that is all that follows from the message.
    func takeFromReturning(_ message: ToRoot, _ source: Int) -> Bool {
        guard returningRanks.contains(source) else { return false }
        switch message {
        case .done(let loop, let report): takeClaim(report, nil, in: loop, from: source)
        case .failed(let loop, let report, let fault): takeClaim(report, fault, in: loop, from: source)
        case .traces(let loop, let report): observer.examplesWereTraced(report, of: loop, by: source)
        case .resume(let loop, let options, let host): resume(loop, options, host, source)
        case .goodbye, .fault, .exit, .givenUp: return false
        // What it began before it was lost.
        case .collective, .enter, .leave, .length, .results, .delivered, .retire: break
        }
        return true
    }

    /// It takes part like any other from now on.
    private func resume(_ number: UInt64, _ options: LoopOptions, _ host: String, _ rank: Int) {
        returningRanks.remove(rank)
        guard let loop = loops[number], options == loop.options else {
            return distrust(rank, "returned to a loop in which it did not take part")
        }
        reportWatch?.reported(rank, isIdle: true)
        note(host: host, of: rank)
        change(loop) { (loop) throws(ScheduleViolation) in try loop.resume(rank) }
    }

    /// It has done what it had before it was lost, or a part of that; the example behind may have failed.
    private func takeClaim(_ report: ChunkReport, _ fault: Fault?, in number: UInt64, from source: Int) {
        let (results, chunk) = (report.results, Chunk(first: report.first, count: report.completed))
        guard chunk.isPossible else { return distrust(source, "reported on examples that cannot be") }
        // Results that stayed with it come when it has come to the end of what it had.
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
        // Each example has its part of the time.
        let part = Double(run.count) / Double(report.completed)
        let took = Int64(Double(nanoseconds) * part)
        let cost = ExampleCost(
            nanoseconds: took, cpu: Int64(Double(max(0, report.cpu)) * part), peak: report.peak)
        loop.note(cost, of: run)
        noteWork(source, on: run, isFailed: false, cost)
        let found = ResultRun(run, results: results, rank: source)
        if loop.options.results == .stream {
            observer.examplesAreDone(
                found, of: loop.number, host: hosts[source] ?? "unknown", cost: cost, attempts: 1)
        }
        put(found, loop.number)
    }

    /// Where each of `count` results ends that stand one after another; nil where there are fewer.
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
