import CSystem
import DLP
import Glibc
import Testing

@testable import AME

@Suite("Letting workers in", .serialized)
struct AcceptorTests {
    /// Plays worker `rank` by hand until it is accepted.
    static func join(_ job: TestJob, rank: Int) throws -> RawConnection {
        let connection = try job.connect()
        let greeting = Greeting(role: .worker, rank: rank, size: job.size, isEncrypted: job.isEncrypted)
        var handshake = WorkerHandshake(key: job.key, greeting: greeting)
        connection.send(handshake.hello)
        while handshake.outcome == .pending { connection.send(handshake.receive(connection.receive(handshake.wanted))) }
        try #require(handshake.outcome == .accepted)
        return connection
    }

    @Test("missing ranks are named", arguments: [Wire.local, .ipv4])
    func missing(wire: Wire) throws {
        let job = try TestJob(size: 8, over: wire)
        let root = try job.root(within: second) { _ in }
        let connections = try [1, 3, 4].map { try Self.join(job, rank: $0) }
        #expect(try root.join().complaint == "ranks 2 and 5-7 of 8 did not connect within 1 s")
        for connection in connections { #expect(connection.waitForEnd()) }
    }

    @Test("a worker without a root says where it looked", arguments: [Wire.local, .ipv4])
    func noRoot(wire: Wire) throws {
        let job = try TestJob(size: 2, over: wire, inheritsListener: false)
        let complaint = try job.worker(1, within: second / 5) { _ in }.join().complaint ?? ""
        #expect(complaint.hasPrefix("rank 1 cannot reach rank 0 at \(job.endpoint) within 0.2 s: Connection refused"))
    }

    @Test("a worker whose root takes the connection but says nothing gives up at its deadline")
    func silentRoot() throws {
        let job = try TestJob(size: 2)
        let complaint = try job.worker(1, within: second / 5) { _ in }.join().complaint ?? ""
        #expect(complaint.contains("it took the connection but did not answer"))
    }

    @Test("a worker that finds the port closed, or closed in its face, tries again until the root is there")
    func lateRoot() throws {
        let job = try TestJob(size: 2, over: .ipv4, inheritsListener: false)
        let worker = try job.worker(1) { try $0.send(Message(.goodbye), to: 0) }
        guard case .tcp(_, let port) = job.endpoint else { throw CommunicationError("not TCP") }
        // Another program on the port, which closes each connection at once and then ends.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
        try #require(withLoopback(isIPv6: false, port: port) { bind(descriptor, $0, $1) } == 0)
        try #require(listen(descriptor, 10) == 0)
        for _ in 0..<3 { close(accept(descriptor, nil, nil)) }
        // `close` alone is not enough: a program that is being started holds the socket open a moment longer.
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
        let root = try job.root { try message(from: $0).rank }
        #expect(try root.join().get() == 1)
        try worker.join().get()
    }

    @Test("a worker with another key is told so, and the right one still gets in")
    func wrongKey() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { try message(from: $0).rank }
        let stranger = try job.worker(1, key: JobKey()) { _ in }
        #expect(try stranger.join().complaint?.hasPrefix("rank 0 has another key") == true)
        let worker = try job.worker(1) { try $0.send(Message(.goodbye), to: 0) }
        try worker.join().get()
        #expect(try root.join().get() == 1)
    }

    @Test("a worker that does not fit is told so, and the right ones still get in")
    func misfits() throws {
        let job = try TestJob(size: 3)
        let root = try job.root { root in try loss(from: root).rank + loss(from: root).rank }
        let first = try Self.join(job, rank: 1)
        let duplicate = try job.worker(1) { _ in }.join().complaint
        #expect(duplicate?.hasPrefix("rank 0 is connected with another rank 1 already") == true)
        let size = try job.worker(1, size: 5) { _ in }.join().complaint
        #expect(size?.hasPrefix("rank 0 was started as one of 3 ranks, rank 1 as one of 5") == true)
        _ = try job.worker(2) { _ in }.join().get()
        first.send(Array(repeating: 0, count: 100))
        #expect(try root.join().get() == 3)
    }

    @Test("a worker that meets another program says so")
    func notARoot() throws {
        let (descriptor, port) = try listenOnLoopback(.ipv4)
        defer { close(descriptor) }
        let environment = AMEEnvironment(
            rank: 1, size: 2, endpoints: [.tcp(host: "localhost", port: port)], key: JobKey())
        let server = try TestThread {
            let connection = accept(descriptor, nil, nil)
            _ = send(connection, "SSH-2.0-OpenSSH\r\n", 17, Int32(MSG_NOSIGNAL))
            close(connection)
        }
        let error = #expect(throws: CommunicationError.self) {
            try AMEWorker(environment: environment, connectTimeout: generous)
        }
        #expect(error?.description.hasPrefix("what answers at localhost:\(port) is not rank 0") == true)
        try server.join()
    }

    @Test("a peer that breaks the protocol is lost, the others are not")
    func badFrame() throws {
        let job = try TestJob(size: 3)
        let root = try job.root { root throws in
            let (rank, reason) = try loss(from: root)
            #expect(rank == 1 && reason == "it sent bytes that are not a message")
            #expect(try message(from: root).rank == 2)
        }
        let bad = try Self.join(job, rank: 1)
        let good = try Self.join(job, rank: 2)
        bad.send(Array("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: everything, and more\r\n\r\n".utf8))
        #expect(bad.waitForEnd())
        good.send(FrameTests.wire([Message(.goodbye)]))
        try root.join().get()
    }

    @Test("a peer that ends in the middle of a message is lost without that message")
    func halfFrame() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { root throws in
            #expect(try message(from: root).message == Message(.done))
            #expect(try loss(from: root).reason == "it closed the connection in the middle of a message")
        }
        var connection: RawConnection? = try Self.join(job, rank: 1)
        connection?.send(FrameTests.wire([Message(.done), Message(.done, body: pattern(100))]).dropLast())
        connection = nil
        try root.join().get()
    }

    @Test("strangers of every kind keep nobody out", arguments: [Wire.local, .ipv4])
    func strangers(wire: Wire) throws {
        let job = try TestJob(size: 4, over: wire)
        let root = try job.root { root throws in
            for _ in 1..<4 { #expect(try message(from: root, ignoringLosses: true).message == Message(.goodbye)) }
        }
        let hello = Greeting(role: .worker, rank: 1, size: 4).bytes
        var open: [RawConnection] = []
        for number in 0..<300 {
            let stranger = try job.connect()
            switch number % 6 {
            case 0: open.append(stranger)
            case 1: stranger.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            case 2: break
            case 3:
                stranger.send(Array(hello.prefix(5)))
                open.append(stranger)
            case 4:
                stranger.send(hello + [UInt8](repeating: 7, count: 32))
                open.append(stranger)
            default:
                stranger.send(hello)
                shutdown(stranger.descriptor, Int32(SHUT_WR))
                open.append(stranger)
            }
        }
        let workers = try (1..<4).map { rank in try job.worker(rank) { try $0.send(Message(.goodbye), to: 0) } }
        for worker in workers { try worker.join().get() }
        try root.join().get()
        // The strangers that are still there have been let go.
        for stranger in open { _ = stranger.receive(Greeting.length + Verdict.length + HandshakeCodes.length) }
        for stranger in open { #expect(stranger.waitForEnd()) }
    }

    @Test("a thousand silent strangers leave room: the oldest go")
    func crowd() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { try message(from: $0).rank }
        var crowd: [RawConnection] = []
        for number in 0..<1000 {
            crowd.append(try job.connect())
            // The number exceeds the limit, so the oldest are dropped without waiting for their deadline.
            let excess = number - Acceptor.reserve - job.size
            if excess > 0, number % 100 == 0 { #expect(crowd[excess - 1].waitForEnd()) }
        }
        let worker = try job.worker(1) { try $0.send(Message(.goodbye), to: 0) }
        try worker.join().get()
        #expect(try root.join().get() == 1)
    }

    @Test("a flood of strangers that never ends keeps no worker out", arguments: [Wire.local, .ipv4])
    func flood(wire: Wire) throws {
        let job = try TestJob(size: 4, over: wire)
        let isOver = Flag()
        defer { isOver.set() }
        let flood = try TestThread {
            var strangers: [RawConnection] = []
            while !isOver.isSet {
                // Each stranger waits for an answer and does nothing with it, so that it is still there when more
                // come.
                guard let stranger = RawConnection(to: job.endpoint) else { continue }
                stranger.send(Greeting(role: .worker, rank: 1, size: 4).bytes)
                strangers.append(stranger)
                if strangers.count == 100 { strangers.removeFirst(50) }
            }
        }
        let root = try job.root { root throws in
            for _ in 1..<4 { #expect(try message(from: root, ignoringLosses: true).message == Message(.goodbye)) }
        }
        let workers = try (1..<4).map { rank in try job.worker(rank) { try $0.send(Message(.goodbye), to: 0) } }
        for worker in workers { try worker.join().get() }
        try root.join().get()
        isOver.set()
        try flood.join()
    }

    @Test("one who drips its bytes in is cut off")
    func slowDrip() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { try message(from: $0).rank }
        let dripper = try job.connect()
        let began = dlp_now()
        let hello = Greeting(role: .worker, rank: 1, size: 2).bytes
        var watched = pollfd(fd: dripper.descriptor, events: Int16(POLLIN), revents: 0)
        var sent = 0
        // `poll` sets the pace of the bytes; it returns 1 once the root has hung up.
        while poll(&watched, 1, 200) == 0, dlp_now() - began < generous {
            dripper.send([hello[min(sent, 62)]])
            sent += 1
            if sent > 62 { break }
        }
        #expect(sent <= 62)
        #expect(dripper.waitForEnd())
        let worker = try job.worker(1) { try $0.send(Message(.goodbye), to: 0) }
        try worker.join().get()
        #expect(try root.join().get() == 1)
    }

    @Test("strangers while a job goes on change nothing, and wait for the next program")
    func duringTheJob() throws {
        let job = try TestJob(size: 2)
        let root = try job.root { root throws in
            for number in 0..<2000 {
                #expect(try message(from: root).message.first == Int64(number))
                try root.send(Message(.assign, first: number), to: 1)
            }
        }
        let worker = try Self.join(job, rank: 1)
        var strangers: [RawConnection] = []
        for number in 0..<2000 {
            if number % 4 == 0 {
                strangers.append(try job.connect())
                strangers.last?.send([1, 2, 3])
            }
            worker.send(FrameTests.wire([Message(.done, first: number)]))
            #expect(worker.receive(FrameHeader.length).count == FrameHeader.length)
        }
        try root.join().get()
    }
}
