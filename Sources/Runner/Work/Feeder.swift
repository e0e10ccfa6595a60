import DLP
import LuaHost

/// Gives a loop the examples that only the root has: as many at a time as its hand-out asks for.
struct Feeder {
    private let feed: ExampleFeed
    private let host: LuaHost
    private let examples: Examples
    private var fed = 0
    private var isClosed = false

    /// How many are made at a time: between two batches the root looks for results and for work of its own.
    private static let batch = 512

    /// A feeder of what `examples` gives.
    init(_ feed: ExampleFeed, _ host: LuaHost, _ examples: Examples) {
        self.feed = feed
        self.host = host
        self.examples = examples
    }

    /// Feeds one batch.
    mutating func feedMore() throws {
        guard !isClosed else { return }
        var batch: [Bytes] = []
        while batch.count < Self.batch {
            guard let example = try Self.example(fed + batch.count, host, examples) else {
                isClosed = true
                break
            }
            batch.append(example)
        }
        fed += batch.count
        try feed.add(batch)
        if isClosed { feed.close() }
    }

    private static func example(_ index: Int, _ host: LuaHost, _ examples: Examples) throws -> Bytes? {
        do {
            guard let count = examples.count else { return try host.nextExample(index) }
            return index < count ? try host.encodedExample(examples, index) : nil
        } catch { throw PhaseError(phase: .examples, error: error) }
    }
}
