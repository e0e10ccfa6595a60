import DLP
import LuaHost

/// Gives a loop the examples that only the root has: as many at a time as its hand-out asks for.
struct Feeder {
    private let feed: ExampleFeed
    private let host: LuaHost
    private let examples: Examples
    /// Those that alone are fed; nil: all.
    private let selection: ExampleSelection?
    private var fed = 0
    private var isClosed = false

    /// How many are made at a time: between two batches the root looks for results and for work of its own.
    private static let batch = 512

    /// A feeder of what `examples` gives.
    init(_ feed: ExampleFeed, _ host: LuaHost, _ examples: Examples, _ selection: ExampleSelection? = nil) {
        self.feed = feed
        self.host = host
        self.examples = examples
        self.selection = selection
    }

    /// Feeds one batch.
    mutating func feedMore() throws {
        guard !isClosed else { return }
        var most = Self.batch
        if let selection, let length = examples.count {
            var next = selection.run(at: fed, of: length)
            if !next.isChosen {
                feed.skip(next.count)
                fed += next.count
                next = selection.run(at: fed, of: length)
            }
            most = min(most, max(next.count, 1))
        }
        var batch: [Bytes] = []
        while batch.count < most {
            guard let example = try Self.example(fed + batch.count, host, examples) else {
                isClosed = true
                break
            }
            batch.append(example)
        }
        fed += batch.count
        try feed.add(batch)
        if isClosed { try feed.close() }
    }

    private static func example(_ index: Int, _ host: LuaHost, _ examples: Examples) throws -> Bytes? {
        do {
            guard let count = examples.count else { return try host.nextExample(index) }
            return index < count ? try host.encodedExample(examples, index) : nil
        } catch { throw PhaseError(phase: .examples, error: error) }
    }
}
