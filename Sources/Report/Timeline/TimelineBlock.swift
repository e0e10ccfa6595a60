/// A stretch of time in which a rank was at work; times are nanoseconds of the monotonic clock.
struct TimelineBlock: Equatable {
    var start: UInt64
    var end: UInt64
    /// How long the rank was at work in between: less than all of it where short examples are taken together.
    var work: UInt64
    /// The lowest and the highest example that it worked on, from 1; others may lie between them.
    var examples: ClosedRange<Int>
    /// How many examples that were.
    var count: Int
    /// How many of them failed.
    var failed: Int

    /// How long it lasted.
    var duration: UInt64 { end - start }

    /// This block and the one that follows, as one.
    func joined(with next: TimelineBlock) -> TimelineBlock {
        TimelineBlock(
            start: start, end: next.end, work: work + next.work,
            examples: min(
                examples.lowerBound, next.examples.lowerBound)...max(
                    examples.upperBound, next.examples.upperBound),
            count: count + next.count, failed: failed + next.failed)
    }

    /// What it was, in words.
    var text: String {
        let (first, last) = (examples.lowerBound, examples.upperBound)
        var text = "example \(first)"
        if count > 1 {
            text =
                last - first == count - 1 ? "examples \(first) to \(last)" : "\(count) examples of \(first) to \(last)"
        }
        guard failed > 0 else { return text }
        return count == 1 ? "\(text), failed" : "\(text), \(failed) failed"
    }
}
