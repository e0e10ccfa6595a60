import DLP
import Journal

/// Gives a loop encoded examples; those whose results the journal has are not handed out.
struct ExampleFeed {
    private let feed: LoopFeed
    private let store: ExampleStore?
    private let journal: StageJournal?

    /// - Parameter store: what keeps the examples, where `collect` wants to see them.
    init(_ feed: LoopFeed, _ store: ExampleStore?, _ journal: StageJournal?) {
        self.feed = feed
        self.store = store
        self.journal = journal
    }

    /// Adds the next examples of the list.
    func add(_ examples: [Bytes]) throws {
        store?.add(examples)
        guard let journal else { return feed.add(examples) }
        var position = 0
        let runs = try journal.add(examples)
        for run in runs {
            if run.isDone {
                feed.skip(run.count)
            } else {
                feed.add(Array(examples[position..<position + run.count]))
            }
            position += run.count
        }
        try journal.readResults(of: runs) { feed.deliver($0) }
    }

    /// Leaves out the next `count` examples of the list.
    func skip(_ count: Int) { feed.skip(count) }

    /// The list has ended.
    func close() {
        journal?.ledger.complete()
        feed.close()
    }

    /// Takes over from the main thread, which is not asked for examples any more.
    func takeOver() { feed.takeOver() }

    /// Waits, after `takeOver`, until the loop needs examples; false where the job ends instead.
    func waitForDemand() -> Bool { feed.waitForDemand() }
}
