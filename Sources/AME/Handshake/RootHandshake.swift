/// The root's side of a handshake, as a state machine without a socket.
///
///     worker -> root   hello: greeting, with a public key where the two may encrypt
///     root -> worker   answer: greeting, the same
///     worker -> root   proof: code
///     root -> worker   verdict, code
///
/// The side that connects proves the key first. A peer that does not prove it learns that a root is here, and which
/// version it speaks, but gets nothing by which the key could be guessed.
struct RootHandshake {
    /// How far it has come.
    enum Outcome: Equatable {
        case pending
        case accepted(rank: Int)
        case failed(HandshakeError)
    }

    private(set) var outcome = Outcome.pending
    /// The ciphers, once the handshake has succeeded; nil where nothing is encrypted.
    private(set) var channel: SealedChannel?
    /// Whether the two share memory, once the handshake has succeeded.
    private(set) var sharesMemory = false
    /// The rank that the worker says it has, once it has proved the key.
    private(set) var provenRank: Int?

    private let key: JobKey
    private var greeting: Greeting
    /// The role of the peers that it accepts.
    private let guest: Greeting.Role
    private var received: [UInt8] = []
    /// The worker's hello, and our half of the exchange of keys where there is one, once we have answered.
    private var answered: (hello: [UInt8], half: EphemeralKey?)?

    /// Waits for the hello of a worker, of one that comes back, or of a late one.
    ///
    /// A late one is accepted as rank 0 and gets its rank later.
    init(key: JobKey, greeting: Greeting, guest: Greeting.Role = .worker) {
        self.guest = guest
        self.key = key
        self.greeting = greeting
    }

    /// How many bytes it takes next, at most; a peer sends no more before it has the answer.
    var wanted: Int {
        guard outcome == .pending else { return 0 }
        return (answered == nil ? Greeting.length : HandshakeCodes.length) - received.count
    }

    /// Takes bytes from the peer, no more than `wanted`, and returns what to send it.
    ///
    /// - Parameter isTaken: whether a rank is connected already, or is not awaited back.
    mutating func receive(_ bytes: [UInt8], isTaken: (Int) -> Bool) -> [UInt8] {
        precondition(bytes.count <= wanted, "more bytes than the handshake wants")
        received += bytes
        do {
            guard let (hello, half) = answered else { return try answerHello() }
            guard received.count == HandshakeCodes.length else { return [] }
            return try judge(hello: hello, half: half, isTaken: isTaken)
        } catch {
            outcome = .failed(error)
            switch error {
            // With this a worker of another version can tell its user ours.
            case .version: return greeting.bytes
            // With this a worker with another key can tell its user so. A peer that guesses keys would learn that
            // anyway, when the connection ends.
            case .key: return Verdict.refused(.keyDiffers).bytes + [UInt8](repeating: 0, count: HandshakeCodes.length)
            case .notARank, .refused: return []
            }
        }
    }

    private mutating func answerHello() throws(HandshakeError) -> [UInt8] {
        try Greeting.checkVersion(received)
        guard received.count == Greeting.length else { return [] }
        let worker = try Greeting(reading: received, by: guest)
        greeting.hasKey = greeting.hasKey && worker.hasKey
        let half = greeting.hasKey ? EphemeralKey() : nil
        if let half { greeting.share = half.publicKey }
        answered = (received, half)
        received = []
        return greeting.bytes
    }

    private mutating func judge(
        hello: [UInt8], half: EphemeralKey?, isTaken: (Int) -> Bool
    ) throws(HandshakeError) -> [UInt8] {
        let worker = try Greeting(reading: hello, by: guest)
        let shared = try half?.secret(with: worker.share) ?? []
        let codes = HandshakeCodes(key: key, shared: shared, hello: hello, answer: greeting.bytes)
        guard codes.isValidProof(received) else { throw .key }
        provenRank = Int(worker.rank)
        let verdict = verdict(on: worker, isTaken: isTaken)
        switch verdict {
        case .accepted:
            outcome = .accepted(rank: Int(worker.rank))
            sharesMemory = greeting.sharesMemory(with: worker)
            if try greeting.encrypts(with: worker) { channel = codes.channel(for: .root) }
        case .refused(let refusal): outcome = .failed(.refused(refusal))
        }
        return verdict.bytes + codes.verdict(verdict.bytes, proof: received)
    }

    private func verdict(on worker: Greeting, isTaken: (Int) -> Bool) -> Verdict {
        do { _ = try greeting.encrypts(with: worker) } catch {
            return .refused(.encryptionDiffers(rootEncrypts: greeting.isEncrypted))
        }
        if guest == .lateWorker { return .accepted }
        if worker.size != greeting.size { return .refused(.sizeDiffers(greeting.size)) }
        if worker.rank == 0 || worker.rank >= greeting.size { return .refused(.rankOutOfRange) }
        guard isTaken(Int(worker.rank)) else { return .accepted }
        return .refused(guest == .returningWorker ? .notAwaited : .rankTaken)
    }
}
