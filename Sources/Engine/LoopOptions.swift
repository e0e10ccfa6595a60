public import Scheduling

/// How a loop hands its examples out.
///
/// All ranks must name the same.
public struct LoopOptions: Sendable, Hashable {
    /// What becomes of the results.
    public enum Results: UInt8, Sendable {
        /// They are the script's own affair (`split_managed`).
        case none
        /// They stay where they are made until all examples are done, and are then brought to the root (mode `managed`).
        case stay
        /// They stream to the root (modes `map` and `round-robin`, `map_unordered`).
        case stream
    }

    /// Where a worker finds an example that it is given the index of.
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
    /// The last so many ranks have a share each by round robin, instead of chunks; nil: nobody has.
    public var shares: Int?
    /// Whether a share is handed out in chunks too, so that its results come while it is worked on.
    public var sharesInChunks = false
    /// Whether nobody minds in which order examples are done, so that the last may come first where they take longer.
    public var isOrderFree = false
    /// Whether every rank iterates over a copy of its own, whose length is found only by reaching its end.
    public var isUnbounded = false
    /// So many examples at the front of the list are handed out before the root allows more; nil: any number.
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

    /// Whether the loop can do without a rank that dies.
    var canLoseRanks: Bool { failures.crashLimit > 0 }

    /// Whether a loop of `ranks` ranks over `length` examples (nil: not known) may have these options.
    func fit(length: Int?, ranks: Int) -> Bool {
        // Only a list that the root feeds has examples that are sent, and its end is known when the root says so.
        guard examples == .replicated || (length == nil && !isUnbounded) else { return false }
        guard length ?? 0 <= ManagedSchedule.longestList else { return false }
        guard window ?? 1 > 0 else { return false }
        return shares.map { 1...ranks ~= $0 } ?? true
    }
}
