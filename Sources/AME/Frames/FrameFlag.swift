/// What the flags of a frame's header say.
enum FrameFlag {
    /// The body comes as encrypted records.
    static let sealed: UInt8 = 1
}
