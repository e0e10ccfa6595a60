public import DLP

/// Identifies an example, wherever it stands in the list: by its value, and by its number among equal examples.
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
