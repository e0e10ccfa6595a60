import CSystem
import DLP
import Glibc
import Testing

@testable import MPIBackend

@Suite("Bells")
struct BellsTests {
    /// The bells of a job on this host, by rank; each has a separate mapping, as in separate processes.
    static func bells(_ size: Int) throws -> [Bells] {
        var address = dlp_bells_address()
        let root = try Bells(ofRootOf: size, address: &address)
        return try [root] + (1..<size).map { try Bells(of: $0, size: size, root: address) }
    }

    /// A thread that runs `body`, to be joined.
    static func thread(_ body: @escaping @Sendable () -> Void) throws -> ServiceThread { try ServiceThread(body) }

    static let long: UInt64 = 60_000_000_000

    @Test("who sleeps wakes when its bell is rung, and only then")
    func wakes() throws {
        let bells = try Self.bells(3)
        for (ringer, sleeper) in [(0, 1), (1, 0), (2, 0), (0, 2)] {
            let (own, other) = (bells[sleeper], bells[ringer])
            let heard = own.rings
            other.ring((sleeper + 1) % 3)
            #expect(!own.wait(heard: heard, nanoseconds: 1_000_000))
            let thread = try Self.thread {
                usleep(20_000)
                other.ring(sleeper)
            }
            #expect(own.wait(heard: heard, nanoseconds: Self.long))
            #expect(own.rings == heard &+ 1 && !own.takeWake())
            thread.join()
        }
    }

    @Test("messages are counted for whom they are, rings and wakes are not")
    func announcements() throws {
        let bells = try Self.bells(3)
        bells[1].announce(to: 0)
        bells[2].announce(to: 0)
        bells[2].ring(0)
        bells[0].wake()
        bells[0].announce(to: 2)
        #expect(bells.map(\.announced) == [2, 0, 1] && bells.map(\.rings) == [4, 0, 1])
    }

    @Test("what was rung since the last look is not slept through")
    func early() throws {
        let bells = try Self.bells(2)
        let heard = bells[0].rings
        bells[1].ring(0)
        #expect(bells[0].wait(heard: heard, nanoseconds: Self.long))
    }

    @Test("no ring is lost, however many ring at once")
    func crowd() throws {
        let (ringers, rings) = (4, 20_000)
        let bells = try Self.bells(ringers + 1)
        let threads = try (1...ringers).map { rank in
            let own = bells[rank]
            return try Self.thread { for _ in 0..<rings { own.ring(0) } }
        }
        var heard: UInt32 = 0
        while heard < UInt32(ringers * rings) {
            let began = dlp_now()
            _ = bells[0].wait(heard: heard, nanoseconds: Self.long)
            // It may wake without a new ring, because of an earlier one, but it must not sleep through a ring.
            #expect(dlp_now() - began < Self.long, "it slept on after \(heard)")
            heard = bells[0].rings
        }
        #expect(heard == UInt32(ringers * rings))
        for thread in threads { thread.join() }
    }

    @Test("there and back, ten thousand times, each asleep meanwhile")
    func pingPong() throws {
        let bells = try Self.bells(2)
        let (root, worker) = (bells[0], bells[1])
        let times: UInt32 = 10_000
        let thread = try Self.thread {
            for number in 0..<times {
                while worker.rings == number { _ = worker.wait(heard: number, nanoseconds: Self.long) }
                worker.ring(0)
            }
        }
        let began = dlp_now()
        for number in 0..<times {
            root.ring(1)
            while root.rings == number { _ = root.wait(heard: number, nanoseconds: Self.long) }
        }
        thread.join()
        #expect(root.rings == times && worker.rings == times)
        #expect(dlp_now() - began < Self.long, "one of them slept on")
    }

    @Test("another thread wakes a rank, once")
    func waker() throws {
        for bells in try Self.bells(2) {
            let heard = bells.rings
            let thread = try Self.thread {
                bells.wake()
                bells.wake()
            }
            #expect(bells.wait(heard: heard, nanoseconds: Self.long))
            thread.join()
            #expect(bells.takeWake() && !bells.takeWake())
        }
    }

    @Test("the root hears all once all have found its bells; a worker hears the root at once")
    func hearsAll() throws {
        var address = dlp_bells_address()
        let root = try Bells(ofRootOf: 3, address: &address)
        #expect(!root.hearsAll)
        let first = try Bells(of: 1, size: 3, root: address)
        #expect(first.hearsAll && !root.hearsAll)
        let second = try Bells(of: 2, size: 3, root: address)
        #expect(second.hearsAll && root.hearsAll)
    }

    /// What a rank of another host is told, and what it may find at the same place.
    static let elsewhere: [@Sendable (inout dlp_bells_address) -> Void] = [
        { $0.process = 1 << 40 },
        { $0.descriptor = -1 },
        { $0.descriptor = 0 },
        { $0.nonce.0 ^= 1 },
        { $0.nonce.1 ^= 1 },
        { $0.count += 1 },
        { address in
            // A pipe, which could block for ever when it is opened.
            var ends: [Int32] = [-1, -1]
            pipe(&ends)
            address.descriptor = ends[0]
        },
    ]

    @Test("a rank of another host, which finds none, has bells of its own", arguments: elsewhere.indices)
    func farAway(place: Int) throws {
        var address = dlp_bells_address()
        let root = try Bells(ofRootOf: 2, address: &address)
        Self.elsewhere[place](&address)
        let worker = try Bells(of: 1, size: 2, root: address)
        #expect(!worker.hearsAll && !root.hearsAll)
        let heard = worker.rings
        root.ring(1)
        #expect(!worker.wait(heard: heard, nanoseconds: 1_000_000))
        worker.wake()
        #expect(worker.wait(heard: heard, nanoseconds: Self.long) && worker.takeWake())
        // The root does not hear its rings, which do no harm.
        worker.ring(0)
        #expect(root.rings == 0)
    }
}
