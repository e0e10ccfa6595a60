import CSystem
import DLP
import Glibc
import Testing

@testable import AME

/// The kinds of sockets that this machine has.
private let wires = Wire.allCases.filter { $0 != .ipv6 || hasIPv6 }

@Suite("Root and workers", .serialized)
struct ConnectionsTests {
    @Test("a job of one rank needs no socket")
    func single() throws {
        let environment = AMEEnvironment(
            rank: 0, size: 1, endpoints: [.tcp(host: "nowhere.invalid", port: 1)], key: JobKey())
        let root = try AMERoot(environment: environment, connectTimeout: second)
        #expect(root.size == 1 && root.address == nil)
        try root.send(Message(.goodbye), to: 0)
        #expect(try message(from: root).message == Message(.goodbye))
        guard case .timedOut = try root.receive(until: dlp_now()) else { throw CommunicationError("nothing was sent") }
        root.close(until: nil)
    }

    @Test("messages between two ranks keep their order", arguments: wires)
    func order(wire: Wire) throws {
        let job = try TestJob(size: 4, over: wire)
        let root = try job.root { root throws in
            var next = [0, 0, 0, 0]
            for _ in 0..<3000 {
                let (message, rank) = try message(from: root, ignoringLosses: true)
                #expect(message.first == Int64(next[rank]) && message.body.count == next[rank] % 50)
                next[rank] += 1
                try root.send(Message(.assign, count: next[rank]), to: rank)
            }
            return next
        }
        let workers = try (1..<4).map { rank in
            try job.worker(rank) { worker throws in
                #expect(worker.rank == rank && worker.size == 4)
                for number in 0..<1000 {
                    try worker.send(Message(.done, first: number, body: pattern(number % 50)), to: 0)
                }
                for number in 1...1000 { #expect(try message(from: worker).message == Message(.assign, count: number)) }
            }
        }
        for worker in workers { try worker.join().get() }
        #expect(try root.join().get() == [0, 1000, 1000, 1000])
    }

    @Test("bytes of a message under way are counted", arguments: wires)
    func byteCount(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire)
        let worker = try job.worker(1) { worker throws in
            // More than the sockets hold: it does not go through unless the root receives.
            try worker.send(Message(.done, body: pattern(50_000_000)), to: 0)
        }
        let root = try job.root { root throws in
            var counts: [UInt64] = []
            while true {
                let delivery = try root.receive(until: dlp_now() + 1)
                let count = root.byteCount(from: 1)
                if count != counts.last { counts.append(count) }
                if case .message = delivery { return counts }
            }
        }
        try worker.join().get()
        let counts = try root.join().get()
        #expect(counts.count > 3 && counts == counts.sorted() && counts.last ?? 0 >= 50_000_000)
    }

    @Test("rank 0 opens the port itself where none is inherited", arguments: wires)
    func ownListener(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire, inheritsListener: false)
        let worker = try job.worker(1) { try $0.send(Message(.goodbye), to: 0) }
        let root = try job.root { root throws in
            #expect(root.address == "\(job.endpoint)")
            return try message(from: root).rank
        }
        #expect(try root.join().get() == 1)
        try worker.join().get()
    }

    @Test("both ways at once, with more under way than sockets hold, nothing stands still", arguments: wires)
    func crossfire(wire: Wire) throws {
        let job = try TestJob(size: 3, over: wire)
        let body = pattern(1 << 20)
        let rounds = 12
        let root = try job.root { root throws in
            // All messages are queued before the first receive.
            for number in 0..<rounds {
                for rank in 1..<3 { try root.send(Message(.assign, first: number, body: body), to: rank) }
            }
            for _ in 0..<(2 * rounds) {
                #expect(areSame(try message(from: root, ignoringLosses: true).message.body, body))
            }
        }
        let workers = try (1..<3).map { rank in
            try job.worker(rank) { worker throws in
                for number in 0..<rounds { try worker.send(Message(.done, first: number, body: body), to: 0) }
                for number in 0..<rounds {
                    let (message, _) = try message(from: worker)
                    #expect(message.first == Int64(number) && areSame(message.body, body))
                }
            }
        }
        for worker in workers { try worker.join().get() }
        try root.join().get()
    }

    @Test("a body of 100 MB goes there and back", arguments: [Wire.local, .ipv4])
    func large(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire)
        let body = pattern(100_000_001)
        let root = try job.root { root throws in
            try root.send(Message(.assign, body: body), to: 1)
            let back = try message(from: root).message.body
            return areSame(back, body)
        }
        let worker = try job.worker(1) { worker throws in
            try worker.send(Message(.done, body: try message(from: worker).message.body), to: 0)
        }
        try worker.join().get()
        #expect(try root.join().get())
    }

    @Test("what a rank has said is heard before its loss, and the loss once", arguments: wires)
    func departure(wire: Wire) throws {
        let job = try TestJob(size: 3, over: wire)
        let root = try job.root { root throws in
            for number in 0..<100 { #expect(try message(from: root).message.first == Int64(number)) }
            let (rank, reason) = try loss(from: root)
            #expect(rank == 1 && reason == "it closed the connection")
            // Sending to a lost rank is no error, and the others go on.
            try root.send(Message(.stop), to: 1)
            try root.send(Message(.stop), to: 2)
            #expect(try message(from: root).rank == 2)
        }
        let leaver = try job.worker(1) { worker throws in
            for number in 0..<100 { try worker.send(Message(.done, first: number), to: 0) }
        }
        let stayer = try job.worker(2) { worker throws in
            _ = try message(from: worker)
            try worker.send(Message(.goodbye), to: 0)
        }
        try leaver.join().get()
        try stayer.join().get()
        try root.join().get()
    }

    @Test("what was queued for a worker arrives though the root closes at once", arguments: wires)
    func lastWords(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire)
        let body = pattern(8_000_000)
        let root = try job.root { root throws in
            _ = try message(from: root)
            try root.send(Message(.assign, body: body), to: 1)
            try root.send(Message(.stop, count: 3), to: 1)
        }
        let worker = try job.worker(1) { worker throws in
            try worker.send(Message(.goodbye), to: 0)
            #expect(areSame(try message(from: worker).message.body, body))
            #expect(try message(from: worker).message == Message(.stop, count: 3))
            #expect(try loss(from: worker).rank == 0)
            #expect(throws: CommunicationError.self) { try worker.receive(until: nil) }
            #expect(throws: CommunicationError.self) { try worker.send(Message(.goodbye), to: 0) }
        }
        try worker.join().get()
        try root.join().get()
    }

    @Test("a worker that sends to a root that has gone hears its last word first", arguments: wires)
    func lastWordBeforeError(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire)
        let root = try job.root { root throws in
            _ = try message(from: root)
            try root.send(Message(.stop, count: 7), to: 1)
        }
        let worker = try job.worker(1) { worker throws in
            try worker.send(Message(.goodbye), to: 0)
            try root.join().get()
            // The root's host has closed the connection; sooner or later sending notices it.
            for _ in 0..<100 { try worker.send(Message(.done, body: pattern(1000)), to: 0) }
            #expect(try message(from: worker).message == Message(.stop, count: 7))
            #expect(try loss(from: worker).rank == 0)
        }
        try worker.join().get()
    }

    @Test("the root knows where a rank is or was, though that has not said so", arguments: wires)
    func hosts(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire)
        let root = try job.root { root throws in
            let before = root.host(of: 1)
            _ = try loss(from: root)
            return [before, root.host(of: 1)]
        }
        try job.worker(1) { _ in }.join().get()
        #expect(try root.join().get() == [HostName.current, HostName.current])
    }

    private static func expectWoken(_ communicator: some Communicator) throws {
        for _ in 0..<100 {
            let waker = communicator.waker
            let thread = try TestThread { waker.wake() }
            guard case .woken = try communicator.receive(until: dlp_now() + generous) else {
                throw CommunicationError("something else than a wake")
            }
            try thread.join()
        }
        communicator.waker.wake()
        communicator.waker.wake()
        guard case .woken = try communicator.receive(until: nil),
            case .timedOut = try communicator.receive(until: dlp_now())
        else { throw CommunicationError("two wakes before a receive are one") }
    }

    @Test("a wake ends a receive on another thread, or the next one", arguments: [Wire.local, .ipv4])
    func wake(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire)
        let root = try job.root { root throws in
            try Self.expectWoken(root)
            try root.send(Message(.assign), to: 1)
            _ = try message(from: root)
        }
        let worker = try job.worker(1) { worker throws in
            _ = try message(from: worker)
            try Self.expectWoken(worker)
            try worker.send(Message(.goodbye), to: 0)
        }
        try root.join().get()
        try worker.join().get()
    }

    @Test("a receive without anything to receive ends at its deadline")
    func deadline() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { root throws in
            guard case .timedOut = try root.receive(until: dlp_now() + 5_000_000) else {
                throw CommunicationError("no deadline")
            }
            try root.send(Message(.stop), to: 1)
            _ = try message(from: root)
        }
        let worker = try job.worker(1) { worker throws in
            _ = try message(from: worker)
            let deadline = dlp_now() + 5_000_000
            guard case .timedOut = try worker.receive(until: deadline) else { throw CommunicationError("no deadline") }
            #expect(dlp_now() >= deadline)
            try worker.send(Message(.goodbye), to: 0)
        }
        try worker.join().get()
        try root.join().get()
    }

    @Test("a worker that computes learns that the root has gone", arguments: wires)
    func hangup(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire)
        let root = try job.root { _ = try message(from: $0) }
        let worker = try job.worker(1) { worker throws in
            let waker = worker.waker
            try worker.watchHangup { waker.wake() }
            try worker.send(Message(.goodbye), to: 0)
            try root.join().get()
            // The watch wakes this receive, or the receive first finds the end itself and the wake follows.
            var seen = try worker.receive(until: nil)
            if case .lost = seen {
                worker.stopWatching()
                return
            }
            guard case .woken = seen else { throw CommunicationError("unexpected \(seen)") }
            seen = try worker.receive(until: nil)
            guard case .lost = seen else { throw CommunicationError("unexpected \(seen)") }
        }
        try worker.join().get()
    }

    @Test("a watch that is ended does not call")
    func stopWatching() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { _ = try message(from: $0) }
        let worker = try job.worker(1) { worker throws in
            try worker.watchHangup { Issue.record("the watch was ended before the root went") }
            worker.stopWatching()
            worker.stopWatching()
            try worker.send(Message(.goodbye), to: 0)
            try root.join().get()
            #expect(try loss(from: worker).rank == 0)
        }
        try worker.join().get()
    }

    @Test("workers talk with rank 0 only")
    func noDetour() throws {
        let job = try TestJob(size: 3)
        let root = try job.root { root in for _ in 1..<3 { _ = try message(from: root, ignoringLosses: true) } }
        let workers = try (1..<3).map { rank in
            try job.worker(rank) { worker throws in
                #expect(throws: CommunicationError.self) { try worker.send(Message(.goodbye), to: 3 - rank) }
                try worker.send(Message(.goodbye), to: 0)
            }
        }
        for worker in workers { try worker.join().get() }
        try root.join().get()
    }

    @Test("an idle root sleeps")
    func idleRoot() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { root throws in
            let before = threadTime()
            guard case .timedOut = try root.receive(until: dlp_now() + second / 2) else {
                throw CommunicationError("not idle")
            }
            let used = threadTime() - before
            try root.send(Message(.stop), to: 1)
            return used
        }
        let worker = try job.worker(1) { _ = try message(from: $0) }
        try worker.join().get()
        #expect(try root.join().get() < second / 20)
    }
}
