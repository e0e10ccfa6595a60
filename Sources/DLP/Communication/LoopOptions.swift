/// How a loop hands its examples out.
///
/// All ranks must name the same.
public struct LoopOptions: Sendable, Hashable {
    /// What becomes of the results.
    public enum Results: UInt8, Sendable {
        /// They stay where they are made (mode `managed`, `split_managed`).
        case stay
        /// They stream to the root (mode `map`, `map_unordered`).
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
    /// Whether every rank iterates over a copy of its own, whose length is found only by reaching its end.
    public var isUnbounded = false

    /// Options for a loop.
    public init(results: Results, examples: Examples, chunk: Int? = nil) {
        self.results = results
        self.examples = examples
        self.chunk = chunk
    }

    /// No rank can be given more examples at a time, whatever was asked for.
    private static let largestChunk = 1 << 30

    /// The options as one number, to compare and to send.
    var packed: Int64 {
        Int64(results.rawValue) | Int64(examples.rawValue) << 1 | (isUnbounded ? 4 : 0)
            | Int64(min(max(chunk ?? 0, 0), Self.largestChunk)) << 8
    }

    init?(packed: Int64) {
        guard packed >= 0, let results = Results(rawValue: UInt8(packed & 1)),
            let examples = Examples(rawValue: UInt8(packed >> 1 & 1))
        else { return nil }
        self.init(results: results, examples: examples, chunk: packed >> 8 == 0 ? nil : Int(packed >> 8))
        isUnbounded = packed & 4 != 0
    }
}
