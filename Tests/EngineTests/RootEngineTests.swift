import Codec
import Scheduling
import Simulation
import SystemSupport
import Testing

@testable import Engine

@Suite("The root's engine, with neither threads nor a clock")
struct RootEngineTests {
    private static func options(retries: Int = 0, chunk: Int? = 1) -> LoopOptions {
        var options = LoopOptions(results: .stream, examples: .replicated, chunk: chunk)
        options.failures = FailurePolicy(continues: true, retries: retries, crashLimit: 3)
        return options
    }

    /// Returns the examples that a rank has been given since the last call.
    private func given(_ root: EngineUnderTest, to rank: Int) -> [Int] {
        root.communicator.take().flatMap { sent -> [Int] in
            guard sent.rank == rank, case .assign(_, let chunk, _, _) = sent.message else { return [] }
            return Array(chunk.indices)
        }
    }

    private func done(_ example: Int) -> ToRoot {
        .done(loop: 1, ChunkReport(first: example, completed: 1, nanoseconds: 1_000_000_000, results: Bytes([1])))
    }

    @Test("while it is not known how a rank ended the others are served, and its examples wait, though not for long")
    func unexplainedLoss() {
        let root = EngineUnderTest(ranks: 3)
        root.observer.explanations.update { $0 = [1: .pending] }
        root.enter(0, length: 4, Self.options(), working: false)
        root.enter(1, length: 4, Self.options())
        root.enter(2, length: 4, Self.options())
        #expect(given(root, to: 2) == [1])
        root.engine.lost(1, "it closed its end")
        root.say(done(1), from: 2)
        #expect(given(root, to: 2) == [2])
        root.say(done(2), from: 2)
        #expect(given(root, to: 2) == [3])
        root.say(done(3), from: 2)
        #expect(given(root, to: 2) == [])
        #expect(root.engine.deadline.map { $0 <= root.engine.now + 5_000_000 } == true)
        root.pass(milliseconds: 499)
        #expect(root.observer.losses.withLock { $0 } == [] && given(root, to: 2) == [])
        root.pass(milliseconds: 1)
        #expect(root.observer.losses.withLock { $0 } == ["1 host-1 it closed its end"])
        #expect(given(root, to: 2) == [0])
    }

    @Test("a rank that waited when it was lost is given nothing while it is not known how it ended")
    func unexplainedLossOfIdleRank() {
        let root = EngineUnderTest(ranks: 4)
        root.observer.explanations.update { $0 = [2: .pending, 3: .known("its process was killed")] }
        root.enter(0, length: 3, Self.options(), working: false)
        for rank in 1...3 { root.enter(rank, length: 3, Self.options()) }
        root.say(done(1), from: 2)
        _ = root.communicator.take()
        root.engine.lost(2, "it closed its end")
        root.engine.lost(3, "it closed its end")
        #expect(root.communicator.take().isEmpty)
        root.say(done(0), from: 1)
        #expect(given(root, to: 1) == [2])
        root.say(done(2), from: 1)
        root.pass(milliseconds: 500)
        #expect(root.observer.losses.withLock { $0.count } == 2 && root.engine.end == nil)
        let isEnded = root.communicator.take().contains { sent in
            if sent.rank == 1, case .end = sent.message { true } else { false }
        }
        #expect(isEnded)
    }

    @Test("what the launcher says of a lost rank is told as soon as it comes")
    func explainedLoss() {
        let root = EngineUnderTest(ranks: 2)
        root.observer.explanations.update { $0 = [1: .pending] }
        root.enter(0, length: 4, Self.options(), working: false)
        root.enter(1, length: 4, Self.options())
        root.engine.lost(1, "it closed its end")
        root.pass(milliseconds: 5)
        root.observer.explanations.update { $0 = [1: .known("its process was killed")] }
        root.pass(milliseconds: 5)
        #expect(root.observer.losses.withLock { $0 } == ["1 host-1 its process was killed"])
    }

    @Test(
        "no cost that a rank may name traps, and none is believed that cannot be",
        arguments: [Int64.min, -1, 0, 1, .max])
    func hostileCosts(_ number: Int64) {
        let root = EngineUnderTest(ranks: 2)
        root.enter(0, length: 4, Self.options(chunk: 2), working: false)
        root.enter(1, length: 4, Self.options(chunk: 2))
        for first in [0, 2] {
            var report = ChunkReport(first: first, completed: 1, nanoseconds: 0, results: Bytes([1]))
            (report.nanoseconds, report.cpu, report.peak) = (number, number, number)
            var fault = Fault(phase: .work, message: "no", example: first + 2, rank: 1, host: "h")
            fault.nanoseconds = number
            root.say(.failed(loop: 1, report, fault), from: 1)
        }
        #expect(root.observer.costs.withLock { $0.count } == 2)
        for cost in root.observer.costs.withLock({ $0 }) {
            #expect(cost.nanoseconds >= 0 && cost.cpu >= 0 && cost.age >= 0 && cost.peak.map { $0 > 0 } != false)
            #expect(cost.age == max(number, 0) && cost.peak == (number > 0 ? number : nil))
        }
        #expect(root.engine.progress?.peak == (number > 0 ? number : nil))
        #expect(root.engine.progress?.longest?.nanoseconds ?? 0 >= 0)
    }

    @Test("an example that failed rests until its time has come")
    func retries() {
        let root = EngineUnderTest(ranks: 2)
        root.enter(0, length: 1, Self.options(retries: 1), working: false)
        root.enter(1, length: 1, Self.options(retries: 1))
        #expect(given(root, to: 1) == [0])
        let report = ChunkReport(first: 0, completed: 0, nanoseconds: 1, results: .empty)
        root.say(.failed(loop: 1, report, Fault(phase: .work, message: "no", rank: 1, host: "h")), from: 1)
        let deadline = root.engine.deadline
        #expect(deadline.map { $0 > root.engine.now } == true && given(root, to: 1) == [])
        root.engine.now = deadline ?? 0
        #expect(!root.engine.advance())
        #expect(given(root, to: 1) == [0])
    }

    @Test("a job that is over leaves its main thread some time to end, and is then said to be stuck, once")
    func stuck() {
        let root = EngineUnderTest(ranks: 2)
        root.engine.handle(.end(.interrupted(signal: 2)))
        #expect(!root.pass(milliseconds: 1_999))
        #expect(root.pass(milliseconds: 1))
        #expect(!root.pass(milliseconds: 10_000))
        #expect(root.engine.stop(status: 130).isEarly)
        let last = root.communicator.take().map(\.message)
        guard case .stop(status: 130, isEarly: true)? = last.last else {
            Issue.record("\(last)")
            return
        }
    }

    @Test("whatever ranks do and whichever die, each example's result comes exactly once", arguments: UInt64(0)..<300)
    func walk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (ranks, length) = (2 + random.below(5), random.below(60))
        let root = EngineUnderTest(ranks: ranks)
        let options = Self.options(retries: random.below(3), chunk: random.below(3) == 0 ? nil : 1 + random.below(4))
        root.enter(0, length: length, options, working: false)
        var held = [[Chunk]](repeating: [], count: ranks)
        var living = Set(1..<ranks)
        var (results, failures, ended) = ([Int: Int](), [Int: Int](), Set<Int>())
        for rank in 1..<ranks { root.enter(rank, length: length, options) }
        var isOver = false
        for step in 0..<20_000 where !isOver {
            for (message, rank) in root.communicator.take() where living.contains(rank) {
                switch message {
                case .assign(_, let chunk, _, _): held[rank].append(chunk)
                case .end: ended.insert(rank)
                default: Issue.record("\(message) to \(rank), seed \(seed)")
                }
            }
            while let event = root.nextEvent() {
                switch event {
                case .results(let run):
                    for place in 0..<run.count { results[run.first + place * run.stride, default: 0] += 1 }
                case .failed(let fault): failures[(fault.example ?? 0) - 1, default: 0] += 1
                case .end: isOver = true
                default: Issue.record("\(event), seed \(seed)")
                }
            }
            // The last rank survives, so that the loop can end.
            if living.count > 1, random.below(40) == 0, let rank = living.sorted().randomElement(using: &random) {
                living.remove(rank)
                root.observer.explanations.update {
                    $0[rank] = [.pending, .unknown, .known("killed")][random.below(3)]
                }
                root.engine.lost(rank, "it closed its end")
            } else if let rank = living.sorted().filter({ !held[$0].isEmpty }).randomElement(using: &random) {
                work(root, rank, &held[rank], &random)
            }
            root.pass(milliseconds: UInt64(random.below(30)))
            #expect(step < 19_999, "seed \(seed) does not end")
        }
        #expect(root.engine.end == nil, "seed \(seed)")
        #expect(living.isSubset(of: ended), "seed \(seed)")
        #expect((results.keys.sorted() + failures.keys.sorted()).sorted() == Array(0..<length), "seed \(seed)")
        #expect((Array(results.values) + Array(failures.values)).allSatisfy { $0 == 1 }, "seed \(seed)")
    }

    /// Lets a rank do some of its first chunk: a part, all of it, or it gives back the rest or fails on an example.
    private func work(
        _ root: EngineUnderTest, _ rank: Int, _ held: inout [Chunk], _ random: inout SeededGenerator
    ) {
        let chunk = held[0]
        let completed = random.below(chunk.count + 1)
        var report = ChunkReport(
            first: chunk.first, completed: completed, nanoseconds: UInt64(random.below(1_000_000_000)),
            results: Bytes([UInt8](repeating: 1, count: completed)))
        let rest = chunk.dropFirst(completed)
        switch random.below(6) {
        case 0 where rest.count > 0:
            root.say(.failed(loop: 1, report, Fault(phase: .work, message: "no", rank: rank, host: "h")), from: rank)
            held[0] = rest.dropFirst(1)
            if rest.count == 1 { held.removeFirst() }
        case 1, 2:
            guard completed > 0, rest.count > 0 else { return }
            report.goesOn = true
            root.say(.done(loop: 1, report), from: rank)
            held[0] = rest
        default:
            root.say(.done(loop: 1, report), from: rank)
            held.removeFirst()
        }
    }

    @Test("it says what each rank is at work on, and since when, as it learns of it")
    func states() {
        let root = EngineUnderTest(ranks: 4)
        func activities() -> [RankState.Activity] { root.engine.rankStates.map(\.activity) }
        #expect(activities() == Array(repeating: .isElsewhere, count: 4))
        root.enter(0, length: 5, Self.options(chunk: 2), working: false)
        let start = root.engine.now
        root.enter(1, length: 5, Self.options(chunk: 2))
        root.pass(milliseconds: 10)
        root.enter(2, length: 5, Self.options(chunk: 2))
        let later = root.engine.now
        #expect(
            activities() == [
                .hasFinished, .works(Chunk(first: 0, count: 2), since: start),
                .works(Chunk(first: 2, count: 2), since: later), .isElsewhere,
            ])
        root.pass(milliseconds: 10)
        root.say(done(0), from: 1)
        #expect(activities()[1] == .works(Chunk(first: 1, count: 1), since: root.engine.now))
        root.say(done(1), from: 1)
        root.say(done(4), from: 1)
        root.pass(milliseconds: 10)
        #expect(activities()[1] == .waits && activities()[2] == .works(Chunk(first: 2, count: 2), since: later))
        root.engine.lost(2, "it closed its end")
        #expect(activities()[2] == .isLost)
        // One at a time, because one of them may be the reason.
        #expect(activities()[1] == .works(Chunk(first: 2, count: 1), since: root.engine.now))
        #expect(root.engine.rankStates.map(\.host) == ["host-0", "host-1", "host-2", nil])
    }
}
