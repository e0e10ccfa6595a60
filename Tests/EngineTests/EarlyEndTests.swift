import Codec
import Scheduling
import SystemSupport
import Testing

@testable import Engine

@Suite("A loop whose results are taken in order, and one that ends early")
struct EarlyEndTests {
    private static func options(window: Int? = nil, shares: Int? = nil) -> LoopOptions {
        var options = LoopOptions(results: .stream, examples: .replicated, chunk: shares == nil ? 1 : nil)
        options.failures = FailurePolicy(continues: true, crashLimit: 3)
        options.window = window
        (options.shares, options.sharesInChunks) = (shares, shares != nil)
        return options
    }

    private func given(_ root: EngineUnderTest) -> [Int] {
        root.communicator.take().flatMap { sent -> [Int] in
            guard case .assign(_, let chunk, _, _) = sent.message else { return [] }
            return Array(chunk.indices)
        }
    }

    private func done(_ example: Int) -> ToRoot {
        .done(loop: 1, ChunkReport(first: example, completed: 1, nanoseconds: 1_000_000_000, results: Bytes([1])))
    }

    @Test(
        "no example is handed out from the limit on before the root allows it, in whatever mode", arguments: [nil, 2])
    func window(_ shares: Int?) {
        let root = EngineUnderTest(ranks: 3)
        let options = Self.options(window: 3, shares: shares)
        root.enter(0, length: 9, options, working: false)
        root.enter(1, length: 9, options)
        root.enter(2, length: 9, options)
        #expect(given(root) == [0, 1])
        root.say(done(1), from: 2)
        if shares == nil { #expect(given(root) == [2]) } else { #expect(given(root).isEmpty) }
        if shares == nil { root.say(done(2), from: 2) }
        #expect(given(root).isEmpty)
        root.engine.handle(.allow(1, below: 4))
        #expect(given(root) == [3])
    }

    @Test("what a lost rank had is done again although the limit has been lowered meanwhile")
    func lostRank() {
        let root = EngineUnderTest(ranks: 3)
        let options = Self.options(window: 3)
        root.enter(0, length: 9, options, working: false)
        root.enter(1, length: 9, options)
        root.enter(2, length: 9, options)
        root.say(done(1), from: 2)
        root.say(done(2), from: 2)
        #expect(given(root) == [0, 1, 2])
        root.engine.handle(.allow(1, below: 1))
        root.engine.lost(1, "it closed its end")
        #expect(given(root) == [0])
    }

    @Test("a list that may grow is worked off when all that there is of it is done, and over when it is closed")
    func growth() {
        let root = EngineUnderTest(ranks: 2)
        var options = Self.options()
        options.mayGrow = true
        root.enter(0, length: 2, options, working: false)
        root.enter(1, length: 2, options)
        root.say(done(0), from: 1)
        root.say(done(1), from: 1)
        var events: [LoopEvent] = []
        while let event = root.nextEvent() { events.append(event) }
        guard events.count == 3, case .workedOff(added: 0)? = events.last else {
            Issue.record("\(events)")
            return
        }
        _ = root.communicator.take()
        root.engine.handle(.feed(1, .examples([Bytes([7])])))
        root.engine.handle(.feed(1, .added(1)))
        guard case .assign(_, let chunk, _, let examples)? = root.communicator.take().first?.message else {
            Issue.record("nothing is handed out")
            return
        }
        #expect(chunk.first == 2 && examples == Bytes([7]) && root.nextEvent() == nil)
        root.say(done(2), from: 1)
        guard case .results? = root.nextEvent(), case .workedOff(added: 1)? = root.nextEvent() else {
            Issue.record("nobody is told")
            return
        }
        root.engine.handle(.close(1))
        guard case .end(loop: 1, length: 3, isCutShort: false)? = root.communicator.take().first?.message else {
            Issue.record("it is not over")
            return
        }
    }

    @Test("who is at work on a loop that is abandoned learns that the job is over, and nobody waits for it")
    func abandon() {
        let root = EngineUnderTest(ranks: 4)
        root.enter(0, length: 2, Self.options(), working: false)
        for rank in 1...3 { root.enter(rank, length: 2, Self.options()) }
        #expect(given(root) == [0, 1])
        root.engine.handle(.abandon(1))
        root.engine.handle(.message(.leave(loop: 1)))
        var (stopped, ended): ([Int], [Int]) = ([], [])
        for sent in root.communicator.take() {
            switch sent.message {
            case .stop(status: 0, isEarly: true): stopped.append(sent.rank)
            case .end: ended.append(sent.rank)
            default: Issue.record("\(sent)")
            }
        }
        #expect(stopped == [1, 2] && root.communicator.dismissed == [1, 2] && ended == [3])
        // Messages on their way have no effect, and neither has the end of the connection.
        root.say(done(0), from: 1)
        root.engine.lost(2, "it closed its end")
        root.say(.goodbye, from: 3)
        root.engine.handle(.rootHasFinished)
        root.pass(milliseconds: 10_000)
        #expect(root.engine.end == nil && root.observer.losses.withLock { $0 }.isEmpty)
        #expect(root.nextEvent() == nil)
        #expect(root.shared.inbox.withLock { $0.departed } == 3)
        #expect(!root.engine.stop(status: 0).isEarly)
    }
}
