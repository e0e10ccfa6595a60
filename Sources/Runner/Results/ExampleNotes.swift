import DLP
import Journal
import Report
import Synchronization

/// The costs of examples, kept until their results are written.
final class ExampleNotes: Sendable {
    private let facts = Mutex<[Int: ExampleFacts]>([:])

    /// Notes the cost of examples that are done; called when the root receives the report.
    func note(_ run: ResultRun, host: String, _ cost: ExampleCost, attempts: Int) {
        var its = ExampleFacts()
        (its.seconds, its.cpu) = (cost.seconds(of: run.count), cost.cpuSeconds(of: run.count))
        (its.peak, its.rank, its.host, its.attempts) = (cost.peak, run.rank, host, attempts)
        its.started = Self.time(before: cost.age)
        facts.withLock { facts in
            for number in 0..<run.count { facts[run.first + number * run.stride] = its }
        }
    }

    /// Notes an example that has failed for good.
    func note(_ fault: Fault) {
        guard let example = fault.example else { return }
        var its = ExampleFacts()
        its.seconds = fault.nanoseconds.map { Double($0) / 1e9 }
        its.cpu = fault.cpu.map { Double($0) / 1e9 }
        (its.peak, its.rank, its.host, its.attempts) = (fault.peak, fault.rank, fault.host, fault.attempts)
        its.started = fault.nanoseconds.map { Self.time(before: $0) }
        facts.withLock { $0[example - 1] = its }
    }

    /// Notes the facts from the journal about the example at `index`, from 0, which an earlier run has done.
    func note(_ its: ExampleFacts, of index: Int) { facts.withLock { $0[index] = its } }

    /// Returns the known facts about the example at `index`, from 0, and removes them.
    func take(_ index: Int) -> ExampleFacts { facts.withLock { $0.removeValue(forKey: index) } ?? ExampleFacts() }

    private static func time(before age: Int64) -> String {
        ExampleFacts.time(WallClock.now - Double(age) / 1e9)
    }
}

extension JournalReader.Record {
    /// The facts in the row, apart from the result.
    var facts: ExampleFacts {
        var facts = ExampleFacts()
        (facts.seconds, facts.cpu, facts.peak, facts.rank) = (seconds, cpu, peak, rank)
        (facts.host, facts.started, facts.attempts) = (host, started, attempts)
        return facts
    }
}
