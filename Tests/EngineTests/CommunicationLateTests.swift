import CSystem
import Codec
import Scheduling
import SystemSupport
import TestSupport
import Testing

@testable import Engine

@Suite("Workers that come late")
struct CommunicationLateTests {
    private let map = LoopOptions(results: .stream, examples: .replicated, chunk: 1)
    private let managed = LoopOptions(results: .stay, examples: .replicated, chunk: 1)
    private let offer = Bytes(Array("a job".utf8))

    /// A root that observes its loop 1 over `length` examples and accepts ranks that join late.
    private func joinableRoot(workers: Int, late: Int, length: Int, _ options: LoopOptions) throws -> RootUnderTest {
        let root = try RootUnderTest(workers: workers, late: late)
        var options = options
        options.failures = FailurePolicy(crashLimit: 2)
        _ = try root.client.enterLoop(length: length, options: options, working: false)
        for rank in 1..<workers + 1 { try enter(root, rank, length, options) }
        root.client.admitLateRanks(offer)
        return root
    }

    private func enter(_ root: RootUnderTest, _ rank: Int, _ length: Int, _ options: LoopOptions) throws {
        var options = options
        options.failures = FailurePolicy(crashLimit: 2)
        try root.send(
            .entry(length: length, options, host: "host-\(rank)"), from: rank)
    }

    private func done(_ root: RootUnderTest, _ rank: Int, _ first: Int64, stays: Bool = false) throws {
        try root.send(
            Message(.done, operation: 1, first: Int(first), count: 1, body: stays ? .empty : Bytes([1])), from: rank)
    }

    /// Returns how many results the root's main thread gets until the loop ends.
    private func resultsUntilEnd(_ root: RootUnderTest) throws -> Int {
        var count = 0
        while true {
            switch try root.client.event(of: 1) {
            case .results(let run): count += run.count
            case .end: return count
            default: continue
            }
        }
    }

    @Test("one that comes before the job is known waits for the offer, one that comes later gets it at once")
    func waiting() throws {
        let root = try RootUnderTest(workers: 0, late: 2)
        root.workers[0].join()
        root.client.admitLateRanks(offer)
        #expect(try root.next(1) == Message(.offer, body: offer))
        root.workers[1].join()
        #expect(try root.next(2) == Message(.offer, body: offer))
    }

    @Test("one that the job cannot take is told why, and is not missed")
    func refused() throws {
        let root = try RootUnderTest(workers: 0, late: 2)
        root.workers[0].join()
        root.client.refuseLateRanks("no")
        root.workers[1].join()
        for rank in [1, 2] { #expect(try root.next(rank) == Message(.refusal, body: Bytes(Array("no".utf8)))) }
        try root.client.waitForOthers()
    }

    @Test("a late worker is given examples, and the end with the others")
    func works() throws {
        let root = try joinableRoot(workers: 1, late: 1, length: 2, map)
        let first = try root.next(1)
        root.workers[1].join()
        #expect(try root.next(2)?.kind == .offer)
        try enter(root, 2, 2, map)
        let second = try root.next(2)
        #expect([first?.first, second?.first] == [0, 1])
        try done(root, 2, 1)
        try done(root, 1, 0)
        #expect(try root.next(1)?.kind == .end)
        #expect(try root.next(2)?.kind == .end)
        #expect(try resultsUntilEnd(root) == 2)
        #expect(root.observer.comings.withLock { $0 } == ["+2 host-2"])
    }

    @Test("late workers may be ready in another order than they came, or never")
    func order() throws {
        let root = try joinableRoot(workers: 1, late: 3, length: 3, map)
        _ = try root.next(1)
        for worker in root.workers[1...] { worker.join() }
        try enter(root, 4, 3, map)
        for _ in 1...2 { #expect(try root.next(4)?.kind != .stop) }
        root.workers[1].close(until: nil)
        try enter(root, 3, 3, map)
        #expect(try root.next(3)?.kind == .offer)
        #expect(try root.next(3)?.first == 2)
        try done(root, 1, 0)
        try done(root, 4, 1)
        try done(root, 3, 2)
        #expect(try resultsUntilEnd(root) == 3)
        #expect(root.observer.losses.withLock { $0 }.isEmpty, "nothing was with the one that never was ready")
    }

    @Test("a late worker that dies is a lost rank, and its example is done by another")
    func dies() throws {
        let root = try joinableRoot(workers: 1, late: 1, length: 2, map)
        _ = try root.next(1)
        root.workers[1].join()
        try enter(root, 2, 2, map)
        #expect(try root.next(2)?.kind == .offer)
        #expect(try root.next(2)?.first == 1)
        root.workers[1].close(until: nil)
        #expect(root.observer.losses.wait(until: soon()) { $0.first } == "2 host-2 it closed its end")
        try done(root, 1, 0)
        #expect(try root.next(1)?.first == 1)
        try done(root, 1, 1)
        #expect(try resultsUntilEnd(root) == 2)
    }

    @Test("one that retires gives back what it was given, and is ended while the others go on")
    func retires() throws {
        let root = try joinableRoot(workers: 1, late: 1, length: 3, map)
        _ = try root.next(1)
        root.workers[1].join()
        try enter(root, 2, 3, map)
        #expect(try root.next(2)?.kind == .offer)
        #expect(try root.next(2)?.first == 1)
        try done(root, 2, 1)
        // It does not begin what it is given now.
        #expect(try root.next(2)?.first == 2)
        try root.send(Message(.retire, operation: 1), from: 2)
        #expect(try root.next(2)?.kind == .end)
        try root.send(Message(.goodbye), from: 2)
        root.workers[1].close(until: nil)
        try done(root, 1, 0)
        #expect(try root.next(1)?.first == 2)
        try done(root, 1, 2)
        #expect(try resultsUntilEnd(root) == 3)
        #expect(root.observer.losses.withLock { $0 }.isEmpty)
        #expect(root.observer.comings.withLock { $0 } == ["+2 host-2", "-2 host-2"])
    }

    @Test("results that stayed with one that retires are brought to the root before it goes")
    func retiresWithResults() throws {
        let root = try joinableRoot(workers: 1, late: 1, length: 2, managed)
        _ = try root.next(1)
        root.workers[1].join()
        try enter(root, 2, 2, managed)
        #expect(try root.next(2)?.kind == .offer)
        #expect(try root.next(2)?.first == 1)
        try done(root, 2, 1, stays: true)
        try root.send(Message(.retire, operation: 1), from: 2)
        #expect(try root.next(2)?.kind == .deliver)
        try root.send(Message(.results, operation: 1, first: 1, count: 1, extra: 1, body: Bytes([7])), from: 2)
        try root.send(Message(.delivered, operation: 1), from: 2)
        #expect(try root.next(2)?.kind == .end)
        root.workers[1].close(until: nil)
        try done(root, 1, 0, stays: true)
        #expect(try root.next(1)?.kind == .deliver)
        try root.send(Message(.results, operation: 1, first: 0, count: 1, extra: 1, body: Bytes([8])))
        try root.send(Message(.delivered, operation: 1))
        #expect(try resultsUntilEnd(root) == 2)
    }

    @Test("one that comes when all is done is ended at once")
    func tooLate() throws {
        let root = try joinableRoot(workers: 1, late: 1, length: 1, map)
        _ = try root.next(1)
        root.workers[1].join()
        #expect(try root.next(2)?.kind == .offer)
        try done(root, 1, 0)
        #expect(try resultsUntilEnd(root) == 1)
        try enter(root, 2, 1, map)
        #expect(try root.next(2)?.kind == .end)
        #expect(root.observer.comings.withLock { $0 }.isEmpty)
    }

    @Test("a late rank hears of the job's end")
    func stop() throws {
        let root = try joinableRoot(workers: 0, late: 1, length: 1, map)
        root.workers[0].join()
        #expect(try root.next(1)?.kind == .offer)
        root.client.stop(status: 1)
        #expect(try root.next(1)?.kind == .stop)
    }

    @Test(
        "what a late rank may not say costs the job that rank alone, with a message",
        arguments: [
            Message(.collective), Message(.retire, operation: 1), Message(.enter, operation: 2), Message(.welcome),
        ])
    func hostile(_ message: Message) throws {
        let root = try joinableRoot(workers: 0, late: 1, length: 1, map)
        root.workers[0].join()
        try root.send(message)
        let loss = root.observer.losses.wait(until: soon()) { $0.first }
        #expect(loss?.contains("rank 1") == true && loss?.contains("nothing more of it is believed") == true)
        try root.send(message)
        try root.send(Message(.exit, count: 7))
        #expect(root.client.end == nil)
    }

    @Test("a late rank whose script communicates while it is loaded is told so, and the root is not")
    func collectives() throws {
        let group = ThreadCommunicator.group(of: 1, late: 1)
        let client = WorkerClient(group[1], isLate: true)
        let attempts: [() throws -> Void] = [
            { try client.barrier() }, { _ = try client.broadcast(.empty) }, { _ = try client.gather(.empty) },
            { _ = try client.enterLoop(length: 1, options: self.map) },
        ]
        for attempt in attempts {
            let end = #expect(throws: JobEnd.self) { try attempt() }
            guard case .fault(let fault)? = end else { continue }
            #expect(fault.message.contains("nobody can join"))
        }
        guard case .timedOut = try group[0].receive(until: 0) else {
            Issue.record("the root has heard of it")
            return
        }
    }

    @Test("a worker that has heard of the end knows it still, whoever asks")
    func heardOfTheEnd() throws {
        let group = ThreadCommunicator.group(of: 2)
        let worker = WorkerClient(group[1])
        try group[0].send(Message(.stop, first: 1, count: 7), to: 1)
        #expect(throws: JobEnd.stopped(status: 7)) { try worker.event(of: 1) }
        #expect(worker.waitForStop(until: dlp_now()) == 7)
    }
}
