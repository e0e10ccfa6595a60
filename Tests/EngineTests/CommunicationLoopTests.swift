import CSystem
import Codec
import Glibc
import Scheduling
import SystemSupport
import TestSupport
import Testing

@testable import Engine

@Suite("Loops that the root serves")
struct CommunicationLoopTests {
    private let map = LoopOptions(results: .stream, examples: .replicated, chunk: 5)

    @Test("options come back from the message that carries them", arguments: [nil, 1, 255, Int.max], 0..<6)
    func optionsInMessages(chunk: Int?, number: Int) throws {
        func carried(_ options: LoopOptions) throws -> LoopOptions? {
            guard case .enter(let loop, let entry) = try ToRoot(.entry(7, length: 5, options), from: 1) else {
                return nil
            }
            #expect(loop == 7 && entry.length == 5 && entry.isWorking && entry.host == "here" && entry.beginning == nil)
            return entry.options
        }
        var options = LoopOptions(
            results: try #require(LoopOptions.Results(rawValue: UInt8(number / 2))),
            examples: number % 2 == 0 ? .replicated : .sent, chunk: chunk)
        #expect(try carried(options) == options)
        options.isOrderFree = true
        #expect(try carried(options) == options)
        options.isUnbounded = true
        #expect(try carried(options) == options)
        options.failures = FailurePolicy(continues: true, retries: FailurePolicy.limit, crashLimit: FailurePolicy.limit)
        #expect(try carried(options) == options)
        (options.shares, options.chunk) = (chunk, nil)
        #expect(try carried(options) == options)
    }

    @Test(
        "results that pile up pause the hand-out until they are taken, or dropped with their loop",
        arguments: [true, false])
    func backlog(isDropped: Bool) throws {
        let root = try RootUnderTest(workers: 1)
        // Memory that nothing touches costs nothing.
        let size = RootInbox.backlogLimit / 2 + 1
        let large = Bytes(adopting: malloc(size), count: size)
        _ = try root.client.enterLoop(length: 1000, options: map, working: false)
        try root.send(.entry(length: 1000, map))
        for first in [0, 5] {
            #expect(try root.next(1)?.kind == .assign)
            try root.send(Message(.done, operation: 1, first: first, count: 5, extra: 500_000_000, body: large))
        }
        // The next assignment is held back, and comes only after this.
        #expect(root.hears(done: 10))
        if isDropped {
            root.client.cancel(1)
        } else {
            for _ in 0..<2 {
                guard case .results = try root.client.event(of: 1) else {
                    Issue.record("no results")
                    return
                }
            }
        }
        #expect(try root.next(1)?.kind == .assign)
        try root.send(
            Message(.done, operation: 1, first: 10, count: 5, extra: 500_000_000, body: Bytes([1, 2, 3, 4, 5])))
        #expect(try root.next(1)?.kind == (isDropped ? .end : .assign))
        guard isDropped else { return }
        _ = try root.client.enterLoop(length: 1000, options: map, working: false)
        try root.send(.entry(2, length: 1000, map))
        for first in [0, 5] {
            #expect(try root.next(1)?.kind == .assign)
            try root.send(
                Message(.done, operation: 2, first: first, count: 5, extra: 500_000_000, body: Bytes([1, 2, 3, 4, 5])))
        }
        #expect(root.client.end == nil)
    }

    @Test(
        "what a worker has begun for a root that then finishes is an error, as it would be after",
        arguments: [true, false])
    func unmetByRoot(isLoop: Bool) throws {
        let root = try RootUnderTest(workers: 1)
        if isLoop {
            try root.send(.entry(length: 10, map))
            #expect(try root.next(1)?.kind == .assign)
        } else {
            try root.send(.part(.gather))
        }
        #expect(throws: JobEnd.self) { try root.client.waitForOthers() }
        #expect(root.fault().contains("finished its script"))
    }

    @Test("what a worker had when it finished its script is done by another")
    func departure() throws {
        let root = try RootUnderTest(workers: 2)
        for rank in [1, 2] {
            try root.send(.entry(length: 10, map), from: rank)
        }
        #expect(try root.next(1)?.kind == .assign)
        #expect(try root.next(2)?.kind == .assign)
        try root.send(Message(.goodbye), from: 1)
        try root.send(
            Message(.done, operation: 1, first: 5, count: 5, extra: 50_000_000, body: Bytes([1, 2, 3, 4, 5])), from: 2)
        let next = try root.next(2)
        #expect(next?.kind == .assign && next?.first == 0 && next?.count == 5)
    }

    @Test("a root that only watches is told when every worker has finished its script without doing the loop")
    func desertion() throws {
        let root = try RootUnderTest(workers: 2)
        _ = try root.client.enterLoop(length: 10, options: map, working: false)
        for rank in [1, 2] { try root.send(Message(.goodbye), from: rank) }
        #expect(root.fault().contains("finished its script"))
    }

    @Test("a root that has finished learns of a collective without it, though all others have finished before")
    func missedCollective() throws {
        for _ in 0..<200 {
            let root = try RootUnderTest(workers: 1)
            try root.send(.part(.gather))
            try root.send(Message(.goodbye))
            #expect(throws: JobEnd.self) { try root.client.waitForOthers() }
        }
    }

    @Test("a worker that begins a loop for a root that has finished is told")
    func rootHasFinished() throws {
        let group = ThreadCommunicator.group(of: 2)
        let observer = EndObserver()
        let (root, worker) = (group[0], group[1])
        let thread = try ServiceThread {
            guard let client = try? RootClient(observer: observer, connect: { root }) else { return }
            try? client.waitForOthers()
            client.stop(status: 3)
        }
        guard case .message(let message, _) = try worker.receive(until: soon()) else {
            Issue.record("the root says nothing")
            return
        }
        #expect(message.kind == .goodbye)
        try worker.send(.entry(length: 10, map), to: 0)
        guard case .fault(let fault)? = observer.ends.wait(until: soon(), { $0.first }) else {
            Issue.record("the job goes on")
            return
        }
        #expect(fault.message.contains("has finished its script"))
        thread.join()
    }

    @Test("after a halt a rank reports what it has done, and then every loop is over for all, also one begun later")
    func halt() throws {
        let root = try RootUnderTest(workers: 1)
        _ = try root.client.enterLoop(length: 1000, options: map, working: false)
        try root.send(.entry(length: 1000, map))
        #expect(try root.next(1)?.kind == .assign)
        #expect(!root.client.isHalted())
        root.client.halt(0)
        #expect(try root.next(1)?.kind == .halt)
        #expect(root.client.isHalted())
        try root.send(Message(.done, operation: 1, first: 0, count: 2, extra: 2, body: Bytes([1, 2])))
        #expect(try root.next(1)?.kind == .end)
        guard case .results(let run) = try root.client.event(of: 1), run.first == 0, run.count == 2 else {
            Issue.record("what was done is lost")
            return
        }
        guard case .halted(let length) = try root.client.event(of: 1) else {
            Issue.record("the loop goes on for the root")
            return
        }
        #expect(length == 1000)
        try root.send(.entry(2, length: 10, map))
        #expect(try root.next(1)?.kind == .end)
    }

    @Test("a halt comes at its moment, the earliest that was named")
    func haltMoment() throws {
        let root = try RootUnderTest(workers: 1)
        root.client.halt(dlp_now() + 3_600_000_000_000)
        try root.send(.entry(length: 1000, map))
        #expect(try root.next(1)?.kind == .assign)
        let moment = dlp_now() + 20_000_000
        root.client.halt(moment)
        root.client.halt(dlp_now() + 3_600_000_000_000)
        #expect(try root.next(1)?.kind == .halt)
        #expect(dlp_now() >= moment)
    }

    @Test("a worker learns of a halt between two examples, and keeps what else has come")
    func haltedWorker() throws {
        let group = ThreadCommunicator.group(of: 2)
        let worker = WorkerClient(group[1])
        let work = ToWorker.assign(loop: 1, Chunk(first: 3, count: 2), giveBackAfter: 0, examples: .empty)
        try group[0].send(Message(toWorker: work), to: 1)
        #expect(try !worker.isHalted())
        try group[0].send(Message(.halt), to: 1)
        #expect(try worker.isHalted())
        guard case .work(let chunk, _, _) = try worker.event(of: 1) else {
            Issue.record("the work is lost")
            return
        }
        #expect(chunk == Chunk(first: 3, count: 2))
        try group[0].send(Message(.stop, count: 3), to: 1)
        #expect(throws: JobEnd.stopped(status: 3)) { try worker.isHalted() }
    }

    @Test("a worker that says too late what it waited for does not end the job")
    func lateAnnouncement() throws {
        let group = ThreadCommunicator.group(of: 2)
        let (root, worker) = (group[0], group[1])
        let thread = try ServiceThread {
            guard let client = try? RootClient(connect: { root }) else { return }
            let hasFailed = (try? client.waitForOthers()) == nil
            client.stop(status: hasFailed ? 3 : 0)
        }
        #expect(try message(to: worker)?.kind == .goodbye)
        try worker.send(.part(.release, announces: true), to: 0)
        try worker.send(Message(.goodbye), to: 0)
        let stop = try message(to: worker)
        #expect(stop?.kind == .stop && stop?.count == 0)
        thread.join()
    }

    private func message(to worker: ThreadCommunicator) throws -> Message? {
        guard case .message(let message, _) = try worker.receive(until: soon()) else { return nil }
        return message
    }

    @Test("that rank 0 does a loop alone because the others have finished is told once", arguments: [true, false])
    func solitude(isEarly: Bool) throws {
        let root = try RootUnderTest(workers: 2)
        let list = LoopList(.number, place: "job.lua:7")
        let options = LoopOptions(results: .none, examples: .replicated)
        if isEarly { for rank in [1, 2] { try root.send(Message(.goodbye), from: rank) } }
        let loop = try root.client.enterLoop(list, length: 10, options: options)
        if !isEarly { for rank in [1, 2] { try root.send(Message(.goodbye), from: rank) } }
        let note = root.observer.notes.wait(until: soon()) { $0.first }
        #expect(note?.hasPrefix("job.lua:7: rank 0 does this loop alone") == true)
        try root.client.post(.leave(loop: loop))
        _ = try root.client.enterLoop(list, length: 10, options: options)
        #expect(root.observer.notes.withLock { $0.count } == 1)
    }

    @Test("a rank that has another list is sent that of rank 0 before it gets work, and only then")
    func otherLists() throws {
        let root = try RootUnderTest(workers: 2)
        let options = LoopOptions(results: .none, examples: .replicated, chunk: 2)
        func begin(_ rank: Int, _ digest: UInt64, _ length: Int) throws {
            let list = LoopList(.list, digest: Digest(high: 1, low: digest), place: "job.lua:7")
            try root.send(.entry(length: length, options, list: list), from: rank)
        }
        try begin(1, 5, 10)
        try begin(2, 6, 9)
        let encoded = Bytes([0x80])
        let list = LoopList(.list, digest: Digest(high: 1, low: 5), encoded: encoded, place: "job.lua:7")
        _ = try root.client.enterLoop(list, length: 10, options: options, working: false)
        #expect(try root.next(1)?.kind == .assign)
        let sent = try root.next(2)
        #expect(sent?.kind == .list && sent?.count == 10 && sent?.body == encoded)
        #expect(try root.next(2)?.kind == .assign)
        #expect(root.observer.notes.withLock { $0.count } == 1)
    }

    @Test("ranks that wait for rank 0 in loops before and after a collective are told", arguments: [true, false])
    func differentPlaces(isRising: Bool) throws {
        let root = try RootUnderTest(workers: 2)
        let options = LoopOptions(results: .none, examples: .replicated)
        for (rank, collectives) in zip([1, 2], isRising ? [0, 1] : [1, 0]) as Zip2Sequence<[Int], [UInt64]> {
            let list = LoopList(.number, place: "job.lua:\(rank)")
            try root.send(.entry(length: 3, options, list: list, collectives: collectives), from: rank)
        }
        let message = root.fault()
        #expect(message.contains("job.lua:1") && message.contains("job.lua:2"), "\(message)")
    }

    @Test("what is no entry to a loop of a script ends the job: any byte of it missing, or another kind in its place")
    func brokenEntry() throws {
        let options = LoopOptions(results: .none, examples: .replicated)
        let list = LoopList(.list, place: "job.lua:1")
        let entry = Message.entry(length: 3, options, list: list).body.array
        var bodies = entry.indices.map { Array(entry[..<$0]) }
        // A text in place of a number, and the reverse, wherever a part begins.
        bodies += entry.indices.filter { entry[$0] < 0x20 }.map { entry[..<$0] + [0x60] + entry[($0 + 1)...] }
        for body in bodies {
            let root = try RootUnderTest(workers: 1)
            try root.send(Message(.begin, operation: 1, first: 3, count: 1, body: Bytes(body)))
            #expect(root.fault().contains("began a loop with impossible options"), "\(body)")
        }
    }

    @Test("after the end of the job nothing waits")
    func afterStop() throws {
        let root = try RootUnderTest(workers: 1)
        root.client.stop(status: 4)
        #expect(throws: JobEnd.stopped(status: 4)) { try root.client.event(of: 1) }
        #expect(throws: JobEnd.stopped(status: 4)) { try root.client.gather(.empty) }
        #expect(throws: JobEnd.stopped(status: 4)) { try root.client.waitForOthers() }
    }

    @Test("a worker refuses work that cannot be", arguments: [Int64.min, -1, 0, .max], [Int64.min, -1, 0, .max])
    func impossibleWork(first: Int64, count: Int64) throws {
        guard !(first == 0 && count == .max) else { return }
        let group = ThreadCommunicator.group(of: 2)
        let worker = WorkerClient(group[1])
        var message = Message(.assign, operation: 1)
        (message.first, message.count) = (first, count)
        try group[0].send(message, to: 1)
        #expect(throws: JobEnd.self) { try worker.event(of: 1) }
    }
}
