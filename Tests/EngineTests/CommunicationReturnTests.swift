import Codec
import Scheduling
import SystemSupport
import TestSupport
import Testing

@testable import Engine

@Suite("Ranks that were lost and come back")
struct CommunicationReturnTests {
    private func options(_ results: LoopOptions.Results = .stream, chunk: Int = 1) -> LoopOptions {
        var options = LoopOptions(results: results, examples: .replicated, chunk: chunk)
        options.failures = FailurePolicy(continues: true, crashLimit: 2)
        return options
    }

    /// A root that observes its loop 1 over `length` examples, in which all workers have begun.
    private func root(workers: Int, length: Int, _ options: LoopOptions) throws -> RootUnderTest {
        let root = try RootUnderTest(workers: workers)
        root.client.allowReturns()
        _ = try root.client.enterLoop(length: length, options: options, working: false)
        for rank in 1...workers { try enter(root, rank, length, options) }
        return root
    }

    private func enter(_ root: RootUnderTest, _ rank: Int, _ length: Int, _ options: LoopOptions) throws {
        try root.send(.entry(length: length, options, host: "host-\(rank)"), from: rank)
    }

    /// Reports that a rank has finished what it had before it was lost.
    private func resume(_ root: RootUnderTest, _ rank: Int, _ options: LoopOptions) throws {
        try root.send(Message(toRoot: .resume(loop: 1, options, host: "host-\(rank)")), from: rank)
    }

    /// Reports examples as done, with a duration so long that none is handed out in advance.
    private func done(
        _ root: RootUnderTest, _ rank: Int, _ first: Int, _ results: [UInt8], count: Int? = nil
    ) throws {
        try root.send(
            Message(
                .done, operation: 1, first: first, count: count ?? results.count, extra: 1_000_000_000,
                body: Bytes(results)), from: rank)
    }

    /// Breaks the connection of a rank, and waits until the root notices it.
    private func lose(_ root: RootUnderTest, _ rank: Int) {
        root.workers[rank - 1].close(until: nil)
        #expect(
            root.observer.losses.wait(until: soon()) { $0.contains { $0.hasPrefix("\(rank) ") } ? true : nil } != nil)
    }

    private func comeBack(_ root: RootUnderTest, _ rank: Int) {
        root.workers[rank - 1].comeBack()
        #expect(root.observer.comings.wait(until: soon()) { $0.contains("=\(rank) host-\(rank)") ? true : nil } != nil)
    }

    /// Returns the results that the root's main thread gets until the loop ends, by example.
    private func results(_ root: RootUnderTest) throws -> [Int: [[UInt8]]] {
        var found: [Int: [[UInt8]]] = [:]
        while true {
            switch try root.client.event(of: 1) {
            case .results(let run):
                for place in 0..<run.count { found[run.first + place, default: []].append([run.results.array[place]]) }
            case .end: return found
            default: continue
            }
        }
    }

    @Test("what it has done meanwhile counts, and it gets more to do")
    func counts() throws {
        let root = try root(workers: 2, length: 5, options())
        _ = try (root.next(1), root.next(2))
        lose(root, 2)
        comeBack(root, 2)
        // The example on which the rank was at work is kept for it.
        try done(root, 1, 0, [10])
        #expect(try root.next(1)?.first == 2)
        try done(root, 2, 1, [11])
        try resume(root, 2, options())
        #expect(try root.next(2)?.first == 3)
        try done(root, 2, 3, [13])
        #expect(try root.next(2)?.first == 4)
        try done(root, 2, 4, [14])
        try done(root, 1, 2, [12])
        #expect(try results(root) == [0: [[10]], 1: [[11]], 2: [[12]], 3: [[13]], 4: [[14]]])
    }

    @Test("what another has been given meanwhile does not count, and nobody is blamed")
    func isLate() throws {
        let root = try root(workers: 2, length: 2, options())
        _ = try (root.next(1), root.next(2))
        lose(root, 2)
        try done(root, 1, 0, [10])
        #expect(try root.next(1)?.first == 1)
        comeBack(root, 2)
        try done(root, 2, 1, [23])
        try resume(root, 2, options())
        try done(root, 1, 1, [11])
        #expect(try root.next(2)?.kind == .end)
        #expect(try results(root) == [0: [[10]], 1: [[11]]])
    }

    @Test("of a chunk that others have got a part of the rest counts")
    func parts() throws {
        let root = try root(workers: 2, length: 8, options(chunk: 4))
        #expect(try root.next(1)?.first == 0)
        #expect(try root.next(2)?.first == 4)
        lose(root, 2)
        try done(root, 1, 0, [10, 11, 12, 13])
        // One at a time, because one of them may have caused the rank's death.
        #expect(try root.next(1)?.first == 4)
        comeBack(root, 2)
        try done(root, 2, 4, [23, 15, 16, 17])
        try resume(root, 2, options(chunk: 4))
        try done(root, 1, 4, [14])
        #expect(try results(root).values.allSatisfy { $0.count == 1 && $0[0][0] < 20 })
    }

    @Test("results that had stayed with it count where nobody else has made them")
    func stay() throws {
        let root = try root(workers: 2, length: 4, options(.stay))
        _ = try (root.next(1), root.next(2))
        try done(root, 2, 1, [], count: 1)
        #expect(try root.next(2)?.first == 2)
        lose(root, 2)
        try done(root, 1, 0, [], count: 1)
        let mine = try #require(try root.next(1)).first
        comeBack(root, 2)
        for (first, result) in [(1, UInt8(1)), (2, 2)] { try done(root, 2, first, [first == mine ? 9 : result]) }
        try resume(root, 2, options(.stay))
        #expect(try root.next(2)?.first == 3)
        try done(root, 2, 3, [], count: 1)
        try done(root, 1, Int(mine), [], count: 1)
        for (rank, runs) in [(1, [(0, UInt8(0)), (Int(mine), UInt8(mine))]), (2, [(3, UInt8(3))])] {
            #expect(try root.next(rank)?.kind == .deliver)
            for (first, result) in runs {
                try root.send(
                    Message(.results, operation: 1, first: first, count: 1, extra: 1, body: Bytes([result])), from: rank
                )
            }
            try root.send(Message(.delivered, operation: 1), from: rank)
        }
        #expect(try results(root) == [0: [[0]], 1: [[1]], 2: [[2]], 3: [[3]]])
    }

    @Test("an example that fails after the return fails as any other")
    func fails() throws {
        let root = try root(workers: 1, length: 1, options())
        _ = try root.next(1)
        lose(root, 1)
        // No other rank is there, so the job is over; with another rank it is not.
        #expect(root.fault().contains("every rank that could work on it has died"))
        let other = try self.root(workers: 2, length: 2, options())
        _ = try (other.next(1), other.next(2))
        lose(other, 2)
        comeBack(other, 2)
        let fault = Fault(phase: .work, message: "no", rank: 2, host: "host-2")
        try other.send(Message(.failed, operation: 1, first: 1, count: 0, body: fault.encoded), from: 2)
        try resume(other, 2, options())
        try done(other, 1, 0, [10])
        var failures: [Int?] = []
        while true {
            switch try other.client.event(of: 1) {
            case .failed(let fault): failures.append(fault.example)
            case .end:
                #expect(failures == [2])
                return
            default: continue
            }
        }
    }

    @Test("any duration of a rank that is back is taken", arguments: [UInt64.max, UInt64(Int64.max), 0])
    func durations(nanoseconds: UInt64) throws {
        let root = try root(workers: 2, length: 2, options())
        _ = try (root.next(1), root.next(2))
        lose(root, 2)
        comeBack(root, 2)
        let report = ChunkReport(
            first: 1, completed: 1, nanoseconds: nanoseconds, cpu: nanoseconds, results: Bytes([11]))
        try root.send(Message(toRoot: .done(loop: 1, report)), from: 2)
        try resume(root, 2, options())
        try done(root, 1, 0, [10])
        #expect(try results(root) == [0: [[10]], 1: [[11]]])
    }

    @Test("a rank that is back and claims that an impossible example failed is not believed")
    func impossibleFailure() throws {
        let root = try root(workers: 2, length: 2, options())
        _ = try (root.next(1), root.next(2))
        lose(root, 2)
        comeBack(root, 2)
        let report = ChunkReport(first: .max, completed: 0, nanoseconds: 1, results: .empty)
        let fault = Fault(phase: .work, message: "no", rank: 2, host: "host-2")
        try root.send(Message(toRoot: .failed(loop: 1, report, fault)), from: 2)
        let loss = root.observer.losses.wait(until: soon()) {
            $0.first { $0.contains("nothing more of it is believed") }
        }
        #expect(loss?.hasPrefix("2 ") == true)
        try done(root, 1, 0, [10])
        #expect(try root.next(1)?.first == 1)
        try done(root, 1, 1, [11])
        #expect(try results(root) == [0: [[10]], 1: [[11]]])
    }

    @Test("a rank that is not believed, or has finished, is not taken back")
    func refused() throws {
        let root = try root(workers: 3, length: 3, options())
        for rank in 1...3 { _ = try root.next(rank) }
        try root.send(Message(.assign, operation: 1, first: 0, count: 1), from: 2)
        #expect(root.observer.losses.wait(until: soon()) { $0.contains { $0.hasPrefix("2 ") } ? true : nil } != nil)
        try root.send(Message(.goodbye), from: 3)
        for rank in [2, 3] {
            root.workers[rank - 1].comeBack()
            try resume(root, rank, options())
            try done(root, rank, rank - 1, [23])
        }
        var example = 0
        for _ in 0..<2 {
            try done(root, 1, example, [UInt8(example)])
            example = Int(try #require(try root.next(1)).first)
        }
        try done(root, 1, example, [UInt8(example)])
        #expect(try results(root) == [0: [[0]], 1: [[1]], 2: [[2]]])
        #expect(root.observer.comings.withLock { $0 }.isEmpty)
    }

    @Test("without leave nobody is taken back")
    func off() throws {
        let root = try RootUnderTest(workers: 2)
        _ = try root.client.enterLoop(length: 2, options: options(), working: false)
        for rank in 1...2 { try enter(root, rank, 2, options()) }
        _ = try (root.next(1), root.next(2))
        lose(root, 2)
        root.workers[1].comeBack()
        try done(root, 2, 1, [23])
        try done(root, 1, 0, [10])
        #expect(try root.next(1)?.first == 1)
        try done(root, 1, 1, [11])
        #expect(try results(root) == [0: [[10]], 1: [[11]]])
    }
}
