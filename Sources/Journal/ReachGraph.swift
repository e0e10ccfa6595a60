public import DLP

/// How the parts hang together that code could reach, so that it can be told which of them an example has met.
public struct ReachGraph: Sendable, Hashable {
    /// When a part matters that another one reaches.
    public enum Extent: Int64, Sendable {
        /// Always.
        case always
        /// Where it was entered: a function.
        case entered
        /// Always, with all that is behind it.
        case whole
    }

    /// A part, by its place, or one of the tables in it, from 1.
    public struct Reference: Sendable, Hashable {
        /// The place of the part.
        public var part: Int
        /// The number of the table in it, from 1; 0: the part itself.
        public var table: Int

        /// A reference.
        public init(part: Int, table: Int = 0) { (self.part, self.table) = (part, table) }
    }

    /// What the host begins with: a part, and whether all that is behind it matters.
    public struct Root: Sendable, Hashable {
        /// The place of the part.
        public var part: Int
        /// Whether all that is behind it matters.
        public var isWhole: Bool

        /// A root.
        public init(part: Int, isWhole: Bool) { (self.part, self.isWhole) = (part, isWhole) }
    }

    /// Each part's.
    public var extents: [Extent]
    /// What each part reaches at once, in the order in which it does.
    public var references: [[Reference]]
    /// Where it begins.
    public var roots: [Root]
    /// Of all that: where it is the same, traces have the same numbers.
    public var layout: Digest

    /// A graph with as many extents as lists of references.
    public init(extents: [Extent], references: [[Reference]], roots: [Root], layout: Digest) {
        (self.extents, self.references, self.roots, self.layout) = (extents, references, roots, layout)
    }
}

extension CodeVersion {
    /// What has changed of what an example has met that was done with an earlier version: where that is nothing, it would be
    /// done again in the very same way.
    ///
    /// Both are gone through side by side from where the host begins, into functions only where the example has entered them:
    /// as long as all that was met is the same, and what was the same thing is still, both come to the same places.
    ///
    /// - Returns: the parts, as messages name them; nil where nobody can know.
    func changes(since earlier: CodeVersion, for trace: ExampleTrace) -> [String]? {
        guard !trace.isOpen, obstacles.isEmpty, earlier.obstacles.isEmpty, let old = earlier.graph, let new = graph
        else { return nil }
        guard old.extents.count == earlier.parts.count, new.extents.count == parts.count else { return nil }
        guard old.roots.map(\.isWhole) == new.roots.map(\.isWhole) else { return nil }
        var walk = PairWalk(earlier, old, self, new, trace)
        for (first, second) in zip(old.roots, new.roots) {
            walk.meet(first.part, second.part, isWhole: first.isWhole)
        }
        return walk.finish()
    }
}

/// Goes through two graphs side by side.
private struct PairWalk {
    private let (before, now): (CodeVersion, CodeVersion)
    private let (old, new): (ReachGraph, ReachGraph)
    private let trace: ExampleTrace
    /// The parts that were met together, either way round.
    private var newOf: [Int: Int] = [:]
    private var oldOf: [Int: Int] = [:]
    /// Those that were looked into, and whether with all that is behind them.
    private var isWholeOf: [Int: Bool] = [:]
    private var waiting: [(old: Int, new: Int, isWhole: Bool)] = []
    private var changed: [String] = []

    init(
        _ before: CodeVersion, _ old: ReachGraph, _ now: CodeVersion, _ new: ReachGraph, _ trace: ExampleTrace
    ) {
        (self.before, self.now) = (before, now)
        (self.old, self.new) = (old, new)
        self.trace = trace
    }

    mutating func meet(_ first: Int, _ second: Int, isWhole: Bool) {
        guard before.parts.indices.contains(first), now.parts.indices.contains(second) else {
            return changed.append("the script")
        }
        // One thing must not have become two, nor two one.
        guard newOf[first] ?? second == second, oldOf[second] ?? first == first else { return note(first, second) }
        (newOf[first], oldOf[second]) = (second, first)
        guard old.extents[first] == new.extents[second] else { return note(first, second) }
        let isEntered =
            switch old.extents[first] {
            case .always, .whole: true
            case .entered: isWhole || trace.hasEntered(first)
            }
        guard isEntered else { return }
        let isWhole = isWhole || old.extents[first] == .whole
        if let known = isWholeOf[first], known || !isWhole { return }
        isWholeOf[first] = isWhole
        waiting.append((first, second, isWhole))
    }

    mutating func finish() -> [String] {
        while let (first, second, isWhole) = waiting.popLast() {
            let (left, right) = (old.references[first], new.references[second])
            guard before.parts[first].digest == now.parts[second].digest, left.count == right.count else {
                note(first, second)
                continue
            }
            for (one, other) in zip(left, right) {
                if one.table != other.table { note(first, second) }
                meet(one.part, other.part, isWhole: isWhole)
            }
        }
        return changed
    }

    private mutating func note(_ first: Int, _ second: Int) {
        let name = now.parts[second].description
        if changed.count < 100, !changed.contains(name) { changed.append(name) }
    }
}

// As the table `meta` has it.

extension ReachGraph {
    /// Flat lists of numbers: extents; for each part how many references, and these; roots; the digest.
    var value: Value {
        let numbers = { (numbers: [Int]) in Value.array(numbers.map { .integer(Int64($0)) }) }
        return .array([
            .array(extents.map { .integer($0.rawValue) }), numbers(references.map(\.count)),
            numbers(references.joined().flatMap { [$0.part, $0.table] }),
            numbers(roots.flatMap { [$0.part, $0.isWhole ? 1 : 0] }),
            .array([layout.high, layout.low].map { .integer(Int64(bitPattern: $0)) }),
        ])
    }

    /// What `value` has made; nil for anything else.
    init?(_ value: Value) {
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
