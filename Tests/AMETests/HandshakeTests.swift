import DLP
import Testing

@testable import AME

@Suite("Handshake")
struct HandshakeTests {
    static let key = JobKey()

    static func rootSide(size: Int = 4, key: JobKey = key) -> RootHandshake {
        RootHandshake(key: key, greeting: Greeting(role: .root, rank: 0, size: size))
    }

    static func workerSide(rank: Int = 2, size: Int = 4, key: JobKey = key) -> WorkerHandshake {
        WorkerHandshake(key: key, greeting: Greeting(role: .worker, rank: rank, size: size))
    }

    /// What the two sides sent, and how it ended.
    struct Exchange {
        var root: RootHandshake
        var worker: WorkerHandshake
        var hello: [UInt8] = []
        var answer: [UInt8] = []
        var proof: [UInt8] = []
        var verdict: [UInt8] = []

        /// Lets both sides talk; `edit` may change each of the four messages on its way.
        init(
            _ root: RootHandshake = rootSide(), _ worker: WorkerHandshake = workerSide(), taken: Set<Int> = [],
            edit: (Int, [UInt8]) -> [UInt8] = { $1 }
        ) {
            self.root = root
            self.worker = worker
            let isTaken = taken.contains
            hello = edit(0, worker.hello)
            answer = edit(1, feedRoot(hello, isTaken))
            proof = edit(2, feedWorker(answer))
            verdict = edit(3, feedRoot(proof, isTaken))
            _ = feedWorker(verdict)
        }

        private mutating func feedRoot(_ bytes: [UInt8], _ isTaken: (Int) -> Bool) -> [UInt8] {
            root.receive(Array(bytes.prefix(root.wanted)), isTaken: isTaken)
        }

        private mutating func feedWorker(_ bytes: [UInt8]) -> [UInt8] {
            worker.receive(Array(bytes.prefix(worker.wanted)))
        }

        var isAgreed: Bool { root.outcome == .accepted(rank: 2) && worker.outcome == .accepted }
    }

    @Test("ranks with the same key come to terms")
    func agreement() { #expect(Exchange().isAgreed) }

    @Test("a handshake may arrive byte by byte")
    func byteByByte() {
        var root = Self.rootSide()
        var worker = Self.workerSide()
        var toRoot = worker.hello
        var toWorker: [UInt8] = []
        while !(toRoot.isEmpty && toWorker.isEmpty) {
            if !toRoot.isEmpty { toWorker += root.receive([toRoot.removeFirst()]) { _ in false } }
            if !toWorker.isEmpty { toRoot += worker.receive([toWorker.removeFirst()]) }
        }
        #expect(root.outcome == .accepted(rank: 2))
        #expect(worker.outcome == .accepted)
        #expect(root.wanted == 0 && worker.wanted == 0)
    }

    @Test("any changed byte of any message keeps the worker from being accepted", arguments: 0..<4)
    func flips(message: Int) {
        let untouched = Exchange()
        let length = [untouched.hello, untouched.answer, untouched.proof, untouched.verdict][message].count
        #expect(length == [64, 64, 32, 48][message])
        for place in 0..<length {
            for mask: UInt8 in [1, 0x80, 0xFF] {
                let exchange = Exchange { number, bytes in
                    guard number == message, place < bytes.count else { return bytes }
                    var bytes = bytes
                    bytes[place] ^= mask
                    return bytes
                }
                #expect(exchange.worker.outcome != .accepted, "message \(message), byte \(place), mask \(mask)")
                if message < 3 { #expect(exchange.root.outcome != .accepted(rank: 2)) }
            }
        }
    }

    @Test("a message that is cut short leaves both sides waiting", arguments: 0..<4)
    func truncation(message: Int) {
        for length in 0..<[64, 64, 32, 48][message] {
            let exchange = Exchange { $0 == message ? Array($1.prefix(length)) : $1 }
            #expect(exchange.worker.outcome == .pending)
            if message < 3 { #expect(exchange.root.outcome == .pending) }
        }
    }

    @Test("without the key nobody is accepted, and the worker knows why")
    func wrongKey() {
        let exchange = Exchange(Self.rootSide(), Self.workerSide(key: JobKey()))
        #expect(exchange.worker.outcome == .failed(.key))
        #expect(exchange.root.outcome == .failed(.key))
        let sentence = HandshakeError.key.description(rank: 2, size: 4, endpoint: .tcp(host: "h", port: 1))
        #expect(sentence.hasPrefix("rank 0 has another key"))
    }

    @Test("a made-up proof is refused by words that anybody could say")
    func wrongProof() {
        let exchanges = (0..<2).map { _ in Exchange { $0 == 2 ? [UInt8](repeating: 0, count: 32) : $1 } }
        for exchange in exchanges { #expect(exchange.root.outcome == .failed(.key)) }
        #expect(exchanges[0].verdict == Verdict.refused(.keyDiffers).bytes + [UInt8](repeating: 0, count: 32))
        #expect(exchanges[0].verdict == exchanges[1].verdict)
    }

    @Test("before the proof the root says nothing that depends on the key", arguments: [false, true])
    func silence(isEncrypted: Bool) throws {
        let hello = Greeting(role: .worker, rank: 2, size: 4, isEncrypted: isEncrypted)
        var worker = WorkerHandshake(key: Self.key, greeting: hello)
        var root = RootHandshake(
            key: Self.key, greeting: Greeting(role: .root, rank: 0, size: 4, isEncrypted: isEncrypted))
        let answer = root.receive(worker.hello) { _ in false }
        // The part that is not plain text is a share, made before the root looked at its key.
        #expect(answer.count == Greeting.length)
        let share = Array(answer.suffix(Greeting.shareLength))
        #expect(!Array(worker.receive(answer)).isEmpty && share != Array(worker.hello.suffix(Greeting.shareLength)))
        var stranger = WorkerHandshake(key: JobKey(), greeting: hello)
        var other = RootHandshake(
            key: Self.key, greeting: Greeting(role: .root, rank: 0, size: 4, isEncrypted: isEncrypted))
        let verdict = other.receive(stranger.receive(other.receive(stranger.hello) { _ in false })) { _ in false }
        #expect(verdict == Verdict.refused(.keyDiffers).bytes + [UInt8](repeating: 0, count: 32))
    }

    @Test("a root that gets its own words back refuses them")
    func reflectionAtRoot() {
        let other = Greeting(role: .root, rank: 0, size: 4).bytes
        #expect(Exchange { $0 == 0 ? other : $1 }.root.outcome == .failed(.notARank))
        let shareReflected = Exchange { $0 == 2 ? [] : $1 }
        var root = shareReflected.root
        _ = root.receive(Array(shareReflected.answer.suffix(32))) { _ in false }
        #expect(root.outcome == .failed(.key))
    }

    @Test("a worker that gets its own words back refuses them")
    func reflectionAtWorker() {
        let exchange = Exchange { $0 == 1 ? Self.workerSide().hello : $1 }
        #expect(exchange.worker.outcome == .failed(.notARank))
        var worker = Self.workerSide()
        _ = worker.receive(worker.hello)
        #expect(worker.outcome == .failed(.notARank))
        // The worker's proof is not a root's verdict.
        let proofReflected = Exchange { $0 == 3 ? Verdict.accepted.bytes + Exchange().proof : $1 }
        #expect(proofReflected.worker.outcome == .failed(.key))
    }

    @Test("a worker does not take another worker for the root, nor the root a root for a worker")
    func wrongRole() {
        var root = Self.rootSide()
        _ = root.receive(Greeting(role: .root, rank: 2, size: 4).bytes) { _ in false }
        #expect(root.outcome == .failed(.notARank))
    }

    @Test("an old proof is of no use in a new handshake")
    func replay() {
        let old = Exchange()
        let replayed = Exchange { number, bytes in number == 0 ? old.hello : number == 2 ? old.proof : bytes }
        #expect(replayed.root.outcome == .failed(.key))
        let oldRoot = Exchange { number, bytes in number == 1 ? old.answer : bytes }
        #expect(oldRoot.worker.outcome == .failed(.key))
        let oldVerdict = Exchange { number, bytes in number == 3 ? old.verdict : bytes }
        #expect(oldVerdict.worker.outcome == .failed(.key))
    }

    @Test("a root of another version says so, and the worker tells its user")
    func rootVersion() {
        let exchange = Exchange { number, bytes in
            guard number == 1 else { return bytes }
            var bytes = bytes
            bytes[8] = UInt8(FrameHeader.version + 1)
            return bytes
        }
        let own = FrameHeader.version
        #expect(exchange.worker.outcome == .failed(.version(own + 1)))
        let sentence = HandshakeError.version(own + 1).description(rank: 2, size: 4, endpoint: .tcp(host: "h", port: 1))
        let expected =
            "rank 0 speaks version \(own + 1) of the protocol, this program version \(own): start the same dlp-lua on every "
            + "rank"
        #expect(sentence == expected)
    }

    @Test("a worker of another version is told ours, however long its hello is", arguments: [10, 11, 64])
    func workerVersion(length: Int) {
        var hello = Self.workerSide().hello
        hello[8] = 9
        var root = Self.rootSide()
        let answer = root.receive(Array(hello.prefix(length))) { _ in false }
        #expect(root.outcome == .failed(.version(9)))
        #expect(answer.prefix(10) == Self.workerSide().hello.prefix(10))
        #expect(answer.count == Greeting.length)
    }

    @Test("garbage is refused as soon as it shows")
    func garbage() {
        var root = Self.rootSide()
        #expect(root.receive(Array("GET / HTTP/1.1\r\n".utf8)) { _ in false }.isEmpty)
        #expect(root.outcome == .failed(.notARank))
    }

    static let refusals: [(Int, Int, Set<Int>, Verdict.Refusal)] = [
        (2, 5, [], .sizeDiffers(4)), (0, 4, [], .rankOutOfRange), (4, 4, [], .rankOutOfRange),
        (Int(Int32.max), 4, [], .rankOutOfRange), (2, 4, [2], .rankTaken),
    ]

    @Test("a worker with the key hears why it is refused", arguments: refusals)
    func refusal(rank: Int, size: Int, taken: Set<Int>, refusal: Verdict.Refusal) {
        let exchange = Exchange(Self.rootSide(), Self.workerSide(rank: rank, size: size), taken: taken)
        #expect(exchange.root.outcome == .failed(.refused(refusal)))
        #expect(exchange.worker.outcome == .failed(.refused(refusal)))
    }

    @Test("reserved bytes and flags are bound into the codes")
    func reserved() {
        for place in [11] + Array(20..<32) {
            let flipped = Exchange { number, bytes in
                guard number == 0 else { return bytes }
                var bytes = bytes
                bytes[place] = 1
                return bytes
            }
            #expect(flipped.worker.outcome == .failed(.key))
        }
    }
}
