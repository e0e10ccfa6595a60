import Crypto
import DLP

/// Encrypts or decrypts the records of one direction of a connection, in their order: AES-256-GCM (NIST SP 800-38D).
///
/// A frame's body is cut into records, each followed by its tag, so that memory stays bounded however long a body is. A
/// record authenticates the header of its frame as well, and its number in the direction is its nonce: so none can be
/// changed, left out, repeated, or moved, within its connection or from another one.
///
/// GCM rather than ChaCha20-Poly1305, because every processor of today's clusters computes it two to four times as fast.
struct RecordCipher {
    /// How much of a body a record holds, at most.
    static let longestRecord = 1 << 16
    static let tagLength = 16
    static let keyLength = 32
    /// After so many records a key is replaced, before it has encrypted as much as GCM bears (RFC 8446, section 5.5).
    static let recordsPerKey: UInt64 = 1 << 22

    private static let successorLabel = Array("dlp-ame next key".utf8)

    private var key: SymmetricKey
    private let recordsPerKey: UInt64
    /// How many records there were so far.
    private var count: UInt64 = 0

    /// At the beginning of a direction whose first key is `key`.
    init(key: SymmetricKey, recordsPerKey: UInt64 = Self.recordsPerKey) {
        self.key = key
        self.recordsPerKey = recordsPerKey
    }

    /// Appends the next record and its tag to `buffer`.
    ///
    /// - Throws: `FrameError.sealing` where the library refuses.
    mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, of header: FrameHeader, onto buffer: inout [UInt8]
    ) throws(FrameError) {
        do {
            let nonce = try nextNonce()
            let sealed = try header.withBytes {
                try AES.GCM.seal(plaintext, using: key, nonce: nonce, authenticating: $0)
            }
            buffer.append(contentsOf: sealed.ciphertext)
            buffer.append(contentsOf: sealed.tag)
        } catch { throw .sealing }
    }

    /// Decrypts the next record, with its tag, and appends it to `body`.
    ///
    /// - Throws: `FrameError.forged` where it is not the peer's next one under this header.
    mutating func open(
        _ record: UnsafeRawBufferPointer, of header: FrameHeader, onto body: inout BodyBuffer
    ) throws(FrameError) {
        let plaintext = Result {
            let box = try AES.GCM.SealedBox(
                nonce: try nextNonce(),
                ciphertext: UnsafeRawBufferPointer(rebasing: record.dropLast(Self.tagLength)),
                tag: UnsafeRawBufferPointer(rebasing: record.suffix(Self.tagLength)))
            return try header.withBytes { try AES.GCM.open(box, using: key, authenticating: $0) }
        }
        guard case .success(let plaintext) = plaintext else { throw .forged }
        try body.append(contentsOf: plaintext)
    }

    private mutating func nextNonce() throws -> AES.GCM.Nonce {
        if count > 0, count % recordsPerKey == 0 {
            key = HKDF<SHA256>.expand(
                pseudoRandomKey: key, info: Self.successorLabel, outputByteCount: Self.keyLength)
        }
        defer { count += 1 }
        return try AES.GCM.Nonce(data: [0, 0, 0, 0] + count.littleEndianBytes)
    }
}
