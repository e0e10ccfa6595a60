import CSystem
import Codec
import Scheduling
import SystemSupport
import Testing

@testable import Engine

/// A rank that dies in a loop that a script begins on every rank.
@Suite("Ranks lost in the loops of scripts")
struct CommunicationScriptLossTests {
    private static func options(_ results: LoopOptions.Results) -> LoopOptions {
        var options = LoopOptions(results: results, examples: .replicated, chunk: 1)
        if results == .stream { options.failures = FailurePolicy(crashLimit: 2) }
        return options
    }

    /// Begins loop `loop` over four elements on a rank, after its earlier collectives.
    private func begin(_ root: RootUnderTest, _ rank: Int, _ loop: UInt64, _ options: LoopOptions) throws {
        let list = LoopList(.number, place: "job.lua:1")
        try root.send(.entry(loop, length: 4, options, host: "host\(rank)", list: list), from: rank)
    }

    private func beginRoot(_ root: RootUnderTest, _ options: LoopOptions) throws -> UInt64 {
        try root.client.enterLoop(LoopList(.number, place: "job.lua:1"), length: 4, options: options, working: false)
    }

    private func done(_ root: RootUnderTest, _ rank: Int, _ loop: UInt64, _ example: Int) throws {
        try root.send(
            Message(.done, operation: loop, first: example, count: 1, extra: 1, body: Bytes([UInt8(example)])),
            from: rank)
    }

    @Test("others do what it had, also in loops that come later; a barrier goes on without it, a gather does not")
    func lost() throws {
        let root = try RootUnderTest(workers: 2)
        let options = Self.options(.stream)
        let loop = try beginRoot(root, options)
        for rank in 1...2 { try begin(root, rank, loop, options) }
        #expect(try root.next(1)?.first == 0)
        #expect(try root.next(2)?.first == 1)
        root.workers[0].abort(status: 0, until: soon())
        #expect(root.observer.losses.wait(until: soon()) { $0.first }?.hasPrefix("1 host1 ") == true)
        var given: Set<Int64> = [1]
        try done(root, 2, loop, 1)
        while let message = try root.next(2), message.kind == .assign {
            given.insert(message.first)
            try done(root, 2, loop, Int(message.first))
        }
        #expect(given == [0, 1, 2, 3] && root.client.end == nil)

        let second = try beginRoot(root, options)
        try begin(root, 2, second, options)
        #expect(try root.next(2)?.kind == .assign)

        try root.send(.part(.barrier), from: 2)
        try root.client.barrier()
        try root.send(.part(.gather, number: 2), from: 2)
        #expect {
            _ = try root.client.gather(.empty)
        } throws: { error in
            guard case .fault(let fault)? = error as? JobEnd else { return false }
            return fault.message.contains("gather needs rank 1, which was lost") && fault.status == 3
        }
    }

    @Test("one that has had elements whose results are its own ends the job, whatever loop it dies in")
    func owner() throws {
        let root = try RootUnderTest(workers: 1)
        let own = try beginRoot(root, Self.options(.none))
        try begin(root, 1, own, Self.options(.none))
        for example in 0..<4 {
            #expect(try root.next(1)?.kind == .assign)
            try root.send(Message(.done, operation: own, first: example, count: 1, extra: 1))
        }
        #expect(try root.next(1)?.kind == .end)
        let loop = try beginRoot(root, Self.options(.stream))
        try begin(root, 1, loop, Self.options(.stream))
        #expect(try root.next(1)?.kind == .assign)
        root.workers[0].abort(status: 0, until: soon())
        #expect(root.fault().hasPrefix("lost rank 1 (host host1)"))
    }

    @Test("one that dies between two loops, where only it knows what it was about, ends the job")
    func between() throws {
        let root = try RootUnderTest(workers: 1)
        let options = Self.options(.stream)
        let loop = try beginRoot(root, options)
        try begin(root, 1, loop, options)
        for example in 0..<4 {
            #expect(try root.next(1)?.kind == .assign)
            try done(root, 1, loop, example)
        }
        #expect(try root.next(1)?.kind == .end)
        root.workers[0].abort(status: 0, until: soon())
        #expect(root.fault().hasPrefix("lost rank 1"))
    }

    @Test(
        "what is done already nobody is given, and the loop knows that it is done",
        arguments: [[0..<4], [1..<3], [0..<1, 3..<4], []])
    func skipped(_ done: [Range<Int>]) throws {
        let root = try RootUnderTest(workers: 1)
        let options = Self.options(.stream)
        root.client.skip(done, in: 1)
        let loop = try beginRoot(root, options)
        try begin(root, 1, loop, options)
        var given: [Int64] = []
        while let message = try root.next(1), message.kind == .assign {
            given.append(message.first)
            try self.done(root, 1, loop, Int(message.first))
        }
        #expect(given == (0..<4).filter { example in !done.contains { $0.contains(example) } }.map { Int64($0) })
        let progress = root.observer.progress.wait(until: soon()) { $0?.done == 4 ? $0 : nil }
        #expect(progress?.earlier == done.reduce(0) { $0 + $1.count } && progress?.total == 4)
    }
}
