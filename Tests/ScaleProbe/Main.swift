import DLP
import Simulation

/// Simulates jobs, for scripts/bench/scale.
///
/// Each line of standard input is a job, and each line of standard output its outcome.
///
/// A job is a list of words NAME=NUMBER, and shape=DISTRIBUTION, in any order; see `settings`. The outcome is three
/// durations in seconds (the makespan, the least possible makespan, and the time for which the root was busy) and the
/// numbers of chunks, of the root's messages, of ranks that it lost, and of examples that failed for good.
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

/// The job in a line.
private struct Job {
    /// The possible settings and their defaults.
    ///
    /// Durations are in nanoseconds. `ranks`: their number; `example`: the mean duration of an example; `work`: how
    /// long each rank has to work; `chunk`: examples in a chunk (0: adaptive); `hand-out`: the cost of a hand-out in
    /// the schedule's estimate; `message`: how long the root is busy with a message; `delay`: how long a message is
    /// on its way. `slow`: of this number of ranks one is slow (0: none); `slowness`: how many times as long it
    /// takes; `life`: how long a rank lives (0: for ever); `notice`: when its death is noticed. `host`: ranks of a
    /// host with a relay (0: there are none); `hop`: how long a message is on its way to the relay; `relay`: how long
    /// the relay is busy with it; `part`: how long the root is busy with one rank's part of a relay's message.
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

/// A line that is not a job.
private struct UnreadableJob: Error {
    var line: String
}
