import SystemSupport

/// Examples that failed and are to be tried again, each by another worker than the one on which it failed.
struct RetryQueue: Sendable {
    /// Those that failed on the same worker, in the order in which they came.
    private struct Line {
        var worker: Int
        var examples = Queue<Int>()
    }

    private var lines: [Line] = []
    /// How many examples it holds.
    private(set) var count = 0

    /// Adds an example that failed on `worker`.
    mutating func add(_ example: Int, failedOn worker: Int) {
        let index = lines.firstIndex { $0.worker == worker } ?? lines.endIndex
        if index == lines.endIndex { lines.append(Line(worker: worker)) }
        lines[index].examples.append(example)
        count += 1
    }

    /// Whether there is one for `worker`.
    ///
    /// - Parameter isAlone: whether there is no other worker, so that it takes its own too.
    func has(for worker: Int, isAlone: Bool) -> Bool { index(for: worker, isAlone) != nil }

    /// Takes one for `worker`.
    mutating func take(for worker: Int, isAlone: Bool) -> Int? {
        guard let index = index(for: worker, isAlone), let example = lines[index].examples.popFirst() else {
            return nil
        }
        if lines[index].examples.isEmpty { lines.remove(at: index) }
        count -= 1
        return example
    }

    /// The line to take from.
    ///
    /// Lines are never empty, so it is one of the first two.
    private func index(for worker: Int, _ isAlone: Bool) -> Int? {
        lines.firstIndex { $0.worker != worker } ?? (isAlone ? lines.indices.first : nil)
    }
}
