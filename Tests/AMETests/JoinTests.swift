import CSystem
import DLP
import Glibc
import Testing

@testable import AME

@Suite("Joining a running job", .serialized)
struct JoinTests {
    private static let key = JobKey()

    private static func door() throws -> JoinDoor {
        try JoinDoor.open(at: .host("127.0.0.1"), port: 0, key: key)
    }

    /// Starts rank 0 of a separate job, with a door, on a thread.
    private func root<Result: Sendable>(
        _ door: JoinDoor, encryption: AMEEnvironment.Encryption = .betweenHosts,
        _ body: @escaping @Sendable (AMERoot) throws -> Result
    ) throws -> TestThread<Swift.Result<Result, any Error>> {
        var environment = AMEEnvironment(rank: 0, size: 1, endpoints: [], key: JobKey())
        environment.encryption = encryption
        return try TestThread { [environment] in
            Swift.Result {
                let root = try AMERoot(environment: environment, door: door, connectTimeout: generous)
                defer { root.close(until: dlp_now() + generous) }
                return try body(root)
            }
        }
    }

    private func join(
        _ door: JoinDoor, key: JobKey = key, within timeout: UInt64 = generous
    ) throws -> AMEWorker {
        let endpoint = try #require(door.endpoints.first)
        return try AMEWorker(joining: endpoint, key: key, connectTimeout: timeout)
    }

    /// Returns the rank that has joined according to the next delivery.
    private static func joined(_ root: AMERoot) throws -> Int {
        let delivery = try root.receive(until: dlp_now() + generous)
        guard case .joined(let rank) = delivery else { throw CommunicationError("expected a rank, got \(delivery)") }
        return rank
    }

    @Test("late workers get the next ranks, and talk with the root")
    func ranks() throws {
        let door = try Self.door()
        let root = try root(door) { root throws in
            #expect(try [Self.joined(root), Self.joined(root)] == [1, 2])
            try root.send(Message(.offer, body: pattern(3_000_000)), to: 2)
            #expect(try message(from: root).rank == 2)
            #expect(try loss(from: root).rank == 2)
            return try Self.joined(root)
        }
        let first = try join(door)
        #expect(first.rank == 1 && first.size == 1)
        let second = try join(door)
        #expect(second.rank == 2)
        #expect(areSame(try message(from: second).message.body, pattern(3_000_000)))
        try second.send(Message(.goodbye), to: 0)
        second.close(until: nil)
        #expect(try join(door).rank == 3, "a number is never given again")
        #expect(try root.join().get() == 3)
        first.close(until: nil)
    }

    @Test(
        "a late worker's connection is encrypted, whatever the job does",
        arguments: [.off, .betweenHosts, .everywhere] as [AMEEnvironment.Encryption])
    func encrypted(_ encryption: AMEEnvironment.Encryption) throws {
        let door = try Self.door()
        let root = try root(door, encryption: encryption) { root throws in
            let rank = try Self.joined(root)
            try root.send(Message(.offer, body: Bytes(Array("the script".utf8))), to: rank)
            return try message(from: root).message.body
        }
        let endpoint = try #require(door.endpoints.first)
        let connection = try #require(RawConnection(to: endpoint))
        var careless = WorkerHandshake(key: Self.key, greeting: Greeting(role: .lateWorker, rank: 0, size: 0))
        connection.send(careless.hello)
        while careless.outcome == .pending { connection.send(careless.receive(connection.receive(careless.wanted))) }
        #expect(careless.outcome == .failed(.refused(.encryptionDiffers(rootEncrypts: true))))
        let worker = try join(door)
        #expect(try message(from: worker).message.body == Bytes(Array("the script".utf8)))
        try worker.send(Message(.results, body: pattern(70_000)), to: 0)
        #expect(areSame(try root.join().get(), pattern(70_000)))
        worker.close(until: nil)
    }

    @Test("a late worker does not talk to a root that does not encrypt")
    func plainRoot() throws {
        let (descriptor, port) = try listenOnLoopback(.ipv4)
        let endpoint = AMEEnvironment.Endpoint.tcp(host: "127.0.0.1", port: port)
        // A root with the key, or an attacker in between that imitates one.
        let root = try TestThread {
            let connection = accept(descriptor, nil, nil)
            var hello = [UInt8](repeating: 0, count: Greeting.length)
            _ = recv(connection, &hello, hello.count, Int32(MSG_WAITALL))
            let greeting = Greeting(role: .root, rank: 0, size: 1).bytes
            _ = send(connection, greeting, greeting.count, Int32(MSG_NOSIGNAL))
            let count = recv(connection, &hello, hello.count, 0)
            close(connection)
            close(descriptor)
            return count
        }
        let error = #expect(throws: CommunicationError.self) {
            try AMEWorker(joining: endpoint, key: Self.key, connectTimeout: generous)
        }
        #expect(error?.description == "the job at \(endpoint) does not take this worker")
        #expect(try root.join() <= 0, "it learned something about the key")
    }

    @Test("a job of several ranks takes late ones once it has begun")
    func beside() throws {
        let job = try TestJob(size: 3)
        let door = try Self.door()
        let environment = job.environment(rank: 0)
        let root = try TestThread {
            Swift.Result { () throws -> Int in
                let root = try AMERoot(environment: environment, door: door, connectTimeout: generous)
                defer { root.close(until: dlp_now() + generous) }
                let late = try Self.joined(root)
                try root.sendToAll(Message(.goodbye))
                try root.send(Message(.stop), to: late)
                return late
            }
        }
        let worker = try TestThread { [self] in Swift.Result { try message(from: join(door)).message.kind } }
        let others = try (1..<3).map { rank in try job.worker(rank) { try message(from: $0).message.kind } }
        #expect(try root.join().get() == 3)
        #expect(try worker.join().get() == .stop, "what all the others are sent is not for it")
        for other in others { #expect(try other.join().get() == .goodbye) }
    }

    @Test("a door has a key of its own, and another is told so")
    func wrongKey() throws {
        let door = try Self.door()
        let root = try root(door) { try Self.joined($0) }
        let error = #expect(throws: CommunicationError.self) { try join(door, key: JobKey()) }
        #expect(
            error?.description.contains("another key") == true && error?.description.contains("DLP_JOIN_KEY") == true)
        _ = try join(door)
        #expect(try root.join().get() == 1)
    }

    @Test("a worker of the job's start does not come in by the door, nor a late one at the start")
    func wrongDoor() throws {
        let door = try Self.door()
        let root = try root(door) { try Self.joined($0) }
        let endpoint = try #require(door.endpoints.first)
        let greeting = Greeting(role: .worker, rank: 1, size: 2)
        let connection = try #require(RawConnection(to: endpoint))
        connection.send(WorkerHandshake(key: Self.key, greeting: greeting).hello)
        #expect(connection.waitForEnd())
        _ = try join(door)
        #expect(try root.join().get() == 1)

        var start = RootHandshake(key: Self.key, greeting: Greeting(role: .root, rank: 0, size: 2))
        let late = Greeting(role: .lateWorker, rank: 0, size: 0).bytes
        #expect(start.receive(late) { _ in false }.isEmpty)
        #expect(start.outcome == .failed(.notARank))
    }

    @Test("strangers of every kind keep nobody out, and cost a closed socket")
    func strangers() throws {
        let door = try Self.door()
        let root = try root(door) { try Self.joined($0) }
        let endpoint = try #require(door.endpoints.first)
        let hello = Greeting(role: .lateWorker, rank: 0, size: 0).bytes
        var open: [RawConnection] = []
        for number in 0..<200 {
            let stranger = try #require(RawConnection(to: endpoint))
            switch number % 4 {
            case 0: stranger.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
            case 1: stranger.send(hello + [UInt8](repeating: 7, count: 32))
            case 2: stranger.send(Array(hello.prefix(9)))
            default: break
            }
            open.append(stranger)
        }
        _ = try join(door)
        #expect(try root.join().get() == 1)
        for stranger in open { _ = stranger.receive(Greeting.length + Verdict.length + HandshakeCodes.length) }
        for stranger in open { #expect(stranger.waitForEnd()) }
    }

    @Test("a silent stranger is let go while the root has nothing else to do")
    func silent() throws {
        let door = try Self.door()
        let root = try root(door) { try Self.joined($0) }
        let endpoint = try #require(door.endpoints.first)
        let stranger = try #require(RawConnection(to: endpoint))
        #expect(stranger.waitForEnd())
        _ = try join(door)
        #expect(try root.join().get() == 1)
    }

    @Test("an idle root with a door uses no processor time")
    func idle() throws {
        let door = try Self.door()
        let root = try root(door) { root in
            let before = threadTime()
            _ = try root.receive(until: dlp_now() + second)
            return threadTime() - before
        }
        #expect(try root.join().get() < second / 10)
    }

    @Test("where no job can be joined the user is told where it was looked for")
    func nobody() throws {
        let (descriptor, port) = try listenOnLoopback(.ipv4)
        close(descriptor)
        let error = #expect(throws: CommunicationError.self) {
            try AMEWorker(
                joining: .tcp(host: "127.0.0.1", port: port), key: JobKey(), connectTimeout: second / 5)
        }
        #expect(error?.description.hasPrefix("no job can be joined at 127.0.0.1:\(port) within 0.2 s") == true)
    }

    @Test("what can be reached is where the door is", arguments: ["127.0.0.1", "::1"])
    func address(_ host: String) throws {
        let door = try JoinDoor.open(at: .host(host), port: 0, key: Self.key)
        let root = try root(door) { try Self.joined($0) }
        guard case .tcp(host, let port)? = door.endpoints.first else {
            Issue.record("\(door.endpoints)")
            return
        }
        #expect(port != 0)
        #expect(throws: CommunicationError.self) { try JoinDoor.open(at: .host(host), port: port, key: Self.key) }
        _ = try join(door)
        #expect(try root.join().get() == 1)
    }

    @Test("a secret gives the same key everywhere, and must not be short")
    func secrets() throws {
        #expect(try JobKey(secret: "fifteen letters") == nil && JobKey(secret: "") == nil)
        let key = try #require(try JobKey(secret: "a secret of some length"))
        #expect(try key.base64 == JobKey(secret: "a secret of some length")?.base64)
        #expect(try key.base64 != JobKey(secret: "a secret of same length")?.base64)
        #expect(JobKey(base64: key.base64)?.base64 == key.base64)
    }

    @Test("a secret is stretched by scrypt (RFC 7914), so that each guess costs time and memory")
    func stretched() throws {
        // Python: hashlib.scrypt(b"a secret of some length", salt=b"dlp-lua join key", n=1 << 15, r=8, p=1,
        // maxmem=1 << 26, dklen=64)
        let expected = "0kIj6vP7AmYzUMiF35onFmgLlzjbdr9kA0eoxO8I7bJu5xYp8Fgjv3V+vzMaNESZKgkq0YImPrYnulVs0CaUNg=="
        #expect(try JobKey(secret: "a secret of some length")?.base64 == expected)
    }

    @Test("new secrets are long, without a blank, and never the same")
    func newSecrets() throws {
        let secrets = (0..<50).map { _ in JobKey.newSecret() }
        #expect(Set(secrets).count == secrets.count)
        for secret in secrets {
            #expect(secret.utf8.count == 43 && Base64.decode(secret + "=")?.count == 32)
        }
        #expect(try JobKey(secret: secrets[0]) != nil)
    }
}
