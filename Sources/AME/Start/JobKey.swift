import Crypto

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

    /// How many bytes a secret must have from which a key is made.
    public static let shortestSecret = 16

    /// The key that a user's secret stands for, or nil where it is too short.
    public init?(secret: String) {
        guard secret.utf8.count >= Self.shortestSecret else { return nil }
        self.init(bytes: Array(SHA512.hash(data: Array(secret.utf8))))
    }

    /// The key as text, for the environment of a job's ranks.
    public var base64: String { Base64.encode(bytes) }

    /// A key that this one gives for a purpose: HKDF-SHA256 (RFC 5869).
    func derived(salt: [UInt8], info: [UInt8], length: Int) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: symmetric, salt: salt, info: info, outputByteCount: length)
    }

    /// The HMAC-SHA256 (RFC 2104) of `parts`, one after another.
    func authenticationCode(_ parts: [UInt8]...) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: parts.flatMap { $0 }, using: symmetric))
    }

    /// Whether `code` is that of `parts`, in a time that does not depend on how much of it is right.
    func isValid(_ code: [UInt8], for parts: [UInt8]...) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: parts.flatMap { $0 }, using: symmetric)
    }
}
