import DLP

/// How long ranks may take to find each other.
struct TimeLimit: CustomStringConvertible {
    let deadline: Deadline
    /// The time as people write it.
    let description: String

    /// A limit that ends `nanoseconds` from now.
    init(_ nanoseconds: UInt64) {
        deadline = .after(nanoseconds)
        description = describe(nanoseconds: nanoseconds)
    }
}
