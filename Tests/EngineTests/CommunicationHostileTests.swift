import Codec
import Scheduling
import Simulation
import SystemSupport
import Testing

@testable import Engine

/// A worker that sends impossible messages ends the job with an error: the root neither traps nor waits for ever.
@Suite("A root and what workers may send it")
struct CommunicationHostileTests {
    static let numbers: [Int64] = [.min, .min + 1, -1, 0, 1, 2, 1 << 32, .max - 1, .max]

    private let map = LoopOptions(results: .stream, examples: .replicated, chunk: 5)
    private let managed = LoopOptions(results: .stay, examples: .replicated, chunk: 5)
    private let sent = LoopOptions(results: .stream, examples: .sent, chunk: 5)

    private func message(
        _ kind: Message.Kind, operation: UInt64 = 1, first: Int64 = 0, count: Int64 = 0, extra: Int64 = 0,
        body: Bytes = .empty
    ) -> Message {
        var message = Message(kind, operation: operation, extra: extra, body: body)
        message.first = first
        message.count = count
        return message
    }

    /// A root in loop 1 over ten examples, whose worker has the first five.
    private func rootInLoop(_ options: LoopOptions, length: Int? = 10) throws -> RootUnderTest {
        let root = try RootUnderTest(workers: 1)
        _ = try root.client.enterLoop(length: length, options: options, working: false)
        if length == nil, options.examples == .sent {
            let feed = root.client.feed(for: 1)
            feed.add((0..<10).map { Bytes([UInt8($0)]) })
            feed.close()
        }
        try root.send(.entry(length: length, options))
        let assigned = try root.next(1)
        #expect(assigned?.kind == .assign && assigned?.count == 5)
        return root
    }

    @Test("a chunk that the worker does not have ends the job", arguments: numbers, numbers)
    func impossibleChunks(first: Int64, count: Int64) throws {
        guard first != 0 || !(0...5).contains(count) else { return }
        for (options, length) in [(map, 10), (managed, 10), (sent, nil)] {
            let root = try rootInLoop(options, length: length)
            try root.send(message(.done, first: first, count: count, extra: first, body: Bytes([1, 2, 3, 4, 5])))
            #expect(root.fault().contains("rank 1 reported"))
            #expect(throws: JobEnd.self) { while true { _ = try root.client.event(of: 1) } }
        }
    }

    @Test(
        "a part of a chunk that the worker does not have, or that is all of it, ends the job", arguments: numbers,
        numbers)
    func impossibleParts(first: Int64, count: Int64) throws {
        guard first != 0 || !(1...4).contains(count) else { return }
        for (options, length) in [(map, 10), (managed, 10), (sent, nil)] {
            let root = try rootInLoop(options, length: length)
            try root.send(message(.part, first: first, count: count, extra: first, body: Bytes([1, 2, 3, 4, 5])))
            #expect(root.fault().contains("rank 1 reported"))
        }
    }

    @Test("fewer results than examples end the job", arguments: [1, 5])
    func missingResults(count: Int64) throws {
        let root = try rootInLoop(map)
        try root.send(message(.done, count: count, body: Bytes([UInt8](repeating: 1, count: Int(count) - 1))))
        #expect(root.fault().contains("fewer results"))
    }

    @Test("any duration is taken", arguments: numbers)
    func durations(nanoseconds: Int64) throws {
        let root = try rootInLoop(map)
        try root.send(message(.done, count: 5, extra: nanoseconds, body: Bytes([1, 2, 3, 4, 5])))
        #expect(try root.next(1)?.kind == .assign)
        #expect(root.client.end == nil)
    }

    @Test("a length that cannot be ends the job", arguments: numbers)
    func lengths(count: Int64) throws {
        guard count != 10 else { return }
        let root = try rootInLoop(map)
        try root.send(message(.length, count: count))
        #expect(root.fault().contains("disagree"))
        var options = managed
        options.isUnbounded = true
        let unbounded = try rootInLoop(options, length: nil)
        try unbounded.send(message(.done, count: 5))
        try unbounded.send(message(.length, count: count))
        if count < 5 { #expect(!unbounded.fault().isEmpty) } else { #expect(try unbounded.next(1)?.kind == .assign) }
    }

    @Test(
        "reports on a loop that no rank has begun end the job",
        arguments: [Message.Kind.done, .part, .failed, .leave, .length, .results, .delivered],
        [2, 9, UInt64.max])
    func unknownLoops(kind: Message.Kind, operation: UInt64) throws {
        let root = try rootInLoop(map)
        let fault = Fault(phase: .work, message: "m", rank: 1, host: "h")
        let body = kind == .failed ? fault.encoded : kind == .results ? Bytes([1]) : .empty
        try root.send(message(kind, operation: operation, count: 1, extra: 1, body: body))
        #expect(root.fault().contains("no rank has begun"))
    }

    @Test("entering a loop with other numbers ends the job", arguments: numbers, [true, false])
    func entering(first: Int64, hasOptions: Bool) throws {
        let root = try RootUnderTest(workers: 1)
        _ = try root.client.enterLoop(length: 10, options: map)
        let body = hasOptions ? Message.entry(length: 10, map).body : .empty
        try root.send(message(.enter, first: first, count: 1, body: body))
        #expect(!root.fault().isEmpty)
    }

    @Test(
        "a loop begun by a worker with any numbers ends the job once the root begins it", arguments: numbers,
        [true, false])
    func beginning(first: Int64, hasOptions: Bool) throws {
        let root = try RootUnderTest(workers: 1)
        let body = hasOptions ? Message.entry(length: 10, map).body : .empty
        try root.send(message(.enter, first: first, count: 1, body: body))
        let loop = try root.client.enterLoop(length: nil, options: sent)
        root.client.feed(for: loop).add([Bytes([1])])
        root.client.feed(for: loop).close()
        #expect(!root.fault().isEmpty)
    }

    @Test("entering twice ends the job, working or not", arguments: [false, true], [false, true])
    func enteringTwice(once: Bool, twice: Bool) throws {
        let root = try RootUnderTest(workers: 1)
        for works in [once, twice] { try root.send(.entry(length: 10, map, working: works)) }
        #expect(root.fault().contains("entered a loop twice"))
    }

    @Test("a failure of an example that the worker does not have ends the job", arguments: numbers, numbers)
    func impossibleFailures(first: Int64, count: Int64) throws {
        guard first != 0 || !(0...4).contains(count) else { return }
        let fault = Fault(phase: .work, message: "m", rank: 1, host: "h")
        for (options, length) in [(map, 10), (managed, 10), (sent, nil)] {
            let root = try rootInLoop(options, length: length)
            try root.send(message(.failed, first: first, count: count, extra: first, body: fault.encoded))
            #expect(root.fault().contains("rank 1 reported"))
        }
    }

    @Test("a failure that cannot be read ends the job", arguments: [[], [0xff], [0xa1], [0x01], [0xa0]] as [[UInt8]])
    func unreadableFailure(body: [UInt8]) throws {
        let root = try rootInLoop(map)
        try root.send(message(.failed, body: Bytes(body)))
        #expect(root.fault().contains("cannot be read"))
    }

    @Test("results that were not asked for, and deliveries that are not whole, end the job", arguments: [0, 1, 3])
    func deliveries(count: Int64) throws {
        let root = try rootInLoop(managed, length: 5)
        try root.send(message(.results, count: 5, extra: 1, body: Bytes([1, 2, 3, 4, 5])))
        #expect(root.fault().contains("not asked for"))
        let other = try rootInLoop(managed, length: 5)
        try other.send(message(.done, count: 5))
        #expect(try other.next(1)?.kind == .deliver)
        try other.send(message(.results, count: count, extra: 1, body: Bytes([1, 2, 3, 4, 5])))
        try other.send(message(.delivered))
        #expect(other.fault().contains("not 5"))
    }

    /// False deliveries of a worker that has done the examples 0 to 4.
    private static let lies: [[(first: Int64, count: Int64, stride: Int64)]] = [
        [(5, 5, 1)], [(0, 5, 2)], [(1 << 40, 5, 1)], [(0, 3, 1), (0, 2, 1)], [(3, 2, 1), (0, 3, 1)], [(0, 6, 1)],
        [(0, 4, 1)], [(0, 2, 1), (2, 4, 1)],
    ]

    @Test(
        "a worker that delivers results of other examples than it has done is lost, and the job goes on",
        arguments: Array(lies.indices))
    func lyingDelivery(_ index: Int) throws {
        var options = managed
        options.failures = FailurePolicy(crashLimit: 2)
        let root = try RootUnderTest(workers: 2)
        _ = try root.client.enterLoop(length: 10, options: options, working: false)
        let hosts = ["honest", "liar"]
        for rank in [1, 2] {
            try root.send(.entry(length: 10, options, host: hosts[2 - rank]), from: rank)
            #expect(try root.next(rank)?.kind == .assign)
        }
        try root.send(message(.done, first: 5, count: 5), from: 2)
        #expect(root.hears(done: 5))
        try root.send(message(.done, count: 5), from: 1)
        for rank in [1, 2] { #expect(try root.next(rank)?.kind == .deliver) }
        for lie in Self.lies[index] {
            try root.send(
                message(
                    .results, first: lie.first, count: lie.count, extra: lie.stride, body: Bytes([9, 9, 9, 9, 9, 9])))
        }
        try root.send(message(.delivered))
        #expect(
            root.observer.losses.wait(until: soon()) { $0.first }?.contains("nothing more of it is believed") == true)
        // Later messages from it have no effect either.
        try root.send(message(.exit, count: 7))
        try root.send(message(.results, first: 5, count: 5, extra: 1, body: Bytes([5, 6, 7, 8, 9])), from: 2)
        try root.send(message(.delivered), from: 2)
        #expect(try root.next(2)?.kind == .assign)
        try root.send(message(.done, first: 0, count: 5), from: 2)
        #expect(try root.next(2)?.kind == .deliver)
        try root.send(message(.results, first: 0, count: 5, extra: 1, body: Bytes([0, 1, 2, 3, 4])), from: 2)
        try root.send(message(.delivered), from: 2)
        var results: [Int: [UInt8]] = [:]
        while case .results(let run) = try root.client.event(of: 1) { results[run.first] = run.results.array }
        #expect(results == [0: [0, 1, 2, 3, 4], 5: [5, 6, 7, 8, 9]])
        #expect(root.client.end == nil)
    }

    @Test(
        "a worker that says anything else that cannot be is lost, too",
        arguments: [
            (Message.Kind.done, Int64(7)), (.done, 1 << 40), (.failed, 7), (.results, 0), (.delivered, 0),
            (.givenUp, 7), (.length, 0),
            (.assign, 0), (.fault, 0), (.enter, 3),
        ])
    func lying(_ kind: Message.Kind, _ first: Int64) throws {
        var options = map
        options.failures = FailurePolicy(crashLimit: 2)
        let root = try RootUnderTest(workers: 2)
        _ = try root.client.enterLoop(length: 5, options: options, working: false)
        try root.send(.entry(length: 5, options))
        #expect(try root.next(1)?.kind == .assign)
        try root.send(.entry(length: 5, options), from: 2)
        let body =
            kind == .failed || kind == .givenUp
            ? Fault(phase: .work, message: "m", rank: 1, host: "h").encoded : Bytes([0xff])
        try root.send(message(kind, first: first, count: 1, extra: kind == .enter ? -1 : 0, body: body))
        #expect(
            root.observer.losses.wait(until: soon()) { $0.first }?.contains("nothing more of it is believed") == true)
        #expect(try root.next(2)?.kind == .assign)
        #expect(root.client.end == nil)
    }

    @Test("results of impossible examples end the job", arguments: numbers, numbers)
    func impossibleResults(first: Int64, extra: Int64) throws {
        for count in Self.numbers {
            let isPossible =
                first >= 0 && first < .max - 2 && (0...2).contains(count) && extra > 0 && extra < 1 << 33
                && first < 1 << 33
            guard !isPossible else { continue }
            let run = ResultRun(
                first: Int(first), count: Int(count), stride: Int(extra), results: Bytes([1, 1]), rank: 1)
            guard !run.isPossible else { continue }
            let root = try RootUnderTest(workers: 1)
            try root.send(.entry(length: 10, managed))
            try root.send(message(.results, first: first, count: count, extra: extra, body: Bytes([1, 1])))
            #expect(root.fault().contains("impossible examples"))
        }
    }

    @Test("what only the root sends, and reports that cannot be read, end the job", arguments: Message.Kind.allCases)
    func otherKinds(kind: Message.Kind) throws {
        for number in Self.numbers {
            let root = try RootUnderTest(workers: 1)
            try root.send(
                message(
                    kind, operation: UInt64(bitPattern: number), first: number, count: number, extra: number,
                    body: Bytes([0xff])))
            switch kind {
            case .assign, .deliver, .end, .stop, .fault, .exit, .failed: #expect(root.end() != nil)
            default:
                // The other messages may do no more than end the job: the root still handles the next message.
                try root.send(message(.exit, count: 7))
                #expect(root.end() != nil)
            }
        }
    }

    @Test("a fault with any numbers is told", arguments: numbers)
    func faults(number: Int64) throws {
        let root = try RootUnderTest(workers: 1)
        let value = Value.map([
            (.text("phase"), .text("work")), (.text("message"), .text("m")), (.text("rank"), .integer(number)),
            (.text("example"), .integer(number)), (.text("status"), .integer(number)),
        ])
        try root.send(message(.fault, body: try value.encoded()))
        #expect(root.fault() == "m")
    }

    @Test("a random walk through messages ends in nothing worse than the end of the job", arguments: UInt64(1)...60)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let root = try RootUnderTest(workers: 2)
        _ = try root.client.enterLoop(length: 10, options: map)
        for _ in 0..<30 {
            let kind =
                [
                    Message.Kind.enter, .done, .failed, .leave, .retire, .length, .results, .delivered, .collective,
                    .goodbye,
                ]
                .randomElement(
                    using: &random) ?? .done
            func number() -> Int64 {
                Bool.random(using: &random)
                    ? Int64.random(in: -1...10, using: &random) : Self.numbers.randomElement(using: &random) ?? 0
            }
            let isPossible = kind == .enter && Bool.random(using: &random)
            let first = kind == .enter && Bool.random(using: &random) ? 10 : number()
            let body = isPossible ? Message.entry(length: 10, map).body : Bytes([1, 2, 3])
            try root.send(
                message(
                    kind, operation: UInt64.random(in: 1...2, using: &random), first: first, count: number(),
                    extra: number(), body: body),
                from: Int.random(in: 1...2, using: &random))
        }
        try root.send(message(.exit, count: 7))
        #expect(root.end() != nil, "seed \(seed)")
        #expect(throws: JobEnd.self, "seed \(seed)") { while true { _ = try root.client.event(of: 1) } }
    }
}
