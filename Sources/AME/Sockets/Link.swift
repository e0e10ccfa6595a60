/// A connection whose two ends have proved the key to each other.
struct Link {
    let socket: Socket
    /// What its frames are encrypted with; nil: they are not.
    let channel: SealedChannel?
}
