public import Codec

/// The graph of the parts (functions, tables) that code can reach.
///
/// It serves to find those that an example has used.
public struct ReachGraph: Sendable, Hashable {
    /// When a part matters that another part reaches.
    public enum Extent: Int64, Sendable {
        /// Always.
        case always
        /// Only where it was entered; for functions.
        case entered
        /// Always, together with all that it reaches.
        case whole
    }

    /// A reference to a part, or to one of the tables in it.
    public struct Reference: Sendable, Hashable {
        /// The index of the part.
        public var part: Int
        /// The number of the table in it, from 1; 0: the part itself.
        public var table: Int

        /// A reference.
        public init(part: Int, table: Int = 0) { (self.part, self.table) = (part, table) }
    }

    /// A part from which the host begins.
    public struct Root: Sendable, Hashable {
        /// The index of the part.
        public var part: Int
        /// Whether all that the part reaches matters.
        public var isWhole: Bool

        /// A root.
        public init(part: Int, isWhole: Bool) { (self.part, self.isWhole) = (part, isWhole) }
    }

    /// The extent of each part.
    public var extents: [Extent]
    /// What each part reaches directly, in the order in which it does.
    public var references: [[Reference]]
    /// The parts from which it begins.
    public var roots: [Root]
    /// The digest of all that.
    ///
    /// Where two graphs have the same, their traces have the same numbers.
    public var layout: Digest

    /// A graph with as many extents as lists of references.
    public init(extents: [Extent], references: [[Reference]], roots: [Root], layout: Digest) {
        (self.extents, self.references, self.roots, self.layout) = (extents, references, roots, layout)
    }
}

extension ReachGraph {
    /// Flat lists of numbers: extents; for each part how many references, and these; roots; the digest.
    public var value: Value {
        let numbers = { (numbers: [Int]) in Value.array(numbers.map { .integer(Int64($0)) }) }
        return .array([
            .array(extents.map { .integer($0.rawValue) }), numbers(references.map(\.count)),
            numbers(references.joined().flatMap { [$0.part, $0.table] }),
            numbers(roots.flatMap { [$0.part, $0.isWhole ? 1 : 0] }),
            .array([layout.high, layout.low].map { .integer(Int64(bitPattern: $0)) }),
        ])
    }

    /// Reads what `value` has made; nil for anything else.
    public init?(_ value: Value) {
        guard case .array(let lists) = value, lists.count == 5 else { return nil }
        let numbers = lists.map { list -> [Int64]? in
            guard case .array(let items) = list else { return nil }
            let found = items.compactMap { if case .integer(let number) = $0 { number } else { nil } }
            return found.count == items.count ? found : nil
        }
        guard let extents = numbers[0], let counts = numbers[1], let pairs = numbers[2], let roots = numbers[3],
            let digest = numbers[4], digest.count == 2, counts.count == extents.count, roots.count % 2 == 0,
            counts.allSatisfy({ $0 >= 0 && $0 <= pairs.count }), counts.reduce(0, +) * 2 == pairs.count
        else { return nil }
        self.extents = extents.compactMap { Extent(rawValue: $0) }
        guard self.extents.count == extents.count else { return nil }
        references = []
        var rest = pairs[...]
        for count in counts {
            let own = Array(rest.prefix(Int(count) * 2))
            rest = rest.dropFirst(own.count)
            references.append(
                stride(from: 0, to: own.count, by: 2).map { Reference(part: Int(own[$0]), table: Int(own[$0 + 1])) })
        }
        self.roots = stride(from: 0, to: roots.count, by: 2).map {
            Root(part: Int(roots[$0]), isWhole: roots[$0 + 1] != 0)
        }
        layout = Digest(high: UInt64(bitPattern: digest[0]), low: UInt64(bitPattern: digest[1]))
    }
}
