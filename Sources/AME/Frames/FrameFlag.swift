/// What the flags of a frame's header say.
enum FrameFlag {
    /// The body comes as encrypted records.
    static let sealed: UInt8 = 1
    /// The body is in the memory of the descriptor that comes with the header.
    static let shared: UInt8 = 2
}
