/// A worker's side of a handshake, as a state machine without a socket; see `RootHandshake`.
struct WorkerHandshake {
    /// How far it has come.
    enum Outcome: Equatable {
        case pending
        case accepted
        case failed(HandshakeError)
    }

    /// What to send first.
    let hello: [UInt8]
    private(set) var outcome = Outcome.pending
    /// What the two encrypt with once they have come to terms; nil where they do not.
    private(set) var channel: SealedChannel?
    /// Whether the two share memory, once they have come to terms.
    private(set) var sharesMemory = false

    private let codes: HandshakeCodes
    private let greeting: Greeting
    private var received: [UInt8] = []
    /// The root's challenge and our proof, once they have been exchanged.
    private var exchanged: (challenge: [UInt8], proof: [UInt8])?

    /// Ready to send `hello`.
    init(key: JobKey, greeting: Greeting) {
        codes = HandshakeCodes(key: key)
        hello = greeting.bytes
        self.greeting = greeting
    }

    /// Whether the peer has shown that it has the key.
    var isRootProven: Bool { exchanged != nil }

    /// How many bytes it takes next, at most; what follows the verdict is not part of the handshake.
    var wanted: Int {
        guard outcome == .pending else { return 0 }
        return (exchanged == nil ? Greeting.length : Verdict.length) + HandshakeCodes.length - received.count
    }

    /// Takes bytes from the root, no more than `wanted`, and returns what to send it.
    mutating func receive(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count <= wanted, "more bytes than the handshake wants")
        received += bytes
        do {
            guard let (challenge, proof) = exchanged else { return try answerChallenge() }
            if received.count == Verdict.length + HandshakeCodes.length {
                try accept(challenge: challenge, proof: proof)
            }
        } catch {
            outcome = .failed(error)
        }
        return []
    }

    private mutating func answerChallenge() throws(HandshakeError) -> [UInt8] {
        try Greeting.checkVersion(received)
        guard received.count == Greeting.length + HandshakeCodes.length else { return [] }
        let greeting = Array(received.prefix(Greeting.length))
        _ = try Greeting(reading: greeting, by: .root)
        let code = Array(received.suffix(HandshakeCodes.length))
        guard codes.isValidChallenge(code, hello: hello, greeting: greeting) else { throw .key }
        let proof = codes.proof(hello: hello, challenge: received)
        exchanged = (received, proof)
        received = []
        return proof
    }

    private mutating func accept(challenge: [UInt8], proof: [UInt8]) throws(HandshakeError) {
        let words = Array(received.prefix(Verdict.length))
        let code = Array(received.suffix(HandshakeCodes.length))
        guard codes.isValidVerdict(code, verdict: words, hello: hello, challenge: challenge, proof: proof) else {
            throw .key
        }
        guard let verdict = Verdict(reading: words) else { throw .notARank }
        if case .refused(let refusal) = verdict { throw .refused(refusal) }
        // A root that does not look at what we want must not have it another way.
        let root = try Greeting(reading: challenge, by: .root)
        guard root.isEncrypted == greeting.isEncrypted else {
            throw .refused(.encryptionDiffers(rootEncrypts: root.isEncrypted))
        }
        if greeting.isEncrypted {
            channel = SealedChannel(key: codes.key, hello: hello, challenge: challenge, role: .worker)
        }
        sharesMemory = greeting.sharesMemory(with: root)
        outcome = .accepted
    }
}
