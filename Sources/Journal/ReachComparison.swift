import DLP

extension CodeVersion {
    /// Returns what has changed of what an example has met, which was done with an earlier version.
    ///
    /// If nothing has changed, the example would be done again in exactly the same way.
    ///
    /// Both graphs are walked side by side, from where the host begins. Functions are looked into only where the example
    /// has entered them. As long as everything met is the same, and identical objects are still identical, both walks come
    /// to the same places.
    ///
    /// - Returns: the parts, for messages; nil where it cannot be known.
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

/// Walks through two graphs side by side.
private struct PairWalk {
    private let (before, now): (CodeVersion, CodeVersion)
    private let (old, new): (ReachGraph, ReachGraph)
    private let trace: ExampleTrace
    /// The parts that were met together, in both directions.
    private var newOf: [Int: Int] = [:]
    private var oldOf: [Int: Int] = [:]
    /// The parts that were looked into, and whether together with everything behind them.
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
        // One part must not have become two, nor two parts one.
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
