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
    /// The most bytes of a body in a record: so few that it stays in a core's own cache.
    static let longestRecord = 1 << 14
    static let tagLength = 16
    static let keyLength = 32
    /// After this many records a key is replaced, before it has encrypted as much as is safe with GCM (RFC 8446,
    /// section 5.5).
    static let recordsPerKey: UInt64 = 1 << 24

    private static let successorLabel = Array("dlp-ame next key".utf8)

    private var key: SymmetricKey
    /// The key, once a record has needed it.
    private var prepared: PreparedKey?
    private let recordsPerKey: UInt64
    /// How many records there were so far.
    private var count: UInt64 = 0

    /// A cipher at the beginning of a direction whose first key is `key`.
    init(key: SymmetricKey, recordsPerKey: UInt64 = Self.recordsPerKey) {
        self.key = key
        self.recordsPerKey = recordsPerKey
    }

    /// The length of a record with `count` bytes of a body in it.
    static func length(of count: Int) -> Int { count + tagLength }

    /// Writes the next record, with its tag, to the beginning of `space`, and returns how long it is.
    ///
    /// - Throws: `FrameError.sealing` where the library refuses.
    mutating func seal(
        _ plaintext: UnsafeRawBufferPointer, of header: FrameHeader, to space: UnsafeMutableRawBufferPointer
    ) throws(FrameError) -> Int {
        let record = UnsafeMutableRawBufferPointer(rebasing: space[..<Self.length(of: plaintext.count)])
        guard let key = nextKey() else { throw .sealing }
        let isSealed = header.withBytes { key.seal(plaintext, number: count, header: $0, to: record) }
        guard isSealed else { throw .sealing }
        count += 1
        return record.count
    }

    /// Decrypts the next record, with its tag, and appends it to `body`.
    ///
    /// - Throws: `FrameError.forged` where it is not the peer's next one under this header, `.memory` where there is none.
    mutating func open(
        _ record: UnsafeRawBufferPointer, of header: FrameHeader, onto body: inout BodyBuffer
    ) throws(FrameError) {
        let length = record.count - Self.tagLength
        guard let key = nextKey() else { throw .sealing }
        let plaintext = UnsafeMutableRawBufferPointer(rebasing: try body.space(for: length)[..<length])
        let isOpened = header.withBytes { key.open(record, number: count, header: $0, to: plaintext) }
        guard isOpened else { throw .forged }
        count += 1
        body.advance(by: length)
    }

    /// The key of the next record; nil where memory is short.
    private mutating func nextKey() -> PreparedKey? {
        if count > 0, count % recordsPerKey == 0 {
            key = HKDF<SHA256>.expand(
                pseudoRandomKey: key, info: Self.successorLabel, outputByteCount: Self.keyLength)
            prepared = nil
        }
        if prepared == nil { prepared = PreparedKey(key) }
        return prepared
    }
}
