import CSystem
import DLP
import LuaHost
import Report

// What a job reports to the page.

extension PageFacts {
    /// The facts that are known before a job begins.
    init(of script: Script, seed: Int64) {
        self.init(title: script.name.description)
        add(arguments: script.arguments, seed: seed)
        others.append(("dlp-lua", Version.current))
    }

    /// Adds the arguments and the seed of the script.
    mutating func add(arguments: [SystemString]?, seed: Int64) {
        if let arguments, !arguments.isEmpty {
            others.append(("Arguments", arguments.map(\.description).joined(separator: " ")))
        }
        others.append(("Seed", "\(seed)"))
    }
}

extension PageFile {
    /// Begins the page of a job with this number of ranks, which began at `beginning`, in nanoseconds of the
    /// monotonic clock.
    func begin(ranks: Int, since beginning: UInt64) {
        let age = Double(dlp_now() - beginning) / 1e9
        begin(ranks: ranks, start: beginning, began: WallClock.now - age)
    }

    /// Adds a rank's report, which has just come: it worked on `chunk` for this number of nanoseconds and held at most
    /// this many bytes of memory.
    ///
    /// The last example of the chunk may have failed.
    func addReport(
        _ chunk: Chunk, isFailed: Bool, rank: Int, host: String, nanoseconds: Int64, memory: Int?
    ) {
        guard chunk.count > 0 else { return }
        let (now, time) = (dlp_now(), UInt64(max(nanoseconds, 0)))
        let last = chunk.first + (chunk.count - 1) * chunk.stride
        addWork(
            PageWork(
                examples: chunk.first + 1...last + 1, count: chunk.count, failed: isFailed ? 1 : 0, nanoseconds: time,
                end: now), rank: rank, host: host)
        if let memory { addCost(rank: rank, host: host, cpu: nil, memory: memory) }
        addLengths(of: time / UInt64(chunk.count), count: chunk.count) { place in
            var example = PageExample(
                number: chunk.first + place * chunk.stride + 1, rank: rank, host: host, end: now,
                nanoseconds: time / UInt64(chunk.count))
            example.together = chunk.count
            example.memory = memory
            return example
        }
    }

    /// Adds an example that has just failed for good.
    func addFailure(_ fault: Fault) {
        var example = PageExample(
            number: fault.example ?? 0, rank: fault.rank, host: fault.host, end: dlp_now(),
            nanoseconds: fault.nanoseconds.map { UInt64(max($0, 0)) })
        (example.loop, example.input) = (fault.loop, fault.given)
        example.memory = fault.peak.map { Int($0) }
        example.failure = PageExample.Failure(
            message: fault.message, traceback: fault.traceback, attempts: fault.attempts)
        addFailure(example)
    }
}
