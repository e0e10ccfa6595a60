import DLP

/// What the journal contains of an example.
struct JournalRow: Sendable, Hashable {
    /// The row's `id`.
    var id: Int64
    /// The place of the example in the list, from 0; nil where it was not in the latest list.
    var index: Int?
    /// Whether it has a result; if not, the example has failed.
    var isDone: Bool
    /// The number of the code version with which it was made; 0 in journals from before there were versions.
    var version: Int64 = 0
    /// The number of its trace in the journal; 0 where it has none.
    var trace = 0

    /// The version with which it was made, and what it has met of it.
    var origin: RowOrigin { RowOrigin(version: version, trace: isDone ? trace : -1) }

    /// The largest valid number of a row, example or occurrence: more would not fit anywhere.
    static let largestNumber: Int64 = 1 << 48
}

/// What rows were made with.
///
/// Rows with the same origin stay valid, or become outdated, together.
struct RowOrigin: Sendable, Hashable {
    /// The number of the code version.
    var version: Int64
    /// The number of the trace; 0 where there is none, -1 where the example has failed.
    var trace: Int
}

/// Finds the examples of a list in a journal, one after another.
///
/// Equal examples are distinguished by their order, so that in an unchanged list each example finds its own result: results
/// may depend on the index. Only digests count; thus a list may be reordered, extended and cut.
struct ExampleMatcher: Sendable {
    /// The rows whose examples have not come yet.
    private(set) var unmatched: [ExampleKey: JournalRow]
    private var examples = DigestList()

    init(_ rows: [ExampleKey: JournalRow]) { unmatched = rows }

    /// How many examples have come.
    var count: Int { examples.count }

    /// The key of the example at `index`, from 0.
    func key(at index: Int) -> ExampleKey { examples.key(at: index) }

    /// Returns the key of the next example, and its row if it has one.
    mutating func match(_ digest: Digest) -> (key: ExampleKey, row: JournalRow?) {
        let key = examples.append(digest)
        // A new journal has no rows, so there is nothing to look up.
        return (key, unmatched.isEmpty ? nil : unmatched.removeValue(forKey: key))
    }
}
