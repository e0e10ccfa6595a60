import DLP

/// How either side of a connection introduces itself.
///
///     0  magic "dlp-ame\n"   8  version (2 bytes)   10  role   11  flags: 1, wants encryption; 2, local; 4, has a key
///     12 rank               16  size                20  12 bytes reserved, 0 so far
///     32 share: an X25519 public key where there is one, else 32 random bytes
///
/// Magic and version stay where they are in every version of the protocol. The codes of the handshake cover the bytes as
/// they were sent, flags and reserved ones too, so that a later version can negotiate with them safely.
struct Greeting: Equatable {
    static let length = 64
    /// How many bytes it takes to see whether the peer speaks this protocol, and which version.
    static let versionLength = 10
    static let shareLength = 32

    private static let magic = Array("dlp-ame\n".utf8)
    private static let encryptedFlag: UInt8 = 1
    private static let localFlag: UInt8 = 2
    private static let keyFlag: UInt8 = 4

    /// Which end of the connection speaks.
    enum Role: UInt8 {
        case worker = 1
        case root = 2
        /// A worker that comes when the job has begun, without a rank.
        case lateWorker = 3
        /// A worker whose connection broke, and which comes back under its rank.
        case returningWorker = 4
    }

    var role: Role
    var rank: UInt32
    var size: UInt32
    /// Whether this side wants what follows the handshake encrypted.
    var isEncrypted: Bool
    /// Whether this side's socket ends on its own host.
    ///
    /// Where the other side's does, too, both are on one host.
    var isLocal: Bool
    /// Whether this side takes part in an exchange of keys, without which nothing is encrypted.
    ///
    /// The root does so only where the worker does.
    var hasKey: Bool
    /// This side's public key, or else random bytes that make this handshake different from all others.
    var share: [UInt8]

    /// An introduction with a share of random bytes.
    init(
        role: Role, rank: Int, size: Int, isEncrypted: Bool = false, isLocal: Bool = false, hasKey: Bool? = nil
    ) {
        self.role = role
        self.rank = UInt32(rank)
        self.size = UInt32(size)
        self.isEncrypted = isEncrypted
        self.isLocal = isLocal
        self.hasKey = hasKey ?? isEncrypted
        var generator = SystemRandomNumberGenerator()
        share = (0..<Self.shareLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// An introduction over `socket`, which encrypts where that is wanted.
    init(role: Role, rank: Int, size: Int, over socket: Socket, encrypting encryption: AMEEnvironment.Encryption) {
        self.init(
            role: role, rank: rank, size: size, isEncrypted: encryption.isWanted(over: socket), isLocal: socket.isLocal,
            hasKey: encryption.isPossible(over: socket))
    }

    /// Reads an introduction by `role`.
    ///
    /// - Precondition: there are `length` bytes, of which `checkVersion` approves.
    /// - Throws: `HandshakeError.notARank` where the other role speaks.
    init(reading bytes: [UInt8], by role: Role) throws(HandshakeError) {
        guard bytes[10] == role.rawValue else { throw .notARank }
        self.role = role
        rank = UInt32(littleEndianBytes: bytes[12..<16])
        size = UInt32(littleEndianBytes: bytes[16..<20])
        isEncrypted = bytes[11] & Self.encryptedFlag != 0
        isLocal = bytes[11] & Self.localFlag != 0
        hasKey = bytes[11] & Self.keyFlag != 0
        share = Array(bytes[(Self.length - Self.shareLength)..<Self.length])
    }

    /// Checks the first bytes from a peer, as far as they have come.
    ///
    /// - Throws: `HandshakeError` where it does not speak this version of this protocol.
    static func checkVersion(_ bytes: [UInt8]) throws(HandshakeError) {
        guard bytes.starts(with: magic.prefix(bytes.count)) else { throw .notARank }
        guard bytes.count >= versionLength else { return }
        let version = UInt16(bytes[8]) | UInt16(bytes[9]) << 8
        guard version == FrameHeader.version else { throw .version(version) }
    }

    /// Whether what follows this handshake with `other` is encrypted: as soon as one side wants it.
    ///
    /// - Throws: `HandshakeError.refused` where one side wants it and the other does not take part.
    func encrypts(with other: Greeting) throws(HandshakeError) -> Bool {
        guard isEncrypted || other.isEncrypted else { return false }
        guard hasKey, other.hasKey else {
            let root = role == .root ? self : other
            throw .refused(.encryptionDiffers(rootEncrypts: root.isEncrypted))
        }
        return true
    }

    /// Whether this side and another share memory.
    ///
    /// They do not where they encrypt: encrypted messages go through the socket only.
    func sharesMemory(with other: Greeting) -> Bool { isLocal && other.isLocal && !isEncrypted && !other.isEncrypted }

    /// The introduction as it goes over the wire.
    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.append(contentsOf: FrameHeader.version.littleEndianBytes)
        bytes.append(role.rawValue)
        bytes.append(
            (isEncrypted ? Self.encryptedFlag : 0) | (isLocal ? Self.localFlag : 0) | (hasKey ? Self.keyFlag : 0))
        bytes.append(contentsOf: rank.littleEndianBytes)
        bytes.append(contentsOf: size.littleEndianBytes)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 12))
        bytes.append(contentsOf: share)
        return bytes
    }
}

extension FixedWidthInteger {
    /// The bytes, least significant first.
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }

    /// The number whose bytes these are, least significant first.
    init(littleEndianBytes bytes: some BidirectionalCollection<UInt8>) {
        self = bytes.reversed().reduce(0) { $0 << 8 | Self($1) }
    }
}
