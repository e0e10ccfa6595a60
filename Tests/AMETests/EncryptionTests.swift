import DLP
import Glibc
import Testing

@testable import AME

@Suite("Agreeing on encryption")
struct EncryptionTests {
    static let key = JobKey()

    static func root(encrypts: Bool = true) -> RootHandshake {
        RootHandshake(key: key, greeting: Greeting(role: .root, rank: 0, size: 4, isEncrypted: encrypts))
    }

    static func worker(encrypts: Bool = true) -> WorkerHandshake {
        WorkerHandshake(key: key, greeting: Greeting(role: .worker, rank: 2, size: 4, isEncrypted: encrypts))
    }

    /// Whether what one end seals the other opens.
    static func isOpened(_ sealer: RecordCipher?, by opener: RecordCipher?) throws -> Bool {
        let wire = try SealingTests.wire([Message(.goodbye)], cipher: #require(sealer))[0]
        return SealingTests.open(wire, cipher: try #require(opener)).messages == [Message(.goodbye)]
    }

    @Test("both or neither", arguments: [(true, true), (true, false), (false, true), (false, false)])
    func agreement(rootEncrypts: Bool, workerEncrypts: Bool) throws {
        let exchange = HandshakeTests.Exchange(
            Self.root(encrypts: rootEncrypts), Self.worker(encrypts: workerEncrypts))
        #expect(exchange.isAgreed == (rootEncrypts == workerEncrypts))
        #expect((exchange.root.channel != nil) == (rootEncrypts && workerEncrypts))
        #expect((exchange.worker.channel != nil) == (rootEncrypts && workerEncrypts))
        if rootEncrypts != workerEncrypts {
            let refusal = HandshakeError.refused(.encryptionDiffers(rootEncrypts: rootEncrypts))
            #expect(exchange.worker.outcome == .failed(refusal))
            #expect(exchange.root.outcome == .failed(refusal))
        }
    }

    @Test("nobody in between can turn it off, or anything else", arguments: 0..<4)
    func downgrade(message: Int) {
        for place in 0..<[64, 96, 32, 48][message] {
            for mask: UInt8 in [1, 0xFF] {
                let exchange = HandshakeTests.Exchange(Self.root(), Self.worker()) { number, bytes in
                    guard number == message, place < bytes.count else { return bytes }
                    var bytes = bytes
                    bytes[place] ^= mask
                    return bytes
                }
                #expect(exchange.worker.outcome != .accepted, "message \(message), byte \(place), mask \(mask)")
                #expect(exchange.worker.channel == nil)
            }
        }
    }

    @Test("a worker told to encrypt refuses a root with the key that does not, whatever that says")
    func careless() {
        var worker = Self.worker()
        let codes = HandshakeCodes(key: Self.key)
        let greeting = Greeting(role: .root, rank: 0, size: 4).bytes
        let challenge = greeting + codes.challenge(hello: worker.hello, greeting: greeting)
        let proof = worker.receive(challenge)
        let verdict = Verdict.accepted.bytes
        let code = codes.verdict(verdict, hello: worker.hello, challenge: challenge, proof: proof)
        #expect(worker.receive(verdict + code).isEmpty)
        #expect(worker.outcome == .failed(.refused(.encryptionDiffers(rootEncrypts: false))))
    }

    @Test("each direction of each connection has a key of its own")
    func keys() throws {
        let one = HandshakeTests.Exchange(Self.root(), Self.worker())
        let two = HandshakeTests.Exchange(Self.root(), Self.worker())
        let (root, worker) = (one.root.channel, one.worker.channel)
        #expect(try Self.isOpened(root?.outgoing, by: worker?.incoming))
        #expect(try Self.isOpened(worker?.outgoing, by: root?.incoming))
        // Reflected to who sealed it, or replayed on another connection.
        #expect(try !Self.isOpened(root?.outgoing, by: root?.incoming))
        #expect(try !Self.isOpened(worker?.outgoing, by: worker?.incoming))
        #expect(try !Self.isOpened(root?.outgoing, by: two.worker.channel?.incoming))
        #expect(try !Self.isOpened(worker?.outgoing, by: two.root.channel?.incoming))
    }

    @Test("ranks that differ hear so, and the job waits for the right ones", arguments: [true, false])
    func misfit(rootEncrypts: Bool) throws {
        let job = try TestJob(size: 2, isEncrypted: rootEncrypts)
        let root = try job.root { try message(from: $0).rank }
        var other = job
        other.isEncrypted = !rootEncrypts
        let complaint = try other.worker(1) { _ in }.join().complaint ?? ""
        let words = rootEncrypts ? ("with", "without") : ("without", "with")
        #expect(complaint.hasPrefix("rank 0 was started \(words.0) --encrypt, rank 1 \(words.1) it"))
        let worker = try job.worker(1) { try $0.send(Message(.goodbye), to: 0) }
        try worker.join().get()
        #expect(try root.join().get() == 1)
    }

    @Test("messages of all sizes pass both ways", arguments: [Wire.local, .ipv4])
    func traffic(wire: Wire) throws {
        let job = try TestJob(size: 3, over: wire, isEncrypted: true)
        let bodies = [0, 1, 65_536, 65_537, 20_000_000, 3].map { pattern($0) }
        let root = try job.root { root throws in
            for body in bodies { try root.sendToAll(Message(.assign, body: body)) }
            for _ in 1..<3 {
                for _ in bodies { _ = try message(from: root, ignoringLosses: true) }
            }
        }
        let workers = try (1..<3).map { rank in
            try job.worker(rank) { worker throws in
                for body in bodies {
                    let received = try message(from: worker).message.body
                    #expect(areSame(received, body))
                    try worker.send(Message(.done, body: received), to: 0)
                }
            }
        }
        for worker in workers { try worker.join().get() }
        try root.join().get()
    }

    @Test("what goes over the wire does not show what was said; without encryption it does", arguments: [true, false])
    func secrecy(isEncrypted: Bool) throws {
        let secret = Array("the digits of the launch code".utf8)
        let job = try TestJob(size: 2, isEncrypted: isEncrypted)
        let root = try job.root { root throws in
            try root.send(Message(.assign, body: Bytes(secret)), to: 1)
            _ = try loss(from: root)
        }
        var connection: RawConnection? = try GateTests.join(job, rank: 1)
        let length = FrameHeader.length + secret.count
        let wire = connection?.receive(isEncrypted ? length + RecordCipher.tagLength : length) ?? []
        #expect(wire.count >= length)
        #expect((wire[FrameHeader.length..<length].elementsEqual(secret)) == !isEncrypted)
        connection = nil
        try root.join().get()
    }

    @Test("a peer with the key that goes on without encryption is lost, with the reason")
    func clear() throws {
        let job = try TestJob(size: 2, isEncrypted: true)
        let root = try job.root { try loss(from: $0).reason }
        let connection = try GateTests.join(job, rank: 1)
        connection.send(FrameTests.wire([Message(.goodbye)]))
        #expect(try root.join().get() == "it sent a message that is not encrypted")
        #expect(connection.waitForEnd())
    }

    @Test("bytes put into the connection by another end it before they count")
    func injection() throws {
        let job = try TestJob(size: 2, isEncrypted: true)
        let root = try job.root { try loss(from: $0).reason }
        let connection = try GateTests.join(job, rank: 1)
        connection.send(try SealingTests.wire([Message(.goodbye)])[0])
        #expect(try root.join().get() == FrameError.forged.description)
    }
}
