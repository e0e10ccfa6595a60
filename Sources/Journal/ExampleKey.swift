public import DLP

/// What tells an example from all others, wherever it stands in the list: its value, and which of several equal ones it
/// is.
public struct ExampleKey: Sendable, Hashable {
    /// The digest of the encoded example.
    public var digest: Digest
    /// 1 for the first example with that digest, 2 for the next one.
    public var occurrence: Int

    /// A key.
    public init(digest: Digest, occurrence: Int) {
        self.digest = digest
        self.occurrence = occurrence
    }
}
