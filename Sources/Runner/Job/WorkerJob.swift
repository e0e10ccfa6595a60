import DLP
import LuaHost

/// A worker's part in a job.
struct WorkerJob {
    let port: any Port
    let host: LuaHost
    let plan: JobPlan

    func run() throws {
        switch plan.settings.mode {
        case .map: try runMap()
        case .managed: try runManaged()
        case .roundRobin: try runRoundRobin()
        }
    }

    /// Results go to the root with each chunk.
    private func runMap() throws {
        let loop = try port.enterLoop(length: plan.agreement.count, options: plan.loopOptions)
        var setup = Setup(host)
        while case .work(let chunk, let giveBackAfter, let sent) = try port.event(of: loop) {
            try setup.runOnce()
            let outcome = try work(chunk, giveBackAfter, sent)
            try port.finish(
                loop, first: chunk.first, completed: outcome.completed, nanoseconds: outcome.nanoseconds,
                results: outcome.results)
        }
    }

    /// Results stay here until there is nothing left to do anywhere.
    private func runManaged() throws {
        let loop = try port.enterLoop(length: plan.agreement.count, options: plan.loopOptions)
        var setup = Setup(host)
        var runs: [ResultRun] = []
        while case .work(let chunk, let giveBackAfter, let sent) = try port.event(of: loop) {
            try setup.runOnce()
            let outcome = try work(chunk, giveBackAfter, sent)
            runs.append(
                ResultRun(
                    first: chunk.first, count: outcome.completed, results: outcome.results, rank: port.rank))
            try port.finish(
                loop, first: chunk.first, completed: outcome.completed, nanoseconds: outcome.nanoseconds,
                results: .empty)
        }
        for run in runs { try port.deliver(loop, run) }
    }

    /// Every rank knows what is its own.
    private func runRoundRobin() throws {
        let loop = port.nextLoop()
        var share = RoundRobinShare(rank: port.rank, settings: plan.settings, size: port.size)
        let sent = plan.isSent ? try share.receive(port) : nil
        let count = share.count(of: plan.agreement.count)
        guard count > 0 else { return }
        var setup = Setup(host)
        try setup.runOnce()
        let outcome = try host.work(
            first: share.first, count: count, stride: share.stride, of: plan.examples, sent: sent)
        try port.deliver(
            loop,
            ResultRun(
                first: share.first, count: count, stride: share.stride, results: outcome.results, rank: port.rank))
    }

    private func work(_ chunk: Chunk, _ giveBackAfter: Int64, _ sent: Bytes) throws -> ChunkOutcome {
        try host.work(
            first: chunk.first, count: chunk.count, of: plan.examples, sent: plan.isSent ? sent : nil,
            giveBackAfter: giveBackAfter)
    }
}

/// Calls the script's `setup()` before the first example of a rank.
struct Setup {
    private let host: LuaHost
    private var isDone = false

    init(_ host: LuaHost) { self.host = host }

    /// - Throws: `PhaseError` where `setup()` raises.
    mutating func runOnce() throws {
        guard !isDone else { return }
        isDone = true
        host.seedRandom(index: 0)
        do { try host.callIfPresent("setup") } catch { throw PhaseError(phase: .setup, error: error) }
    }
}

/// A script's error, with the part of the job in which it happened.
struct PhaseError: Error {
    var phase: Fault.Phase
    var error: ScriptError
    /// The example at work, counted from 1.
    var example: Int?
}

/// A rank's examples in mode `round-robin`: `first`, `first + stride`, ...
struct RoundRobinShare {
    let first: Int
    let stride: Int
    private let isIdle: Bool
    private var total: Int?

    init(rank: Int, settings: JobSettings, size: Int) {
        // A root that does not work leaves its turn to the others.
        stride = settings.rootWorks ? size : size - 1
        first = settings.rootWorks ? rank : rank - 1
        isIdle = first < 0
    }

    /// How many examples of `total` are this rank's.
    func count(of total: Int?) -> Int {
        guard !isIdle, let total = total ?? self.total, total > first else { return 0 }
        return (total - first + stride - 1) / stride
    }

    /// Receives this rank's examples from the root: how many there are in all, and the encoded ones.
    mutating func receive(_ port: any Port) throws -> Bytes {
        let part = try port.scatter([])
        let head = part.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
        total = Int(UInt64(littleEndian: head))
        return part[8..<part.count]
    }

    /// What `receive` takes apart.
    static func part(total: Int, examples: [Bytes]) -> Bytes {
        var writer = ByteWriter()
        writer.append(littleEndian: UInt64(total))
        for example in examples { writer.append(example) }
        return writer.finish()
    }
}
