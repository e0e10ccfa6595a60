import CSystem
import Codec
import Engine
import Scheduling
import SystemSupport

extension Job {
    /// Calls `work` with each example, on the next rank that is free, and collects the results on rank 0 in the order of the
    /// examples.
    ///
    /// Every rank must call it. The examples of rank 0 are used; a rank whose own examples differ is sent those of rank 0.
    /// If a rank dies while it works on an example, another rank does the example.
    ///
    ///     let squares = try job.map(1...10) { $0 * $0 }
    ///
    /// - Parameters:
    ///   - examples: the list of examples.
    ///   - retries: how often an example is tried again after `work` has thrown an error.
    ///   - crashLimit: how many ranks may die while working on an example before the example counts as failed; with 0, the first
    ///     rank that dies ends the job.
    ///   - file: the caller's file, for messages.
    ///   - line: the caller's line.
    ///   - work: returns the result of an example; it runs on the calling thread.
    /// - Returns: the results on rank 0, nil on any other.
    /// - Throws: `JobEnd` where an example has failed, or where the job is over.
    public func map<Examples: Collection, Outcome: Codable>(
        _ examples: Examples, retries: Int = 0, crashLimit: Int = 2, file: StaticString = #fileID, line: Int = #line,
        _ work: (Examples.Element) throws -> Outcome
    ) throws -> [Outcome]? where Examples.Element: Codable {
        let policy = FailurePolicy(retries: retries, crashLimit: crashLimit)
        return try loop(over: Array(examples), policy, at: "\(file):\(line)", work)?.map { try $0.get() }
    }

    /// Does the same as `map`, but goes on after an example has failed for good.
    ///
    /// - Returns: on rank 0, for each example its result or the reason why there is none; nil on any other rank.
    /// - Throws: `JobEnd` where the job is over.
    public func mapResults<Examples: Collection, Outcome: Codable>(
        _ examples: Examples, retries: Int = 0, crashLimit: Int = 2, file: StaticString = #fileID, line: Int = #line,
        _ work: (Examples.Element) throws -> Outcome
    ) throws -> [Result<Outcome, ExampleFailure>]? where Examples.Element: Codable {
        let policy = FailurePolicy(continues: true, retries: retries, crashLimit: crashLimit)
        return try loop(over: Array(examples), policy, at: "\(file):\(line)", work)
    }

    private func loop<Example: Codable, Outcome: Codable>(
        over examples: [Example], _ policy: FailurePolicy, at place: String, _ work: (Example) throws -> Outcome
    ) throws -> [Result<Outcome, ExampleFailure>]? {
        let encoded = try Value(encoding: examples).encoded()
        let digest = try encoded.withUnsafeBytes { (bytes) throws(CodecError) in try Digest(of: bytes) }
        let list = LoopList(.list, digest: digest, encoded: isRoot ? encoded : .empty, place: place)
        var options = LoopOptions(results: .stream, examples: .replicated)
        options.failures = policy
        let loop = try client.enterLoop(list, length: examples.count, options: options)
        var rank = MapWork(client: client, loop: loop, examples: examples)
        var results = [Result<Outcome, ExampleFailure>?](repeating: nil, count: isRoot ? examples.count : 0)
        while true {
            switch try client.event(of: loop) {
            case .work(let chunk, let giveBackAfter, _): try rank.work(on: chunk, giveBackAfter: giveBackAfter, work)
            case .list(let encoded, _): rank.examples = try Value(decoding: encoded).decoded()
            case .results(let run): try take(run, into: &results)
            case .failed(let fault):
                guard let example = fault.example, results.indices.contains(example - 1) else { continue }
                results[example - 1] = .failure(ExampleFailure(fault))
            case .needsExamples, .workedOff, .deliver, .returned: continue
            case .end: return isRoot ? results.compactMap { $0 } : nil
            case .halted: throw JobEnd.stopped(status: 5)
            }
        }
    }

    private func take<Outcome: Codable>(
        _ run: ResultRun, into results: inout [Result<Outcome, ExampleFailure>?]
    ) throws {
        try run.results.withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            for place in 0..<run.count {
                results[run.first + place * run.stride] = .success(try Value(reading: &reader).decoded())
            }
        }
    }
}

/// One rank's part of the work in `Job.map`.
private struct MapWork<Example> {
    let client: any RankClient
    let loop: UInt64
    var examples: [Example]

    /// How often to ask whether the job is to stop, in nanoseconds.
    ///
    /// It is not asked more often, because it may take a system call.
    private static var lookInterval: UInt64 { 10_000_000 }
    /// The length, in characters, at which a message cuts an example.
    private static var longestShown: Int { 60 }

    /// Does a chunk and reports on it.
    func work(
        on chunk: Chunk, giveBackAfter: Int64, _ work: (Example) throws -> some Encodable
    ) throws {
        let start = dlp_now()
        let deadline = giveBackAfter > 0 ? start + UInt64(giveBackAfter) : .max
        var (nextLook, reported) = (start, start)
        var rest = chunk
        var completed = 0
        var results = ByteWriter()
        /// The time since the previous report.
        func elapsed() -> UInt64 {
            let now = dlp_now()
            defer { reported = now }
            return now - reported
        }
        while completed < rest.count {
            let now = dlp_now()
            if now >= nextLook {
                nextLook = now + Self.lookInterval
                if try client.isHalted() { break }
            }
            let index = rest.first + completed * rest.stride
            do {
                // The result is made and encoded before anything is written, because a partial result would spoil those
                // before it.
                results.append(try Value(encoding: work(examples[index])).encoded())
                completed += 1
            } catch {
                if let end = error as? JobEnd { throw end }
                try client.post(
                    .failed(
                        loop: loop,
                        ChunkReport(
                            first: rest.first, completed: completed, nanoseconds: elapsed(), results: results.finish()),
                        fault(error, index)))
                rest = rest.dropFirst(completed + 1)
                completed = 0
                results = ByteWriter()
                if rest.count == 0 { return }
            }
            if dlp_now() >= deadline { break }
        }
        try client.post(
            .done(
                loop: loop,
                ChunkReport(
                    first: rest.first, completed: completed, nanoseconds: elapsed(), results: results.finish())))
    }

    private func fault(_ error: any Error, _ index: Int) -> Fault {
        var fault = Fault(
            phase: .work, message: "\(error)", example: index + 1, rank: client.rank, host: HostName.current)
        let shown = "\(examples[index])".visible(keepsLines: false).prefix(Self.longestShown + 1)
        fault.given = shown.count > Self.longestShown ? "\(shown.dropLast())..." : String(shown)
        return fault
    }
}
