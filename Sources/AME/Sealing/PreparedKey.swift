import CSealing
import Crypto

/// A key of AES-256-GCM that is ready for use.
///
/// Preparing it takes a good part of the time that a short record takes.
final class PreparedKey: Sendable {
    // Unsafe because of the pointer; it is sound because what it points to is written by `init` alone, BoringSSL takes
    // it as constant for each record, and only `deinit`, which runs once no reference is left, frees it.
    private nonisolated(unsafe) let key: OpaquePointer

    /// - Returns: nil where memory is short.
    init?(_ bytes: SymmetricKey) {
        guard let key = bytes.withUnsafeBytes({ dlp_key_new($0.baseAddress) }) else { return nil }
        self.key = key
    }

    deinit { dlp_key_free(key) }

    /// Encrypts `plaintext` and writes it, and its tag, to `record`, which has as much room as both take.
    ///
    /// - Parameters:
    ///   - number: the number of the record among all that the key encrypts: its nonce.
    ///   - header: what is authenticated with it.
    /// - Returns: false where the library refuses.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, number: UInt64, header: UnsafeRawBufferPointer,
        to record: UnsafeMutableRawBufferPointer
    ) -> Bool {
        precondition(record.count == plaintext.count + Int(dlp_tag_length))
        var under = Self.record(number: number, header: header)
        return dlp_seal(key, &under, plaintext.baseAddress, plaintext.count, record.baseAddress)
    }

    /// Decrypts `record`, which ends with its tag, to `plaintext`, which has as much room as it takes without.
    ///
    /// - Returns: false where it is not what was encrypted.
    func open(
        _ record: UnsafeRawBufferPointer, number: UInt64, header: UnsafeRawBufferPointer,
        to plaintext: UnsafeMutableRawBufferPointer
    ) -> Bool {
        precondition(record.count == plaintext.count + Int(dlp_tag_length))
        var under = Self.record(number: number, header: header)
        return dlp_open(key, &under, record.baseAddress, plaintext.count, plaintext.baseAddress)
    }

    private static func record(number: UInt64, header: UnsafeRawBufferPointer) -> dlp_record {
        var record = dlp_record()
        withUnsafeMutableBytes(of: &record.nonce) {
            $0.storeBytes(of: number.littleEndian, toByteOffset: Int(dlp_nonce_length) - 8, as: UInt64.self)
        }
        record.header = header.baseAddress
        record.header_length = header.count
        return record
    }
}
