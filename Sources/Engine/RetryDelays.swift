import SystemSupport

/// Examples that failed and rest before they are tried again, a little longer after each attempt.
struct RetryDelays {
    /// An example of a loop that rests.
    struct Rest {
        var loop: UInt64
        var example: Int
        /// When it has rested enough, in nanoseconds of the monotonic clock.
        var end: UInt64
    }

    private static let shortest: UInt64 = 50_000_000
    /// From here on an example does not rest longer, whatever the attempt.
    private static let mostDoublings = 7

    /// By the number of attempts: those of the same number rest equally long, and so end in the order of their coming.
    private var rests = Array(repeating: Queue<Rest>(), count: mostDoublings + 1)
    private var count = 0

    /// Lets `example` rest, which failed in its attempt number `attempts` at the time `now`.
    mutating func add(_ loop: UInt64, _ example: Int, attempts: Int, at now: UInt64) {
        let doublings = max(0, min(attempts - 1, Self.mostDoublings))
        count += 1
        rests[doublings].append(Rest(loop: loop, example: example, end: now + Self.shortest << doublings))
    }

    /// When the next one has rested enough.
    var next: UInt64? { count == 0 ? nil : rests.compactMap { $0.first?.end }.min() }

    /// Takes one that has rested enough at the time `now`.
    mutating func takeDue(at now: UInt64) -> Rest? {
        guard count > 0 else { return nil }
        for index in rests.indices {
            guard let rest = rests[index].first, rest.end <= now else { continue }
            count -= 1
            return rests[index].popFirst()
        }
        return nil
    }
}
