import DLP
import Simulation

/// Simulates jobs, for scripts/bench/scale: a line of standard input is a job, a line of standard output how it went.
///
/// A job is words NAME=NUMBER, and shape=DISTRIBUTION, in any order; see `settings`. What comes out are three durations in
/// seconds, the makespan, the least that was possible and the time for which the root was busy, and the numbers of chunks,
/// of the root's messages, of ranks that it lost, and of examples that failed for good.
@main
struct Main {
    static func main() throws {
        while let line = readLine() {
            let outcome = try run(Job(line))
            let seconds = [outcome.makespan, outcome.bound, outcome.rootBusy].map { String(Double($0) / 1e9) }
            let counts = [outcome.chunks, outcome.messages, outcome.lost, outcome.failed].map { String($0) }
            print((seconds + counts).joined(separator: " "))
        }
    }

    private static func run(_ job: Job) throws -> ScheduleSimulator.Outcome {
        var simulator = ScheduleSimulator(ranks: Int(job["ranks"]))
        simulator.policy = ChunkPolicy(
            job["chunk"] > 0 ? .fixed(Int(job["chunk"])) : .adaptive, handOutCost: job["hand-out"])
        simulator.messageCost = job["message"]
        simulator.delay = job["delay"]
        simulator.failures = FailurePolicy(continues: true, crashLimit: 2)
        simulator.stragglers = .init(every: Int(job["slow"]), slowness: job["slowness"])
        simulator.deaths = .init(meanLife: Double(job["life"]), notice: job["notice"])
        if job["host"] > 0 {
            simulator.relays = .init(
                ranksPerHost: Int(job["host"]), hop: job["hop"], cost: job["relay"], partCost: job["part"])
        }
        let mean = Double(job["example"])
        let count = Int(Double(job["work"]) / mean) * simulator.ranks
        let period = job.shape == .constant ? 1 : min(count, 1 << 20)
        return try simulator.run(ExampleCosts(repeating: job.shape.costs(period, mean: mean), count: count))
    }
}

/// What a line says.
private struct Job {
    /// What may be said, and what holds where it is not.
    ///
    /// Durations are in nanoseconds. Ranks; how long an example takes on average, and how long each rank has to work; examples
    /// in a chunk (0: adaptive), and what the schedule takes a hand-out to cost; how long the root is busy with a message, and
    /// how long one is under way. Of so many ranks one is slow (0: none), and takes so many times as long; how long a rank
    /// lives (0: for ever), and when its death is noticed. Ranks of a host that has a relay (0: there are none), how long a
    /// word is under way to it and how long it is busy with that, and how long the root is with what a rank says in a relay's
    /// message.
    private static let settings: [Substring: Int64] = [
        "ranks": 1, "example": 1_000_000, "work": 1_000_000_000, "chunk": 0, "hand-out": 20_000, "message": 10_000,
        "delay": 50_000, "slow": 0, "slowness": 1, "life": 0, "notice": 0, "host": 0, "hop": 0, "relay": 0, "part": 0,
    ]

    private var numbers = Job.settings
    private(set) var shape = CostDistribution.constant

    init(_ line: String) throws {
        for word in line.split(separator: " ") {
            let parts = word.split(separator: "=")
            guard parts.count == 2 else { throw UnreadableJob(line: line) }
            if parts[0] == "shape", let shape = CostDistribution(rawValue: String(parts[1])) {
                self.shape = shape
            } else if numbers[parts[0]] != nil, let number = Int64(parts[1]) {
                numbers[parts[0]] = number
            } else {
                throw UnreadableJob(line: line)
            }
        }
    }

    subscript(name: Substring) -> Int64 { numbers[name] ?? 0 }
}

/// A line that is no job.
private struct UnreadableJob: Error {
    var line: String
}
