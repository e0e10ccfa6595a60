import CSystem
import DLP
import FaultRelay
import TestSupport
import Testing

@testable import AME

@Suite("Workers that come back", .serialized, .hangLimit)
struct ReturnTests {
    private static func side(_ role: Greeting.Role, rank: Int = 2, key: JobKey) -> WorkerHandshake {
        WorkerHandshake(key: key, greeting: Greeting(role: role, rank: rank, size: 4))
    }

    private static func root(_ guest: Greeting.Role = .returningWorker) -> RootHandshake {
        RootHandshake(
            key: HandshakeTests.key, greeting: Greeting(role: .root, rank: 0, size: 4), guest: guest)
    }

    private static func exchange(
        _ role: Greeting.Role, to root: RootHandshake = root(), key: JobKey = HandshakeTests.key,
        connected: Set<Int> = [],
        edit: (Int, [UInt8]) -> [UInt8] = { $1 }
    ) -> HandshakeTests.Exchange {
        HandshakeTests.Exchange(root, side(role, key: key), taken: connected, edit: edit)
    }

    @Test("only a rank that is awaited, says that it returns and has the key is taken back")
    func handshake() {
        #expect(Self.exchange(.returningWorker).isAgreed)
        let connected = Self.exchange(.returningWorker, connected: [2])
        #expect(connected.root.outcome == .failed(.refused(.notAwaited)) && connected.root.provenRank == 2)
        #expect(connected.worker.outcome == .failed(.refused(.notAwaited)))
        let stranger = Self.exchange(.returningWorker, key: JobKey())
        #expect(stranger.root.outcome == .failed(.key) && stranger.root.provenRank == nil)
        #expect(Self.exchange(.worker).root.outcome == .failed(.notARank))
        #expect(Self.exchange(.returningWorker, to: Self.root(.worker)).root.outcome == .failed(.notARank))
    }

    @Test("neither an old return nor the proof of the first connection takes a rank's place")
    func replay() {
        for old in [Self.exchange(.returningWorker), Self.exchange(.worker, to: Self.root(.worker))] {
            let replayed = Self.exchange(.returningWorker) { number, bytes in
                number == 0 ? old.hello : number == 2 ? old.proof : bytes
            }
            #expect(replayed.root.outcome != .accepted(rank: 2))
        }
        let changed = Self.exchange(.worker) { number, bytes in
            guard number == 0 else { return bytes }
            var bytes = bytes
            bytes[10] = Greeting.Role.returningWorker.rawValue
            return bytes
        }
        #expect(changed.root.outcome == .failed(.key))
    }

    private static func returned(to root: AMERoot) throws -> Int {
        let delivery = try root.receive(until: dlp_now() + generous)
        guard case .returned(let rank) = delivery else {
            throw CommunicationError("expected a return, got \(delivery)")
        }
        return rank
    }

    @Test(
        "what was under way when a connection broke is sent again, and the two go on", arguments: Relay.End.allCases,
        [false, true])
    func connection(_ end: Relay.End, _ isEncrypted: Bool) throws {
        let job = try TestJob(size: 2, over: .ipv4, isEncrypted: isEncrypted)
        let relay = try job.relay(Relay.Conduct())
        let root = try job.root { root throws in
            #expect(try message(from: root).message.first == 1)
            relay.cut(by: end)
            #expect(try loss(from: root).rank == 1)
            root.awaitReturn(of: 1)
            #expect(try Self.returned(to: root) == 1)
            try root.send(Message(.assign, first: 7, count: 1), to: 1)
            var first: [Int64] = []
            while first.last != 9 { first.append(try message(from: root).message.first) }
            return first
        }
        let worker = try job.worker(1, through: relay) { worker throws in
            try worker.watchHangup {}
            worker.allowReturn(within: generous)
            try worker.send(Message(.done, first: 1, count: 1), to: 0)
            guard case .returned = try worker.receive(until: dlp_now() + generous) else {
                throw CommunicationError("it has not returned")
            }
            let assigned = try message(from: worker).message
            try worker.send(Message(.done, first: 9, count: 1), to: 0)
            return assigned.first
        }
        #expect(try worker.join().get() == 7)
        // The first report may or may not have been acknowledged in time: it counts once.
        #expect([[9], [1, 9]].contains(try root.join().get()))
    }

    @Test("a rank that the root has given up is refused, and one whose root has gone finds nobody")
    func inVain() throws {
        let job = try TestJob(size: 3, over: .ipv4, inheritsListener: false)
        let root = try job.root { root throws in
            for _ in 1...2 { _ = try message(from: root) }
            root.drop(1)
            #expect(try loss(from: root).rank == 1)
            // By ending, the worker shows that it knows.
            #expect(try message(from: root).rank == 2)
        }
        let gone = Flag()
        let first = try job.worker(1) { worker throws in
            try worker.watchHangup { gone.set() }
            worker.allowReturn(within: generous)
            try worker.send(Message(.done), to: 0)
            return try loss(from: worker).reason
        }
        let second = try job.worker(2) { worker throws in
            try worker.watchHangup {}
            worker.allowReturn(within: generous)
            try worker.send(Message(.done), to: 0)
            while !gone.isSet { _ = try worker.receive(until: dlp_now() + 10_000_000) }
            try worker.send(Message(.done), to: 0)
            return try loss(from: worker).reason
        }
        #expect(try first.join().get() == "it closed the connection")
        #expect(try second.join().get() == "it closed the connection")
        _ = try root.join().get()
    }
}
