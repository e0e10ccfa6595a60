import DLP

/// How either side of a connection introduces itself.
///
///     0  magic "dlp-ame\n"   8  version (2 bytes)   10  role   11  flags: 1, encrypted; 2, local
///     12 rank               16  size                20  12 bytes reserved, 0 so far
///     32 nonce
///
/// Magic and version stay where they are in every version of the protocol. The codes of the handshake cover the bytes as
/// they were sent, flags and reserved ones too, so that a later version can negotiate with them safely.
struct Greeting: Equatable {
    static let length = 64
    /// How many bytes it takes to see whether the peer speaks this protocol, and which version.
    static let versionLength = 10
    static let nonceLength = 32

    private static let magic = Array("dlp-ame\n".utf8)
    private static let encryptedFlag: UInt8 = 1
    private static let localFlag: UInt8 = 2

    /// Which end of the connection speaks.
    enum Role: UInt8 {
        case worker = 1
        case root = 2
        /// A worker that comes when the job has begun, without a rank.
        case lateWorker = 3
    }

    var role: Role
    var rank: UInt32
    var size: UInt32
    /// Whether this side encrypts what it says after the handshake, and wants the other to do so.
    var isEncrypted: Bool
    /// Whether this side's socket ends on its own host: where the other's does, too, both are on one.
    var isLocal: Bool
    var nonce: [UInt8]

    /// An introduction with a fresh nonce.
    init(role: Role, rank: Int, size: Int, isEncrypted: Bool = false, isLocal: Bool = false) {
        self.role = role
        self.rank = UInt32(rank)
        self.size = UInt32(size)
        self.isEncrypted = isEncrypted
        self.isLocal = isLocal
        var generator = SystemRandomNumberGenerator()
        nonce = (0..<Self.nonceLength).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
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
        nonce = Self.nonce(of: bytes)
    }

    /// The nonce of a message that begins with an introduction.
    static func nonce(of bytes: [UInt8]) -> [UInt8] { Array(bytes[(length - nonceLength)..<length]) }

    /// Looks at the first bytes from a peer, as far as they have come.
    ///
    /// - Throws: `HandshakeError` where it does not speak this version of this protocol.
    static func checkVersion(_ bytes: [UInt8]) throws(HandshakeError) {
        guard bytes.starts(with: magic.prefix(bytes.count)) else { throw .notARank }
        guard bytes.count >= versionLength else { return }
        let version = UInt16(bytes[8]) | UInt16(bytes[9]) << 8
        guard version == FrameHeader.version else { throw .version(version) }
    }

    /// Whether this side and another share memory: encrypted messages go nowhere but through the socket.
    func sharesMemory(with other: Greeting) -> Bool { isLocal && other.isLocal && !isEncrypted && !other.isEncrypted }

    /// The introduction as it goes over the wire.
    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.append(contentsOf: FrameHeader.version.littleEndianBytes)
        bytes.append(role.rawValue)
        bytes.append((isEncrypted ? Self.encryptedFlag : 0) | (isLocal ? Self.localFlag : 0))
        bytes.append(contentsOf: rank.littleEndianBytes)
        bytes.append(contentsOf: size.littleEndianBytes)
        bytes.append(contentsOf: [UInt8](repeating: 0, count: 12))
        bytes.append(contentsOf: nonce)
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
