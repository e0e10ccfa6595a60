import Crypto

/// One end's half of an X25519 exchange (RFC 7748), made for one connection and forgotten with it.
///
/// So a recording of the connection stays secret even if the job's key becomes known later.
struct EphemeralKey {
    private let secret = Curve25519.KeyAgreement.PrivateKey()

    /// The key that is sent to the other end.
    var publicKey: [UInt8] { Array(secret.publicKey.rawRepresentation) }

    /// The secret that only the two ends can compute.
    ///
    /// - Parameter other: the other end's public key.
    /// - Throws: `HandshakeError.key` where that is a point of small order, with which the result would not be secret.
    func secret(with other: [UInt8]) throws(HandshakeError) -> [UInt8] {
        guard let other = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: other),
            let shared = try? secret.sharedSecretFromKeyAgreement(with: other)
        else { throw .key }
        let bytes = shared.withUnsafeBytes { Array($0) }
        // RFC 7748, section 6.1: the library does not check this.
        guard bytes.reduce(0, |) != 0 else { throw .key }
        return bytes
    }
}
