import CSystem
import Codec
import Scheduling
import SystemSupport
import TestSupport
import Testing

@testable import Engine

@Suite("Failures and deaths as the root serves them")
struct CommunicationFailureTests {
    private func options(
        _ failures: FailurePolicy, results: LoopOptions.Results = .stream, chunk: Int = 1
    ) -> LoopOptions {
        var options = LoopOptions(results: results, examples: .replicated, chunk: chunk)
        options.failures = failures
        return options
    }

    private func enter(_ root: RootUnderTest, _ rank: Int, _ length: Int, _ options: LoopOptions) throws {
        try root.send(
            .entry(length: length, options, host: "host-\(rank)"), from: rank)
    }

    private func failure(_ first: Int, done: [UInt8] = [], rank: Int) -> Message {
        var fault = Fault(phase: .work, message: "no", traceback: "t", rank: 99, host: "host-\(rank)")
        fault.attempts = 77
        return Message(
            .failed, operation: 1, first: first, count: done.count, body: Bytes(fault.encoded.array + done))
    }

    /// The next event for the root's main thread in loop 1, as text.
    private func next(_ root: RootUnderTest) throws -> String {
        switch try root.client.event(of: 1) {
        case .results(let run): "results \(run.first)+\(run.count)/\(run.stride) \(run.results.array) of \(run.rank)"
        case .failed(let fault):
            "failed \(fault.example ?? 0) \(fault.message) rank \(fault.rank) \(fault.host) \(fault.attempts)"
        case .end(let length), .halted(let length): "end \(length ?? -1)"
        case .work, .needsExamples, .workedOff, .deliver, .list, .returned: "other"
        }
    }

    @Test("what fails for good is told to the root after the results before it, and the rest of the chunk is done")
    func failing() throws {
        let root = try RootUnderTest(workers: 1)
        let options = options(FailurePolicy(continues: true), chunk: 4)
        _ = try root.client.enterLoop(length: 4, options: options, working: false)
        try enter(root, 1, 4, options)
        #expect(try root.next(1)?.count == 4)
        try root.send(failure(0, done: [5], rank: 1))
        try root.send(Message(.done, operation: 1, first: 2, count: 2, body: Bytes([6, 7])))
        #expect(try root.next(1)?.kind == .end)
        #expect(try next(root) == "results 0+1/1 [5] of 1")
        #expect(try next(root) == "results 2+2/1 [6, 7] of 1")
        #expect(try next(root) == "failed 2 no rank 1 host-1 1")
        #expect(try next(root) == "end 4")
    }

    @Test("what fails is tried by another rank, and ends the job with its last attempt")
    func attempts() throws {
        let root = try RootUnderTest(workers: 2)
        let options = options(FailurePolicy(retries: 1))
        for rank in [1, 2] { try enter(root, rank, 2, options) }
        _ = try root.client.enterLoop(length: 2, options: options, working: false)
        let assigned = [try root.next(1), try root.next(2)].map { $0?.first }
        try root.send(failure(0, rank: assigned[0] == 0 ? 1 : 2), from: assigned[0] == 0 ? 1 : 2)
        let other = assigned[0] == 0 ? 2 : 1
        try root.send(Message(.done, operation: 1, first: 1, count: 1, body: Bytes([1])), from: other)
        let again = try root.next(other)
        #expect(again?.kind == .assign && again?.first == 0)
        try root.send(failure(0, rank: other), from: other)
        guard case .fault(let fault)? = root.end() else {
            Issue.record("the job goes on")
            return
        }
        #expect(fault.example == 1 && fault.attempts == 2 && fault.rank == other && fault.traceback == "t")
    }

    @Test("others do what a rank had that died, it is told once, and the job ends without it", arguments: [1, 2])
    func death(crashLimit: Int) throws {
        let root = try RootUnderTest(workers: 2)
        let options = options(FailurePolicy(continues: true, crashLimit: crashLimit))
        _ = try root.client.enterLoop(length: 2, options: options, working: false)
        try enter(root, 1, 2, options)
        #expect(try root.next(1)?.first == 0)
        root.workers[0].close(until: nil)
        #expect(root.observer.losses.wait(until: soon()) { $0.first } == "1 host-1 it closed its end")
        try enter(root, 2, 2, options)
        var outcome: [String] = []
        while let message = try root.next(2), message.kind == .assign {
            outcome.append("did \(message.first)")
            try root.send(
                Message(.done, operation: 1, first: Int(message.first), count: 1, body: Bytes([9])), from: 2)
        }
        #expect(outcome == (crashLimit == 1 ? ["did 1"] : ["did 0", "did 1"]))
        var told = Set<String>()
        while true {
            let event = try next(root)
            told.insert(event)
            if event.hasPrefix("end") { break }
        }
        let crash = "failed 1 this rank died while at work on it: it closed its end rank 1 host-1 1"
        #expect(told.contains(crash) == (crashLimit == 1))
        try root.send(Message(.goodbye), from: 2)
        try root.client.waitForOthers()
        #expect(root.observer.losses.withLock { $0.count } == 1)
    }

    @Test(
        "an example that a rank gives up has failed, the rank is lost, and others do what else it had",
        arguments: [0, 1])
    func givenUp(retries: Int) throws {
        let root = try RootUnderTest(workers: 2)
        var options = options(FailurePolicy(continues: true, retries: retries, crashLimit: 2))
        options.chunk = 5
        _ = try root.client.enterLoop(length: 5, options: options, working: false)
        try enter(root, 1, 5, options)
        #expect(try root.next(1)?.count == 5)
        let fault = Fault(phase: .work, message: "it takes long", rank: 1, host: "h")
        try root.send(Message(.givenUp, first: 2, body: fault.encoded))
        #expect(
            root.observer.losses.wait(until: soon()) { $0.first } == "1 host-1 example 3 does not come back there")
        try enter(root, 2, 5, options)
        var outcome: Set<Int> = []
        while let message = try root.next(2), message.kind == .assign {
            outcome.formUnion(Int(message.first)..<Int(message.first + message.count))
            try root.send(
                Message(
                    .done, operation: 1, first: Int(message.first), count: Int(message.count),
                    body: Bytes([UInt8](repeating: 9, count: Int(message.count)))), from: 2)
        }
        #expect(outcome == (retries == 0 ? [0, 1, 3, 4] : [0, 1, 2, 3, 4]))
        var told = Set<String>()
        while true {
            let event = try next(root)
            told.insert(event)
            if event.hasPrefix("end") { break }
        }
        #expect(told.contains { $0.hasPrefix("failed 3 it takes long") } == (retries == 0), "\(told)")
        #expect(root.observer.losses.withLock { $0.count } == 1)
    }

    @Test("a rank that gives an example up just as it is done is lost without being taken for a liar")
    func givenUpTooLate() throws {
        let root = try RootUnderTest(workers: 1)
        let options = options(FailurePolicy(crashLimit: 2))
        _ = try root.client.enterLoop(length: 1, options: options, working: false)
        try enter(root, 1, 1, options)
        #expect(try root.next(1)?.kind == .assign)
        try root.send(Message(.done, operation: 1, count: 1, body: Bytes([1])))
        let fault = Fault(phase: .work, message: "it takes long", rank: 1, host: "h")
        try root.send(Message(.givenUp, first: 0, body: fault.encoded))
        let loss = root.observer.losses.wait(until: soon()) { $0.first }
        #expect(loss == "1 host-1 example 1 did not come back there in time")
        while case .results(let run) = try root.client.event(of: 1) { #expect(run.results.array == [1]) }
        #expect(root.client.end == nil)
    }

    @Test("a root whose loop has ended knows by then how far it has come")
    func lastProgress() throws {
        for _ in 0..<50 {
            let root = try RootUnderTest(workers: 1)
            let options = options(FailurePolicy())
            _ = try root.client.enterLoop(length: 1, options: options, working: false)
            try enter(root, 1, 1, options)
            #expect(try root.next(1)?.kind == .assign)
            try root.send(Message(.done, operation: 1, count: 1, body: Bytes([1])))
            while case .results = try root.client.event(of: 1) {}
            #expect(root.observer.progress.withLock { $0?.done } == 1)
        }
    }

    @Test("a root that is done does not wait for ever for a rank that says nothing")
    func silentAtTheEnd() throws {
        let root = try RootUnderTest(workers: 2)
        try root.send(Message(.goodbye), from: 2)
        try root.client.waitForOthers(patience: 100_000_000)
        root.client.stop(status: 0)
        #expect(root.observer.losses.withLock { $0.contains("1 unknown is silent") })
    }

    @Test("of the results of a rank that dies while it delivers them none counts, and all are made again")
    func deathInDelivery() throws {
        let root = try RootUnderTest(workers: 2)
        let options = options(FailurePolicy(crashLimit: 2), results: .stay)
        _ = try root.client.enterLoop(length: 2, options: options, working: false)
        for rank in [1, 2] { try enter(root, rank, 2, options) }
        let first = Int(try root.next(1)?.first ?? -1)
        _ = try root.next(2)
        for (rank, example) in [(1, first), (2, 1 - first)] {
            try root.send(Message(.done, operation: 1, first: example, count: 1), from: rank)
        }
        for rank in [1, 2] { #expect(try root.next(rank)?.kind == .deliver) }
        try root.send(Message(.results, operation: 1, first: first, count: 1, extra: 1, body: Bytes([1])), from: 1)
        root.workers[0].close(until: nil)
        let run = Message(.results, operation: 1, first: 1 - first, count: 1, extra: 1, body: Bytes([2]))
        try root.send(run, from: 2)
        try root.send(Message(.delivered, operation: 1), from: 2)
        let again = try root.next(2)
        #expect(again?.kind == .assign && again?.first == Int64(first))
        try root.send(Message(.done, operation: 1, first: first, count: 1), from: 2)
        #expect(try root.next(2)?.kind == .deliver)
        try root.send(Message(.results, operation: 1, first: first, count: 1, extra: 1, body: Bytes([3])), from: 2)
        try root.send(Message(.delivered, operation: 1), from: 2)
        #expect(try next(root) == "results \(1 - first)+1/1 [2] of 2")
        #expect(try next(root) == "results \(first)+1/1 [3] of 2")
        #expect(try next(root) == "end 2")
    }

    @Test(
        "where all that work are dead the job ends, as it does where a loop cannot do without a rank",
        arguments: [0, 2])
    func nobodyLeft(crashLimit: Int) throws {
        let root = try RootUnderTest(workers: 1)
        let options = options(FailurePolicy(crashLimit: crashLimit))
        _ = try root.client.enterLoop(length: 2, options: options, working: false)
        try enter(root, 1, 2, options)
        #expect(try root.next(1)?.kind == .assign)
        root.workers[0].close(until: nil)
        guard case .fault(let fault)? = root.end() else {
            Issue.record("the job goes on")
            return
        }
        #expect(fault.status == 3)
        #expect(fault.message.contains(crashLimit == 0 ? "lost rank 1" : "every rank that could work on it has died"))
    }

    @Test("examples rest the longer the more often they have failed, and come back in the order of their times")
    func delays() {
        var delays = RetryDelays()
        #expect(delays.next == nil && delays.takeDue(at: .max) == nil)
        for (example, attempts) in [3, 1, 2, 1, 4000].enumerated() {
            delays.add(7, example, attempts: attempts, at: UInt64(example))
        }
        var order: [Int] = []
        var last: UInt64 = 0
        while let next = delays.next {
            #expect(delays.takeDue(at: next - 1) == nil)
            #expect(next >= last)
            last = next
            while let rest = delays.takeDue(at: next) { order.append(rest.example) }
        }
        #expect(order == [1, 3, 2, 0, 4])
        #expect(last < 10_000_000_000)
    }
}

/// Passes all messages on, and records how it was left.
private final class Leaving: Communicator {
    private let inner: ThreadCommunicator
    private(set) var hasAborted: Bool?

    init(_ inner: ThreadCommunicator) { self.inner = inner }

    var rank: Int { inner.rank }
    var size: Int { inner.size }
    var waker: any Waker { inner.waker }

    func send(_ message: Message, to destination: Int) throws(CommunicationError) {
        try inner.send(message, to: destination)
    }

    func receive(until deadline: UInt64?) throws(CommunicationError) -> Delivery { try inner.receive(until: deadline) }

    func close(until deadline: UInt64?) { hasAborted = false }

    func abort(status: Int32, until deadline: UInt64?) { hasAborted = true }
}

@Suite("How a worker leaves a job that is over")
struct CommunicationLeavingTests {
    @Test(
        "it leaves with the others where all have finished, whatever the status, and aborts where the job ends early",
        arguments: [(0, 0), (4, 0), (4, 1), (1, 1)])
    func leaving(_ status: Int, _ early: Int) throws {
        let group = ThreadCommunicator.group(of: 2)
        let communicator = Leaving(group[1])
        let worker = WorkerClient(communicator)
        try group[0].send(Message(.stop, first: early, count: status), to: 1)
        #expect(try worker.finish() == status)
        worker.close(status: Int32(status))
        #expect(communicator.hasAborted == (early == 1))
    }
}
