import DLP
import Glibc
import Testing

@testable import AME

@Suite("Agreeing on encryption")
struct EncryptionTests {
    static let key = JobKey()

    static func root(encrypts: Bool = true, hasKey: Bool? = nil) -> RootHandshake {
        RootHandshake(
            key: key, greeting: Greeting(role: .root, rank: 0, size: 4, isEncrypted: encrypts, hasKey: hasKey))
    }

    static func worker(encrypts: Bool = true, hasKey: Bool? = nil) -> WorkerHandshake {
        WorkerHandshake(
            key: key, greeting: Greeting(role: .worker, rank: 2, size: 4, isEncrypted: encrypts, hasKey: hasKey))
    }

    /// Whether one end can open what the other one seals.
    static func isOpened(_ sealer: RecordCipher?, by opener: RecordCipher?) throws -> Bool {
        let wire = try SealingTests.wire([Message(.goodbye)], cipher: #require(sealer))[0]
        return SealingTests.open(wire, cipher: try #require(opener)).messages == [Message(.goodbye)]
    }

    @Test("as soon as one wants it, where both can", arguments: [false, true], [false, true])
    func agreement(rootEncrypts: Bool, workerEncrypts: Bool) throws {
        let exchange = HandshakeTests.Exchange(
            Self.root(encrypts: rootEncrypts, hasKey: true), Self.worker(encrypts: workerEncrypts, hasKey: true))
        #expect(exchange.isAgreed)
        #expect((exchange.root.channel != nil) == (rootEncrypts || workerEncrypts))
        #expect((exchange.worker.channel != nil) == (rootEncrypts || workerEncrypts))
    }

    @Test("where one wants it and the other cannot, the worker hears so", arguments: [true, false])
    func disagreement(rootEncrypts: Bool) throws {
        let exchange = HandshakeTests.Exchange(
            Self.root(encrypts: rootEncrypts), Self.worker(encrypts: !rootEncrypts))
        #expect(exchange.worker.outcome == .failed(.refused(.encryptionDiffers(rootEncrypts: rootEncrypts))))
        // A side that does not encrypt may be anyone, so it learns nothing from which the key could be guessed.
        #expect(exchange.proof.isEmpty && exchange.root.outcome == .pending)
    }

    @Test("a root told to encrypt refuses a worker with the key that does not, whatever that says")
    func carelessWorker() {
        var root = Self.root()
        let hello = Greeting(role: .worker, rank: 2, size: 4).bytes
        let answer = root.receive(hello) { _ in false }
        let codes = HandshakeCodes(key: Self.key, shared: [], hello: hello, answer: answer)
        #expect(!root.receive(codes.proof) { _ in false }.isEmpty)
        #expect(root.outcome == .failed(.refused(.encryptionDiffers(rootEncrypts: true))))
        #expect(root.channel == nil)
    }

    /// Points of small order on Curve25519 and its twist, from the list at https://cr.yp.to/ecdh.html, and one that
    /// is not a canonical number.
    static let smallOrderPoints: [[UInt8]] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ].map { text in
        stride(from: 0, to: 64, by: 2).map { place in
            UInt8(text.utf8.dropFirst(place).prefix(2).reduce(0) { $0 * 16 + Int($1) - ($1 > 57 ? 87 : 48) })
        }
    }

    @Test("points of small order, with which a secret would be none, are refused", arguments: smallOrderPoints)
    func smallOrder(point: [UInt8]) throws {
        #expect(throws: HandshakeError.key) { try EphemeralKey().secret(with: point) }
        // Even from a worker that has the key.
        var root = Self.root()
        let hello = Array(Self.worker().hello.dropLast(Greeting.shareLength)) + point
        let answer = root.receive(hello) { _ in false }
        let shared = [UInt8](repeating: 0, count: 32)
        _ = root.receive(HandshakeCodes(key: Self.key, shared: shared, hello: hello, answer: answer).proof) { _ in false
        }
        #expect(root.outcome == .failed(.key) && root.channel == nil)
        var worker = Self.worker()
        var greeting = Greeting(role: .root, rank: 0, size: 4, isEncrypted: true)
        greeting.share = point
        #expect(worker.receive(greeting.bytes).isEmpty && worker.outcome == .failed(.key))
    }

    @Test("who learns the key later cannot read what was recorded, nor can an onlooker test guesses")
    func forwardSecrecy() throws {
        let exchange = HandshakeTests.Exchange(Self.root(), Self.worker())
        let opening = (hello: exchange.hello, answer: exchange.answer)
        // Everything that an observer has apart from the key: the bytes that were sent.
        let codes = HandshakeCodes(key: Self.key, shared: [], hello: opening.hello, answer: opening.answer)
        #expect(!codes.isValidProof(exchange.proof))
        #expect(try !Self.isOpened(exchange.root.channel?.outgoing, by: codes.channel(for: .worker).incoming))
        // The shares are used only once.
        let other = HandshakeTests.Exchange(Self.root(), Self.worker())
        #expect(
            exchange.hello.suffix(32) != other.hello.suffix(32) && exchange.answer.suffix(32) != other.answer.suffix(32)
        )
    }

    @Test("who puts keys of its own in between is found out by both", arguments: [true, false])
    func inBetween(isAtRoot: Bool) throws {
        // An attacker in between cannot make a proof for what it has sent to the root, nor a verdict for what it has
        // sent to the worker.
        let own = EphemeralKey().publicKey
        let exchange = HandshakeTests.Exchange(Self.root(), Self.worker()) { number, bytes in
            number == (isAtRoot ? 0 : 1) ? Array(bytes.dropLast(Greeting.shareLength)) + own : bytes
        }
        #expect(exchange.root.outcome == .failed(.key))
        #expect(exchange.worker.outcome == .failed(.key))
    }

    @Test("nobody in between can turn it off, or anything else", arguments: 0..<4)
    func downgrade(message: Int) {
        for place in 0..<[64, 64, 32, 48][message] {
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

    @Test("each direction of each connection has a key of its own")
    func keys() throws {
        let one = HandshakeTests.Exchange(Self.root(), Self.worker())
        let two = HandshakeTests.Exchange(Self.root(), Self.worker())
        let (root, worker) = (one.root.channel, one.worker.channel)
        #expect(try Self.isOpened(root?.outgoing, by: worker?.incoming))
        #expect(try Self.isOpened(worker?.outgoing, by: root?.incoming))
        // Reflected to the side that sealed it, or replayed on another connection.
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
        let (does, doesNot) = rootEncrypts ? (0, 1) : (1, 0)
        #expect(complaint.hasPrefix("rank \(does) encrypts what the two say to each other, rank \(doesNot) does not"))
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
        var connection: RawConnection? = try AcceptorTests.join(job, rank: 1)
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
        let connection = try AcceptorTests.join(job, rank: 1)
        connection.send(FrameTests.wire([Message(.goodbye)]))
        #expect(try root.join().get() == "it sent a message that is not encrypted")
        #expect(connection.waitForEnd())
    }

    @Test("bytes put into the connection by another end it before they count")
    func injection() throws {
        let job = try TestJob(size: 2, isEncrypted: true)
        let root = try job.root { try loss(from: $0).reason }
        let connection = try AcceptorTests.join(job, rank: 1)
        connection.send(try SealingTests.wire([Message(.goodbye)])[0])
        #expect(try root.join().get() == FrameError.forged.description)
    }
}
