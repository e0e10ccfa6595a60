import SystemSupport

/// Failed examples that wait before they are tried again, each time twice as long as before, up to a limit.
struct RetryDelays {
    /// A waiting example of a loop.
    struct Rest {
        var loop: UInt64
        var example: Int
        /// When the wait ends, in nanoseconds of the monotonic clock.
        var end: UInt64
    }

    private static let shortest: UInt64 = 50_000_000
    /// How often the wait doubles; after that it stays the same, whatever the attempt.
    private static let mostDoublings = 7

    /// The waiting examples by the number of attempts.
    ///
    /// Those of the same number wait equally long, so they become due in the order in which they came.
    private var rests = Array(repeating: Queue<Rest>(), count: mostDoublings + 1)
    private var count = 0

    /// Adds `example`, which failed in its attempt number `attempts` at the time `now`.
    mutating func add(_ loop: UInt64, _ example: Int, attempts: Int, at now: UInt64) {
        let doublings = max(0, min(attempts - 1, Self.mostDoublings))
        count += 1
        rests[doublings].append(Rest(loop: loop, example: example, end: now + Self.shortest << doublings))
    }

    /// When the next example becomes due; nil where none waits.
    var next: UInt64? { count == 0 ? nil : rests.compactMap { $0.first?.end }.min() }

    /// Takes an example that is due at the time `now`.
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
