/// The ciphers of one end of an encrypted connection, one for each direction.
struct SealedChannel {
    /// Encrypts what this end sends.
    let outgoing: RecordCipher
    /// Decrypts what this end receives.
    let incoming: RecordCipher
}
