/// A connection whose two ends have proved the key to each other.
struct Link {
    let socket: Socket
    /// The ciphers of its frames; nil: they are not encrypted.
    let channel: SealedChannel?
    /// Whether they share memory: both ends are on this host.
    let sharesMemory: Bool
}
