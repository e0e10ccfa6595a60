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

    private let key: JobKey
    private let greeting: Greeting
    /// Our half of the exchange of keys, where we take part in one.
    private let half: EphemeralKey?
    private var received: [UInt8] = []
    /// The root's greeting, our proof and what both are covered by, once they have been exchanged.
    private var proven: (root: Greeting, proof: [UInt8], codes: HandshakeCodes)?

    /// Ready to send `hello`.
    init(key: JobKey, greeting: Greeting) {
        self.key = key
        half = greeting.hasKey ? EphemeralKey() : nil
        var greeting = greeting
        if let half { greeting.share = half.publicKey }
        self.greeting = greeting
        hello = greeting.bytes
    }

    /// Whether the peer may count this worker as connected from its next word on.
    var hasProved: Bool { proven != nil }

    /// How many bytes it takes next, at most; what follows the verdict is not part of the handshake.
    var wanted: Int {
        guard outcome == .pending else { return 0 }
        return (proven == nil ? Greeting.length : Verdict.length + HandshakeCodes.length) - received.count
    }

    /// Takes bytes from the root, no more than `wanted`, and returns what to send it.
    mutating func receive(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count <= wanted, "more bytes than the handshake wants")
        received += bytes
        do {
            guard let (root, proof, codes) = proven else { return try prove() }
            if received.count == Verdict.length + HandshakeCodes.length {
                try accept(root, proof: proof, codes: codes)
            }
        } catch {
            outcome = .failed(error)
        }
        return []
    }

    /// Whoever answers gets the proof: only the root can look into it, or who plays the root from the start.
    private mutating func prove() throws(HandshakeError) -> [UInt8] {
        try Greeting.checkVersion(received)
        guard received.count == Greeting.length else { return [] }
        let root = try Greeting(reading: received, by: .root)
        // A root that does not look at what we want must not have it another way, nor learn anything.
        _ = try greeting.encrypts(with: root)
        var shared: [UInt8] = []
        if root.hasKey {
            guard let half else { throw .notARank }
            shared = try half.secret(with: root.share)
        }
        let codes = HandshakeCodes(key: key, shared: shared, hello: hello, answer: received)
        let proof = codes.proof
        proven = (root, proof, codes)
        received = []
        return proof
    }

    private mutating func accept(
        _ root: Greeting, proof: [UInt8], codes: HandshakeCodes
    ) throws(HandshakeError) {
        let words = Array(received.prefix(Verdict.length))
        let verdict = Verdict(reading: words)
        // Whoever says so, nothing follows from it but that this is not our root.
        if verdict == .refused(.keyDiffers) { throw .key }
        let code = Array(received.suffix(HandshakeCodes.length))
        guard codes.isValidVerdict(code, verdict: words, proof: proof) else { throw .key }
        guard let verdict else { throw .notARank }
        if case .refused(let refusal) = verdict { throw .refused(refusal) }
        if try greeting.encrypts(with: root) { channel = codes.channel(for: .worker) }
        sharesMemory = greeting.sharesMemory(with: root)
        outcome = .accepted
    }
}
