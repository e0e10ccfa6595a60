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
    /// The ciphers, once the handshake has succeeded; nil where nothing is encrypted.
    private(set) var channel: SealedChannel?
    /// Whether the two share memory, once the handshake has succeeded.
    private(set) var sharesMemory = false

    private let key: JobKey
    private let greeting: Greeting
    /// Our half of the exchange of keys, where we take part in one.
    private let half: EphemeralKey?
    private var received: [UInt8] = []
    /// The root's greeting, our proof, and the codes that cover both, once they have been exchanged.
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

    /// Whether the peer may count this worker as connected from its next message on.
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

    /// Gives the proof to any peer that answers: only the root can check it, or a peer that has posed as the root from
    /// the start.
    private mutating func prove() throws(HandshakeError) -> [UInt8] {
        try Greeting.checkVersion(received)
        guard received.count == Greeting.length else { return [] }
        let root = try Greeting(reading: received, by: .root)
        // A root that ignores what we want must neither get a connection without it, nor learn anything.
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
        // This verdict has no code, so any peer may send it. It only means that the peer is not our root.
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
