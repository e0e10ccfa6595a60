import FaultRelay
import Simulation

/// A small job and the faults in it, determined by a seed and a number.
struct ChaosPlan {
    /// The way in which the ranks are started.
    enum Start: String, CaseIterable {
        case ameexec
        case np
        /// By ameexec, each worker connected through a relay.
        case relay
    }

    /// The kind of the script.
    enum Form: Equatable {
        /// A job in this mode.
        case job(mode: String)
        /// An imperative script with this loop.
        case loop(String)

        var isJob: Bool { if case .job = self { true } else { false } }
    }

    /// What happens to the results of a job.
    enum Sink: Equatable {
        case lines, summarize, collect
        /// `collect` sees the results in order, and has enough at this example or the first successful one after it.
        case enough(Int)
    }

    var start: Start
    var form: Form
    var sink: Sink
    var ranks: Int
    var examples: Int
    /// The longest time that an example takes, in milliseconds.
    var cost: Int
    /// Every example whose index is a multiple of this fails; 0: none.
    var failing: Int
    var chunk: Int?
    var rootWorks: Bool
    var sendsExamples: Bool
    var continues: Bool
    var retries: Int
    var crashLimit: Int
    var hasJournal: Bool
    /// The largest number of bytes that a relay passes on at once.
    var piece: Int
    var faults: [ChaosFault]
    /// How long an example may take, in seconds.
    var timeout: Int?
    /// Damage to the journal before the job goes on from it.
    var damage: ChaosDamage?
    /// The option for a journal that exists already.
    var policy: String?

    /// The plan of a job.
    init(seed: UInt64, job: Int) {
        var random = SeededGenerator(seed: seed &+ UInt64(job) &* 0xD134_2543_DE82_EF95)
        start = Start.allCases.randomElement(using: &random) ?? .ameexec
        let modes = ["map", "managed", "round-robin"]
        let loops = ["split_managed", "map_unordered", "split_round_robin"]
        form =
            Int.random(in: 0..<5, using: &random) == 0
            ? .loop(loops.randomElement(using: &random) ?? "") : .job(mode: modes.randomElement(using: &random) ?? "")
        sink = [.lines, .summarize, .collect].randomElement(using: &random) ?? .lines
        ranks = .random(in: 2...6, using: &random)
        examples = .random(in: 30...150, using: &random)
        cost = [0, 3, 6, 9].randomElement(using: &random) ?? 0
        continues = .random(using: &random)
        let mayFail = continues && form.isJob && .random(using: &random)
        failing = mayFail ? .random(in: 7...20, using: &random) : 0
        chunk = .random(using: &random) ? nil : .random(in: 1...12, using: &random)
        rootWorks = Int.random(in: 0..<4, using: &random) > 0
        sendsExamples = Int.random(in: 0..<4, using: &random) == 0
        retries = .random(in: 0...2, using: &random)
        crashLimit = [1, 2, 2, 99].randomElement(using: &random) ?? 2
        hasJournal = .random(using: &random)
        piece = [1, 7, 1 << 16].randomElement(using: &random) ?? 1
        faults = []
        // A rank that works must survive.
        let most = rootWorks ? ranks - 1 : ranks - 2
        var victims = Array(1..<ranks).shuffled(using: &random).prefix(.random(in: min(1, most)...most, using: &random))
        while let victim = victims.popFirst() { faults.append(deadlyFault(victim, &random)) }
        for _ in 0..<Int.random(in: 0...2, using: &random) { faults.append(harmlessFault(&random)) }
        faults.shuffle(using: &random)
        if Int.random(in: 0..<5, using: &random) == 0 {
            let victim: ChaosFault.Victim = Int.random(in: 0..<3, using: &random) == 0 ? .launcher : .rank(0)
            let kind: ChaosFault.Kind = .random(using: &random) ? .kill : .pauseAndKill(40)
            faults.append(ChaosFault(victim: victim, kind: kind, moment: moment(&random)))
        }
        faults.sort { $0.moment < $1.moment }
    }

    private func deadlyFault(_ victim: Int, _ random: inout SeededGenerator) -> ChaosFault {
        var kinds: [ChaosFault.Kind] = [.kill, .kill, .pauseAndKill(.random(in: 1...80, using: &random))]
        if start == .relay { kinds += [.cut(.close), .cut(.reset), .cut(.reset)] }
        return ChaosFault(
            victim: .rank(victim), kind: kinds.randomElement(using: &random) ?? .kill, moment: moment(&random))
    }

    private func harmlessFault(_ random: inout SeededGenerator) -> ChaosFault {
        let length = Int.random(in: 1...150, using: &random)
        let rank = Int.random(in: -1..<ranks, using: &random)
        let isHold = start == .relay && rank > 0 && .random(using: &random)
        return ChaosFault(
            victim: rank < 0 ? .launcher : .rank(rank), kind: isHold ? .hold(length) : .pause(length),
            moment: moment(&random))
    }

    func moment(_ random: inout SeededGenerator) -> ChaosFault.Moment {
        // One fault in eight comes while the ranks still meet.
        if Int.random(in: 0..<8, using: &random) == 0 {
            return .started(milliseconds: .random(in: 0...60, using: &random))
        }
        return .begun(
            .random(in: 1...examples * 3 / 4, using: &random), milliseconds: .random(in: 0...5, using: &random))
    }

    /// The words of the command line before the script.
    var options: [String] {
        guard case .job(let mode) = form else { return ["--root-works", rootWorks ? "yes" : "no"] }
        var words = ["--mode", mode, "--crash-limit", "\(crashLimit)", "--retries", "\(retries)"]
        if continues { words += ["--on-error", "continue"] }
        if let chunk { words += ["--chunk", "\(chunk)"] }
        if !rootWorks { words += ["--root-works", "no"] }
        if sendsExamples { words += ["--examples", "root"] }
        if hasJournal { words += ["--journal", "run.db"] }
        if let policy { words += [policy] }
        if let timeout { words += ["--timeout", "\(timeout)"] }
        return words
    }

    /// Whether the job keeps a journal.
    var keepsJournal: Bool { hasJournal && options.contains("--journal") }

    /// Whether a rank may be lost before the job can do without it.
    var hasEarlyFaults: Bool {
        faults.contains { fault in
            if case .started = fault.moment { fault.kind.isDeadly } else { false }
        }
    }
}

extension ChaosFault.Moment: Comparable {
    static func < (left: Self, right: Self) -> Bool { left.place < right.place }

    private var place: (Int, Int) {
        switch self {
        case .listening: (-1, 0)
        case .started(let milliseconds): (0, milliseconds)
        case .begun(let count, let milliseconds): (count, milliseconds)
        }
    }
}
