import Glibc
import Simulation

/// Faults that take long or need a special job: only `scripts/chaos` uses them.
extension ChaosPlan {
    private enum Rarity: CaseIterable {
        case failingCall, signal, stop, damage
    }

    /// Creates the plan of a job that may suffer more than processes and connections that break.
    ///
    /// - Parameter hasRareFaults: whether it may; otherwise the plan is the usual one.
    init(seed: UInt64, job: Int, hasRareFaults: Bool) {
        self.init(seed: seed, job: job)
        guard hasRareFaults else { return }
        var random = SeededGenerator(seed: ~seed &+ UInt64(job) &* 0xA24B_AED4_963E_E407)
        addFaults(&random)
        // A job that ends early may be over before a stopped rank is missed.
        if Int.random(in: 0..<6, using: &random) == 0, !faults.contains(where: \.isStop) {
            makeJob(&random)
            sink = .enough(.random(in: examples / 4...examples, using: &random))
        }
    }

    private mutating func addFaults(_ random: inout SeededGenerator) {
        guard Int.random(in: 0..<8, using: &random) >= 3 else { return }
        switch Rarity.allCases.randomElement(using: &random) ?? .damage {
        case .failingCall: addFailingCall(&random)
        case .signal: addSignal(&random)
        case .stop: addStop(&random)
        case .damage: addDamage(&random)
        }
    }

    /// Returns a random victim: the root and the launcher are each as likely as all workers together.
    private func anybody(_ random: inout SeededGenerator) -> ChaosFault.Victim {
        [.launcher, .rank(0), .rank(.random(in: 1..<ranks, using: &random))].randomElement(using: &random) ?? .launcher
    }

    private mutating func addFailingCall(_ random: inout SeededGenerator) {
        faults.removeAll { $0.kind.isDeadly }
        let isInterrupted = Int.random(in: 0..<4, using: &random) == 0
        // Small numbers are calls during the start; the largest exceed the number of calls of some jobs.
        let number = Int.random(in: 1...(1 << Int.random(in: 3...10, using: &random)), using: &random)
        faults.append(
            ChaosFault(
                victim: anybody(&random), kind: .failingCall(number, isInterrupted: isInterrupted),
                moment: .started(milliseconds: 0)))
    }

    private mutating func addSignal(_ random: inout SeededGenerator) {
        faults = []
        let victim: ChaosFault.Victim = .random(using: &random) ? .launcher : .rank(0)
        let delay = Int.random(in: 0...(1 << Int.random(in: 4...16, using: &random)), using: &random)
        let moment: ChaosFault.Moment =
            Int.random(in: 0..<4, using: &random) == 0
            ? .started(milliseconds: delay % 20) : .listening(microseconds: delay)
        faults.append(
            ChaosFault(victim: victim, kind: .signal(.random(using: &random) ? SIGINT : SIGTERM), moment: moment))
    }

    private mutating func addStop(_ random: inout SeededGenerator) {
        makeJob(&random)
        faults.removeAll { $0.kind.isDeadly }
        timeout = 2
        if ranks == 2 { rootWorks = true }
        // With a fixed chunk, a rank may use the time limit for each example of the chunk.
        chunk = .random(using: &random) ? nil : 1
        // Shares are fixed too, and may be of any length.
        if form == .job(mode: "round-robin") { form = .job(mode: "managed") }
        let begun = Int.random(in: 0..<3, using: &random) == 0 ? examples : Int.random(in: 1...examples, using: &random)
        let seconds = Int.random(in: 0..<3, using: &random) == 0 ? Int.random(in: 1...14, using: &random) : nil
        let victim = ChaosFault.Victim.rank(.random(in: 1..<ranks, using: &random))
        // Other faults must not make the stopped victim go on.
        faults.removeAll { $0.victim == victim }
        faults.append(
            ChaosFault(
                victim: victim, kind: .stop(seconds: seconds),
                moment: .begun(begun, milliseconds: .random(in: 0...5, using: &random))))
        faults.sort { $0.moment < $1.moment }
    }

    private mutating func addDamage(_ random: inout SeededGenerator) {
        makeJob(&random)
        hasJournal = true
        damage = ChaosDamage(&random)
        faults.removeAll { $0.endsJob }
        let victim: ChaosFault.Victim = .random(using: &random) ? .launcher : .rank(0)
        let kinds: [ChaosFault.Kind] = [.kill, .kill, .signal(SIGINT), .signal(SIGTERM)]
        let kind = kinds.randomElement(using: &random) ?? .kill
        faults.append(ChaosFault(victim: victim, kind: kind, moment: moment(&random)))
        faults.sort { $0.moment < $1.moment }
    }

    private mutating func makeJob(_ random: inout SeededGenerator) {
        guard !form.isJob else { return }
        form = .job(mode: ["map", "managed", "round-robin"].randomElement(using: &random) ?? "map")
    }
}
