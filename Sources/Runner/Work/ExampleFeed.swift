import DLP
import Journal
import Synchronization

/// Gives encoded examples to a loop.
///
/// Examples with a result in the journal are not handed out.
///
/// A separate thread may read the list while the main thread adds to it.
final class ExampleFeed: Sendable {
    private struct State {
        /// Whether the list has ended, so that it only grows from now on.
        var hasEnded = false
        /// Examples to be added once it has ended.
        var pending: [Bytes] = []
        /// How many examples were added, the pending ones included.
        var addedCount = 0
        /// How many examples the loop has been given, from the list and added ones.
        var givenCount = 0
    }

    private let feed: LoopFeed
    private let store: ExampleStore?
    private let journal: StageJournal?
    private let plan: JobPlan.Growth
    private let state = Mutex(State())

    /// - Parameters:
    ///   - store: keeps the examples that `collect` wants to see.
    ///   - plan: whether the list may grow, and how.
    init(_ feed: LoopFeed, _ store: ExampleStore?, _ journal: StageJournal?, _ plan: JobPlan.Growth) {
        self.feed = feed
        self.store = store
        self.journal = journal
        self.plan = plan
    }

    /// How many examples were added to the list.
    var addedCount: Int { state.withLock { $0.addedCount } }

    /// How many examples the loop has been given: those of a list that is sent, and those that were added.
    var givenCount: Int { state.withLock { $0.givenCount } }

    /// Adds the next examples of the list.
    func add(_ examples: [Bytes]) throws {
        try state.withLock { state in try give(examples, isKept: plan.listIsSent, &state) }
    }

    /// Adds examples that are not part of the list; where order matters, they come after the list.
    func grow(_ examples: [Bytes]) throws {
        try state.withLock { state in
            state.addedCount += examples.count
            guard state.hasEnded || !plan.isOrdered else { return state.pending += examples }
            try give(examples, isKept: true, &state)
            feed.note(added: state.addedCount)
        }
    }

    /// Adds the examples that wait for the end of the list, although the end has not come.
    ///
    /// - Returns: whether there were any.
    func addPending() throws -> Bool { try state.withLock { state in try addPending(&state) } }

    private func addPending(_ state: inout State) throws -> Bool {
        guard !state.pending.isEmpty else { return false }
        try give(state.pending, isKept: true, &state)
        state.pending = []
        feed.note(added: state.addedCount)
        return true
    }

    private func give(_ examples: [Bytes], isKept: Bool, _ state: inout State) throws {
        state.givenCount += examples.count
        if isKept { store?.add(examples) }
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

    /// Tells the loop about a run of examples that every rank has.
    func tell(_ run: StageJournal.Run) { if run.isDone { feed.skip(run.count) } else { feed.add(count: run.count) } }

    /// Skips the next `count` examples of the list.
    func skip(_ count: Int) {
        state.withLock { $0.givenCount += count }
        feed.skip(count)
    }

    /// Sets the costs of the list's examples, before any example is added.
    func order(by costs: [Double]) { feed.order(by: costs) }

    /// Adds `count` examples that every rank has.
    func add(count: Int) { feed.add(count: count) }

    /// Notes that the list has ended.
    func close() throws {
        guard plan.mayGrow else { return finish() }
        try state.withLock { state in
            state.hasEnded = true
            _ = try addPending(&state)
            feed.end()
        }
    }

    /// Closes the feed: nothing is added any more.
    func finish() {
        journal?.ledger.complete()
        feed.close()
    }

    /// Notes that nothing more is handed out.
    ///
    /// If the list has ended, the journal then knows its length.
    func halt() {
        if plan.mayGrow, state.withLock({ $0.hasEnded && $0.pending.isEmpty }) { journal?.ledger.complete() }
    }

    /// Returns how many examples there are by now, including the added ones; `count` is the length of the list where
    /// all ranks have it.
    ///
    /// Nil where nothing was added.
    func length(of count: Int?) -> Int? {
        state.withLock { $0.addedCount == 0 ? nil : plan.listIsSent ? $0.givenCount : (count ?? 0) + $0.addedCount }
    }

    /// Takes the feed over from the main thread, which the loop no longer asks for examples.
    func takeOver() { feed.takeOver() }

    /// After `takeOver`: waits until the loop needs examples; false where the job ends instead.
    func waitForDemand() -> Bool { feed.waitForDemand() }
}
