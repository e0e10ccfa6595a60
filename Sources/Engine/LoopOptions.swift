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
    /// What becomes of examples that fail and of ranks that die.
    public var failures = FailurePolicy()

    /// Options for a loop.
    public init(results: Results, examples: Examples, chunk: Int? = nil) {
        self.results = results
        self.examples = examples
        self.chunk = chunk
    }

    /// No rank can be given more examples at a time, whatever was asked for; and no job has more ranks.
    private static let largestNumber = 1 << 30

    /// The options as one number, to compare and to send.
    ///
    /// From the lowest bit on: results (2 bits), examples, whether unbounded, whether shared, whether failures let the
    /// job go on, whether shares come in chunks, whether the order is free; from bit 8 on the chunk or the number of shares
    /// (31 bits), retries and crash limit (12 bits each).
    var packed: Int64 {
        let number = Int64(min(max(shares ?? chunk ?? 0, 0), Self.largestNumber))
        let switches = [isUnbounded, shares != nil, failures.continues, sharesInChunks, isOrderFree]
        let flags = switches.enumerated().reduce(Int64(0)) { $0 | ($1.element ? 8 << $1.offset : 0) }
        return Int64(results.rawValue) | Int64(examples.rawValue) << 2 | flags | number << 8
            | Int64(failures.retries) << 39 | Int64(failures.crashLimit) << 51
    }

    init?(packed: Int64) {
        guard packed >= 0, let results = Results(rawValue: UInt8(packed & 3)),
            let examples = Examples(rawValue: UInt8(packed >> 2 & 1))
        else { return nil }
        let number = Int(packed >> 8 & (1 << 31 - 1))
        let isShared = packed & 16 != 0
        self.init(results: results, examples: examples, chunk: isShared || number == 0 ? nil : number)
        shares = isShared ? number : nil
        isUnbounded = packed & 8 != 0
        sharesInChunks = packed & 64 != 0
        isOrderFree = packed & 128 != 0
        failures = FailurePolicy(
            continues: packed & 32 != 0, retries: Int(packed >> 39 & 4095), crashLimit: Int(packed >> 51 & 4095))
    }

    /// Whether the loop can do without a rank that dies.
    var canLoseRanks: Bool { failures.crashLimit > 0 }

    /// Whether a loop of `ranks` ranks over `length` examples (nil: not known) may have these options.
    func fit(length: Int?, ranks: Int) -> Bool {
        // Only a list that the root feeds has examples that are sent, and its end is known when the root says so.
        guard examples == .replicated || (length == nil && !isUnbounded) else { return false }
        guard length ?? 0 <= ManagedSchedule.longestList else { return false }
        return shares.map { 1...ranks ~= $0 } ?? true
    }
}
