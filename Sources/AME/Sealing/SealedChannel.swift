/// What the two ends of an encrypted connection encrypt with: a cipher for each direction.
struct SealedChannel {
    /// What this end sends.
    let outgoing: RecordCipher
    /// What it receives.
    let incoming: RecordCipher
}
