/// What the two ends of an encrypted connection encrypt with: a cipher for each direction.
struct SealedChannel {
    /// What this end sends.
    let outgoing: RecordCipher
    /// What it receives.
    let incoming: RecordCipher

    private static let toRootLabel = Array("dlp-ame worker to root\0".utf8)
    private static let toWorkerLabel = Array("dlp-ame root to worker\0".utf8)

    /// The channel of a connection on which `hello` and `challenge` were said, for the end that plays `role`.
    ///
    /// The keys are those of this connection alone: HKDF (RFC 5869) of the job's key with the nonces of both sides as salt
    /// and with everything else that they said.
    init(key: JobKey, hello: [UInt8], challenge: [UInt8], role: Greeting.Role) {
        let salt = Greeting.nonce(of: hello) + Greeting.nonce(of: challenge)
        func cipher(_ label: [UInt8]) -> RecordCipher {
            RecordCipher(key: key.derived(salt: salt, info: label + hello + challenge, length: RecordCipher.keyLength))
        }
        let (toRoot, toWorker) = (cipher(Self.toRootLabel), cipher(Self.toWorkerLabel))
        (outgoing, incoming) = role == .root ? (toWorker, toRoot) : (toRoot, toWorker)
    }
}
