import Crypto

/// The authentication codes of a handshake, and the keys that it gives.
///
/// All are made with a secret that only this connection has: HKDF-Extract (RFC 5869) of the result of the X25519
/// exchange, with the job's key as salt. Each covers a label, which says what it is for, and all that both sides have
/// sent so far. So a code is of no use anywhere else: not sent back to its maker, not in another connection, not for
/// other data.
struct HandshakeCodes {
    static let length = 32

    private let secret: SymmetricKey
    /// The worker's hello and the root's answer.
    private let opening: [UInt8]

    /// The codes of a connection on which `hello` and `answer` were sent.
    ///
    /// - Parameter shared: what the exchange of keys gave; empty where there was none.
    init(key: JobKey, shared: [UInt8], hello: [UInt8], answer: [UInt8]) {
        secret = key.connectionSecret(shared)
        opening = hello + answer
    }

    /// The worker's code, which comes first: it proves that the worker has the key.
    var proof: [UInt8] { code(Self.proofLabel, opening) }

    func isValidProof(_ code: [UInt8]) -> Bool { isValid(code, Self.proofLabel, opening) }

    /// The root's code for its verdict: it proves that the root has the key, too.
    func verdict(_ verdict: [UInt8], proof: [UInt8]) -> [UInt8] {
        code(Self.verdictLabel, opening, proof, verdict)
    }

    func isValidVerdict(_ code: [UInt8], verdict: [UInt8], proof: [UInt8]) -> Bool {
        isValid(code, Self.verdictLabel, opening, proof, verdict)
    }

    /// The ciphers of the end with the role `role`: each direction has a key of its own.
    func channel(for role: Greeting.Role) -> SealedChannel {
        func cipher(_ label: [UInt8]) -> RecordCipher {
            RecordCipher(
                key: HKDF<SHA256>.expand(
                    pseudoRandomKey: secret, info: label + opening, outputByteCount: RecordCipher.keyLength))
        }
        let (toRoot, toWorker) = (cipher(Self.toRootLabel), cipher(Self.toWorkerLabel))
        return role == .root
            ? SealedChannel(outgoing: toWorker, incoming: toRoot)
            : SealedChannel(outgoing: toRoot, incoming: toWorker)
    }

    private func code(_ parts: [UInt8]...) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: parts.flatMap { $0 }, using: secret))
    }

    /// Whether `code` is that of `parts`.
    ///
    /// The time this takes does not depend on how much of it is right.
    private func isValid(_ code: [UInt8], _ parts: [UInt8]...) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: parts.flatMap { $0 }, using: secret)
    }

    private static let proofLabel = Array("dlp-ame worker proof\0".utf8)
    private static let verdictLabel = Array("dlp-ame root verdict\0".utf8)
    private static let toRootLabel = Array("dlp-ame worker to root\0".utf8)
    private static let toWorkerLabel = Array("dlp-ame root to worker\0".utf8)
}
