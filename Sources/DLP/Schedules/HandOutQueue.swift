/// The examples that nobody has: those that came back, and then those that were never handed out.
struct HandOutQueue: Sendable {
    /// What came back; the last is the first to go out again.
    private(set) var returned: [Chunk] = []
    /// How many examples came back and are still here.
    private(set) var returnedCount = 0
    /// The first example that was never handed out.
    private(set) var next = 0
    /// The first example that is not there to be handed out.
    private(set) var end: Int

    /// A queue of the examples below `end`.
    init(end: Int) { self.end = end }

    /// How many examples it holds.
    var count: Int { returnedCount + max(0, end - next) }

    /// Adds `count` examples at the end.
    mutating func extend(by count: Int) { end += count }

    /// Drops all examples from `end` on.
    mutating func cut(to end: Int) {
        self.end = end
        let kept = returned.map { $0.clipped(to: end) }.filter { $0.count > 0 }
        returned = kept
        returnedCount = kept.reduce(0) { $0 + $1.count }
    }

    /// Puts `chunk` to the front, except for what lies behind the end.
    mutating func putBack(_ chunk: Chunk) {
        let chunk = chunk.clipped(to: end)
        guard chunk.count > 0 else { return }
        returned.append(chunk)
        returnedCount += chunk.count
    }

    /// Takes up to `count` consecutive examples from the front; nil where there are none.
    mutating func take(_ count: Int) -> Chunk? {
        if let front = returned.popLast() {
            let taken = Chunk(first: front.first, count: min(count, front.count))
            if taken.count < front.count {
                returned.append(Chunk(first: front.first + taken.count, count: front.count - taken.count))
            }
            returnedCount -= taken.count
            return taken
        }
        guard next < end else { return nil }
        let taken = Chunk(first: next, count: min(count, end - next))
        next += taken.count
        return taken
    }
}

extension Chunk {
    /// What of the chunk lies below `end`.
    func clipped(to end: Int) -> Chunk { Chunk(first: first, count: max(0, min(count, end - first))) }
}
