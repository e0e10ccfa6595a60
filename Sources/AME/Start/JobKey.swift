import CSealing
import Crypto
public import DLP

/// The secret that the ranks of one job share, by which they know each other.
public struct JobKey: Sendable {
    /// How many bytes a key has.
    public static let length = 64

    private let bytes: [UInt8]
    private let symmetric: SymmetricKey

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        symmetric = SymmetricKey(data: bytes)
    }

    /// A new key from the system's random numbers.
    public init() {
        var generator = SystemRandomNumberGenerator()
        self.init(bytes: (0..<Self.length).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// The key that `text` spells, or nil where it is not base64 of 64 bytes.
    public init?(base64 text: String) {
        guard let bytes = Base64.decode(text), bytes.count == Self.length else { return nil }
        self.init(bytes: bytes)
    }

    /// The fewest bytes of a secret from which a key is made.
    public static let shortestSecret = 16
    /// The salt with which the secrets of all jobs are stretched.
    ///
    /// Both ends of a connection compute the key before they exchange anything, so they do not both know anything that
    /// differs between jobs.
    private static let salt = Array("dlp-lua join key".utf8)

    /// The key that a user's secret stands for, or nil where it is too short.
    ///
    /// Takes a tenth of a second and 32 MB, as does each guess at a secret that a person made up.
    ///
    /// - Throws: `CommunicationError` where there is no memory.
    public init?(secret: String) throws(CommunicationError) {
        guard secret.utf8.count >= Self.shortestSecret else { return nil }
        var key = [UInt8](repeating: 0, count: Self.length)
        let letters = Array(secret.utf8)
        guard dlp_stretch(letters, letters.count, Self.salt, Self.salt.count, &key, key.count) else {
            throw CommunicationError("there is no memory for the key that \(AMEVariable.joinKey) stands for")
        }
        self.init(bytes: key)
    }

    /// A new secret that cannot be guessed, as text: 256 random bits.
    public static func newSecret() -> String {
        String(Base64.encode(Array(JobKey().bytes.prefix(32))).dropLast())
    }

    /// The key as text, for the environment of a job's ranks.
    public var base64: String { Base64.encode(bytes) }

    /// The secret of one connection: HKDF-Extract (RFC 5869), for HKDF-Expand and HMAC-SHA256.
    ///
    /// - Parameter shared: the secret that both ends have from an exchange of keys; empty where there was none.
    func connectionSecret(_ shared: [UInt8]) -> SymmetricKey {
        SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: shared, using: symmetric))
    }
}
