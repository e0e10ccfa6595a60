import CSystem
import DLP
import LuaHost

/// Gives a loop the examples that only the root has, as many at a time as the loop asks for.
struct Feeder {
    private let feed: ExampleFeed
    private let host: LuaHost
    private let examples: Examples
    /// The only examples to feed; nil: all.
    private let selection: ExampleSelection?
    /// The known costs of the examples of a list, which is then fed whole; nil: none.
    private var costs: KnownCosts?
    private var fed = 0
    private var isClosed = false
    /// Whether the iterator has ever returned `dlp.LATER`; and how many results had been collected when it last did.
    ///
    /// It is not asked again before there are more.
    private var isAsked = false
    private var waitsBehind: Int?

    /// How many examples are made at a time, and for how long, in nanoseconds.
    ///
    /// Between two batches the root looks for results and for its own work, and the other ranks begin what has been
    /// made.
    private static let batch = 512
    private static let batchTime: UInt64 = 5_000_000
    /// The batch size for a list.
    private static let listBatch = 4096

    /// Creates a feeder for `examples`.
    init(
        _ feed: ExampleFeed, _ host: LuaHost, _ examples: Examples, _ selection: ExampleSelection?, _ costs: KnownCosts?
    ) {
        self.feed = feed
        self.host = host
        self.examples = examples
        self.selection = selection
        self.costs = costs
    }

    /// Feeds a batch of the examples that the loop asks for.
    ///
    /// - Parameter collected: how many examples have been collected or have failed.
    mutating func feed(_ demand: LoopDemand, collected: Int) throws {
        guard !isClosed, waitsBehind.map({ collected > $0 }) ?? true else { return }
        waitsBehind = nil
        if let costs = costs.take(), let count = examples.count {
            feed.order(by: try costs.costs(of: selection?.ranges ?? [0..<count]))
            while !isClosed { try feedBatch(of: Self.listBatch, collected) }
            return
        }
        // Examples that were given since the loop asked count as well.
        let underWay = feed.givenCount - demand.given
        var most = min(Self.batch, (isAsked ? demand.idle : demand.count) - underWay)
        // The examples of a list exist already and cost nothing to make, so more of them are fed at once: this thread
        // may be held up in the script.
        if examples.count != nil { most = Self.listBatch }
        guard most > 0 else { return }
        try feedBatch(of: most, collected)
    }

    private mutating func feedBatch(of most: Int, _ collected: Int) throws {
        var most = most
        if let selection, let length = examples.count {
            var next = selection.run(at: fed, of: length)
            if !next.isChosen {
                feed.skip(next.count)
                fed += next.count
                next = selection.run(at: fed, of: length)
            }
            most = min(most, max(next.count, 1))
        }
        let batch = try makeBatch(of: most, collected)
        fed += batch.count
        if !batch.isEmpty { try feed.add(batch) }
        if isClosed { try feed.close() }
        if waitsBehind != nil, collected == feed.givenCount, try !feed.addPending() { throw stillness }
    }

    private mutating func makeBatch(of most: Int, _ collected: Int) throws -> [Bytes] {
        var batch: [Bytes] = []
        let end = dlp_now() + Self.batchTime
        repeat {
            switch try next(fed + batch.count) {
            case .example(let example): batch.append(example)
            case .end:
                isClosed = true
                return batch
            case .later:
                (isAsked, waitsBehind) = (true, collected)
                return batch
            }
        } while batch.count < most && (examples.count != nil || dlp_now() < end)
        return batch
    }

    private func next(_ index: Int) throws -> LuaHost.NextExample {
        do {
            guard let count = examples.count else { return try host.nextExample(index) }
            return index < count ? .example(try host.encodedExample(examples, index)) : .end
        } catch { throw PhaseError(phase: .examples, error: error) }
    }

    /// The error where the loop would wait for ever.
    private var stillness: PhaseError {
        PhaseError(
            phase: .examples,
            error: ScriptError(
                message:
                    "the iterator of examples() returned dlp.LATER, but nothing is under work: there is no result to "
                    + "wait for; it must give an example, or nil at its end", traceback: ""))
    }
}
