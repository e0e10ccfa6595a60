/// The authentication codes of a handshake.
///
/// Each covers a label, which says who proves what, and all that both sides have sent so far. So no code is of any use
/// in another place: not sent back to its maker, not in another connection, not for other words.
struct HandshakeCodes {
    static let length = 32

    /// The job's key.
    let key: JobKey

    /// What the root adds to its greeting: it has the key.
    func challenge(hello: [UInt8], greeting: [UInt8]) -> [UInt8] {
        key.authenticationCode(Self.challengeLabel, hello, greeting)
    }

    func isValidChallenge(_ code: [UInt8], hello: [UInt8], greeting: [UInt8]) -> Bool {
        key.isValid(code, for: Self.challengeLabel, hello, greeting)
    }

    /// What the worker answers: it has the key, too.
    func proof(hello: [UInt8], challenge: [UInt8]) -> [UInt8] {
        key.authenticationCode(Self.proofLabel, hello, challenge)
    }

    func isValidProof(_ code: [UInt8], hello: [UInt8], challenge: [UInt8]) -> Bool {
        key.isValid(code, for: Self.proofLabel, hello, challenge)
    }

    /// What the root adds to its verdict.
    func verdict(_ verdict: [UInt8], hello: [UInt8], challenge: [UInt8], proof: [UInt8]) -> [UInt8] {
        key.authenticationCode(Self.verdictLabel, hello, challenge, proof, verdict)
    }

    func isValidVerdict(
        _ code: [UInt8], verdict: [UInt8], hello: [UInt8], challenge: [UInt8], proof: [UInt8]
    ) -> Bool {
        key.isValid(code, for: Self.verdictLabel, hello, challenge, proof, verdict)
    }

    private static let challengeLabel = Array("dlp-ame root challenge\0".utf8)
    private static let proofLabel = Array("dlp-ame worker proof\0".utf8)
    private static let verdictLabel = Array("dlp-ame root verdict\0".utf8)
}
