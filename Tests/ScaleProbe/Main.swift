import DLP
import Simulation

/// Simulates jobs, for scripts/bench/scale: a line of standard input is a job, a line of standard output how it went.
///
/// A job is RANKS EXAMPLE SECONDS CHUNK MESSAGE DELAY DISTRIBUTION: how long an example takes on average, how long each
/// rank has to work, how many examples a chunk has (0: adaptive), how long the root is busy with a message and how long
/// one is under way. Durations but SECONDS are in nanoseconds. What comes out are three durations in seconds, the makespan,
/// the least that was possible and the time for which the root was busy, and the number of chunks.
@main
struct Main {
    static func main() throws {
        while let line = readLine() {
            let fields = line.split(separator: " ")
            let numbers = fields.compactMap { Int64($0) }
            guard fields.count == 7, numbers.count == 6,
                let distribution = CostDistribution(rawValue: String(fields[6]))
            else { throw UnreadableJob(line: line) }
            let outcome = try run(numbers, distribution)
            let seconds = [outcome.makespan, outcome.bound, outcome.rootBusy].map { String(Double($0) / 1e9) }
            print(seconds.joined(separator: " "), outcome.chunks)
        }
    }

    private static func run(
        _ numbers: [Int64], _ distribution: CostDistribution
    ) throws -> ScheduleSimulator.Outcome {
        var simulator = ScheduleSimulator(ranks: Int(numbers[0]))
        if numbers[3] > 0 { simulator.policy = .fixed(Int(numbers[3])) }
        simulator.messageCost = numbers[4]
        simulator.delay = numbers[5]
        let count = Int(Double(numbers[2]) * 1e9 / Double(numbers[1])) * simulator.ranks
        let period = distribution == .constant ? 1 : min(count, 1 << 20)
        let costs = distribution.costs(period, mean: Double(numbers[1]))
        return try simulator.run(ExampleCosts(repeating: costs, count: count))
    }
}

/// A line that is no job.
private struct UnreadableJob: Error {
    var line: String
}
