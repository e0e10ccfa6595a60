/// A period in which a rank was working; times are nanoseconds of the monotonic clock.
struct TimelineBlock: Equatable {
    var start: UInt64
    var end: UInt64
    /// How long the rank was working in this period: less than its duration if short examples were combined.
    var work: UInt64
    /// The lowest and the highest example that it worked on, from 1; examples of others may be between them.
    var examples: ClosedRange<Int>
    /// How many examples it worked on.
    var count: Int
    /// How many of them failed.
    var failed: Int

    /// How long it lasted.
    var duration: UInt64 { end - start }

    /// Combines this block and the one that follows it.
    func joined(with next: TimelineBlock) -> TimelineBlock {
        TimelineBlock(
            start: start, end: next.end, work: work + next.work,
            examples: min(
                examples.lowerBound, next.examples.lowerBound)...max(
                    examples.upperBound, next.examples.upperBound),
            count: count + next.count, failed: failed + next.failed)
    }

    /// A description of the block.
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
