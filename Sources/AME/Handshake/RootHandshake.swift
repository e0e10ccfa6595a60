/// The root's side of a handshake, as a state machine without a socket.
///
///     worker -> root   hello: greeting
///     root -> worker   challenge: greeting, code
///     worker -> root   proof: code
///     root -> worker   verdict, code
///
/// A peer that does not prove the key learns nothing but that a root is here, and which version it speaks.
struct RootHandshake {
    /// How far it has come.
    enum Outcome: Equatable {
        case pending
        case accepted(rank: Int)
        case failed(HandshakeError)
    }

    private(set) var outcome = Outcome.pending
    /// What the two encrypt with once they have come to terms; nil where they do not.
    private(set) var channel: SealedChannel?
    /// Whether the two share memory, once they have come to terms.
    private(set) var sharesMemory = false

    private let codes: HandshakeCodes
    private let greeting: Greeting
    /// Whom it takes.
    private let guest: Greeting.Role
    private var received: [UInt8] = []
    /// The worker's hello and our challenge, once they have been exchanged.
    private var exchanged: (hello: [UInt8], challenge: [UInt8])?

    /// Awaits the hello of a worker, or of a late one, which is accepted as rank 0: it gets its rank later.
    init(key: JobKey, greeting: Greeting, guest: Greeting.Role = .worker) {
        self.guest = guest
        codes = HandshakeCodes(key: key)
        self.greeting = greeting
    }

    /// How many bytes it takes next, at most; a peer sends no more before it has the answer.
    var wanted: Int {
        guard outcome == .pending else { return 0 }
        return (exchanged == nil ? Greeting.length : HandshakeCodes.length) - received.count
    }

    /// Takes bytes from the peer, no more than `wanted`, and returns what to send it.
    ///
    /// - Parameter isTaken: whether a rank is connected already.
    mutating func receive(_ bytes: [UInt8], isTaken: (Int) -> Bool) -> [UInt8] {
        precondition(bytes.count <= wanted, "more bytes than the handshake wants")
        received += bytes
        do {
            guard let (hello, challenge) = exchanged else { return try answerHello() }
            guard received.count == HandshakeCodes.length else { return [] }
            return try judge(hello: hello, challenge: challenge, isTaken: isTaken)
        } catch {
            outcome = .failed(error)
            // A worker of another version cannot check our code, but can tell its user the version.
            if case .version = error { return greeting.bytes }
            return []
        }
    }

    private mutating func answerHello() throws(HandshakeError) -> [UInt8] {
        try Greeting.checkVersion(received)
        guard received.count == Greeting.length else { return [] }
        _ = try Greeting(reading: received, by: guest)
        let challenge = greeting.bytes + codes.challenge(hello: received, greeting: greeting.bytes)
        exchanged = (received, challenge)
        received = []
        return challenge
    }

    private mutating func judge(
        hello: [UInt8], challenge: [UInt8], isTaken: (Int) -> Bool
    ) throws(HandshakeError) -> [UInt8] {
        guard codes.isValidProof(received, hello: hello, challenge: challenge) else { throw .key }
        let worker = try Greeting(reading: hello, by: guest)
        let verdict = verdict(on: worker, isTaken: isTaken)
        switch verdict {
        case .accepted:
            outcome = .accepted(rank: Int(worker.rank))
            sharesMemory = greeting.sharesMemory(with: worker)
            if greeting.isEncrypted {
                channel = SealedChannel(key: codes.key, hello: hello, challenge: challenge, role: .root)
            }
        case .refused(let refusal): outcome = .failed(.refused(refusal))
        }
        return verdict.bytes
            + codes.verdict(verdict.bytes, hello: hello, challenge: challenge, proof: received)
    }

    private func verdict(on worker: Greeting, isTaken: (Int) -> Bool) -> Verdict {
        if worker.isEncrypted != greeting.isEncrypted {
            return .refused(.encryptionDiffers(rootEncrypts: greeting.isEncrypted))
        }
        if guest == .lateWorker { return .accepted }
        if worker.size != greeting.size { return .refused(.sizeDiffers(greeting.size)) }
        if worker.rank == 0 || worker.rank >= greeting.size { return .refused(.rankOutOfRange) }
        return isTaken(Int(worker.rank)) ? .refused(.rankTaken) : .accepted
    }
}
