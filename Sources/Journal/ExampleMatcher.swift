import DLP

/// What the journal holds of an example.
struct JournalRow: Sendable, Hashable {
    /// The row's `id`.
    var id: Int64
    /// Where the example stood in the list, from 0; nil where it was not in the latest one.
    var index: Int?
    /// Whether it has a result; otherwise it has failed.
    var isDone: Bool
    /// The number of what it was made with; 0 in journals that did not note that yet.
    var version: Int64 = 0
    /// The number of what it has met, among the traces of the journal; 0 where nobody knows.
    var trace = 0

    /// What it was made with, and what it has met of that.
    var origin: RowOrigin { RowOrigin(version: version, trace: isDone ? trace : -1) }

    /// No row, example or occurrence has a larger number: so many would not fit anywhere.
    static let largestNumber: Int64 = 1 << 48
}

/// What rows were made with that go on or go out of date together.
struct RowOrigin: Sendable, Hashable {
    /// The number of the code.
    var version: Int64
    /// The number of what was met of it; 0 where nobody knows, -1 where the example has failed.
    var trace: Int
}

/// Finds the examples of a list in a journal, one after another.
///
/// Equal examples are told apart by which of them comes first, so that an unchanged list finds each result where it was:
/// results may depend on the index. Only digests count, thus a list may be reordered, extended and cut.
struct ExampleMatcher: Sendable {
    /// The rows whose examples have not come yet.
    private(set) var unmatched: [ExampleKey: JournalRow]
    private var examples = DigestList()

    init(_ rows: [ExampleKey: JournalRow]) { unmatched = rows }

    /// How many examples have come.
    var count: Int { examples.count }

    /// The key of the example at `index`, from 0.
    func key(at index: Int) -> ExampleKey { examples.key(at: index) }

    /// The key of the next example, and its row where it has one.
    mutating func match(_ digest: Digest) -> (key: ExampleKey, row: JournalRow?) {
        let key = examples.append(digest)
        // A new journal has none, and then nothing need be looked for.
        return (key, unmatched.isEmpty ? nil : unmatched.removeValue(forKey: key))
    }
}
