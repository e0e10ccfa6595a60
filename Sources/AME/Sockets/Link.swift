/// A connection whose two ends have proved the key to each other.
struct Link {
    let socket: Socket
    /// What its frames are encrypted with; nil: they are not.
    let channel: SealedChannel?
    /// Whether they share memory: both ends are on this host.
    let sharesMemory: Bool
}
