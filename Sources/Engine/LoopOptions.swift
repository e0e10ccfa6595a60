public import Scheduling

/// How a loop hands its examples out.
///
/// All ranks must name the same.
public struct LoopOptions: Sendable, Hashable {
    /// What becomes of the results.
    public enum Results: UInt8, Sendable {
        /// The script handles them itself (`split_managed`).
        case none
        /// They stay where they are made until all examples are done, and are then brought to the root (mode `managed`).
        case stay
        /// They stream to the root (modes `map` and `round-robin`, `map_unordered`).
        case stream
    }

    /// Where a worker finds the example of an index that it is given.
    public enum Examples: UInt8, Sendable {
        /// Every rank has them all.
        case replicated
        /// They come with the indices.
        case sent
    }

    /// What becomes of the results.
    public var results: Results
    /// Where a worker finds its examples.
    public var examples: Examples
    /// A fixed chunk size; nil: adaptive.
    public var chunk: Int?
    /// The last `shares` ranks get one fixed share each, by round robin, instead of chunks; nil: no rank does.
    public var shares: Int?
    /// Whether a share is handed out in chunks too, so that its results come while it is worked on.
    public var sharesInChunks = false
    /// Whether examples may be done in any order, so that the last ones may come first where they take longer.
    public var isOrderFree = false
    /// Whether every rank iterates over a copy of its own, whose length is found only by reaching its end.
    public var isUnbounded = false
    /// How many examples at the front of the list may be handed out before the root allows more; nil: any number.
    public var window: Int?
    /// Whether the root may add examples, sent with the work, until it says that there are no more.
    public var mayGrow = false
    /// What becomes of examples that fail and of ranks that die.
    public var failures = FailurePolicy()

    /// Options for a loop.
    public init(results: Results, examples: Examples, chunk: Int? = nil) {
        self.results = results
        self.examples = examples
        self.chunk = chunk
    }

    /// Whether the loop goes on when a rank dies.
    var canLoseRanks: Bool { failures.crashLimit > 0 }

    /// Whether a loop of `ranks` ranks over `length` examples (nil: not known) may have these options.
    func fit(length: Int?, ranks: Int) -> Bool {
        // Examples are sent only for a list that the root feeds, and the root says when that list ends.
        guard examples == .replicated || (length == nil && !isUnbounded) else { return false }
        guard length ?? 0 <= ManagedSchedule.longestList else { return false }
        guard window ?? 1 > 0 else { return false }
        return shares.map { 1...ranks ~= $0 } ?? true
    }
}
