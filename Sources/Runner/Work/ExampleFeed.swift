import DLP
import Journal
import Synchronization

/// Gives a loop encoded examples; those whose results the journal has are not handed out.
///
/// The list may be read by a thread of its own while the main one adds to it.
final class ExampleFeed: Sendable {
    private struct State {
        /// Whether the list has ended, so that it only grows from now on.
        var hasEnded = false
        /// What is to be added when it has.
        var pending: [Bytes] = []
        /// How many examples were added, those included.
        var addedCount = 0
        /// How many examples the loop has been given, of the list and others.
        var givenCount = 0
    }

    private let feed: LoopFeed
    private let store: ExampleStore?
    private let journal: StageJournal?
    private let plan: JobPlan.Growth
    private let state = Mutex(State())

    /// - Parameters:
    ///   - store: what keeps examples, where `collect` wants to see them.
    ///   - plan: whether the list may grow, and how.
    init(_ feed: LoopFeed, _ store: ExampleStore?, _ journal: StageJournal?, _ plan: JobPlan.Growth) {
        self.feed = feed
        self.store = store
        self.journal = journal
        self.plan = plan
    }

    /// How many examples were added to the list.
    var addedCount: Int { state.withLock { $0.addedCount } }

    /// How many examples of a list that is sent the loop has been given, and of those that were added to it.
    var givenCount: Int { state.withLock { $0.givenCount } }

    /// Adds the next examples of the list.
    func add(_ examples: [Bytes]) throws {
        try state.withLock { state in try give(examples, isKept: plan.listIsSent, &state) }
    }

    /// Adds examples that are not part of the list; in a list whose order counts they come behind it.
    func grow(_ examples: [Bytes]) throws {
        try state.withLock { state in
            state.addedCount += examples.count
            guard state.hasEnded || !plan.isOrdered else { return state.pending += examples }
            try give(examples, isKept: true, &state)
            feed.note(added: state.addedCount)
        }
    }

    /// Adds what waits for the end of the list, though that has not come.
    ///
    /// - Returns: whether there was anything.
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

    /// Tells the loop of a run of examples that every rank has.
    func tell(_ run: StageJournal.Run) { if run.isDone { feed.skip(run.count) } else { feed.add(count: run.count) } }

    /// Leaves out the next `count` examples of the list.
    func skip(_ count: Int) {
        state.withLock { $0.givenCount += count }
        feed.skip(count)
    }

    /// Says what the examples of the list cost, before any is added.
    func order(by costs: [Double]) { feed.order(by: costs) }

    /// Adds `count` examples that every rank has.
    func add(count: Int) { feed.add(count: count) }

    /// The list has ended.
    func close() throws {
        guard plan.mayGrow else { return finish() }
        try state.withLock { state in
            state.hasEnded = true
            _ = try addPending(&state)
            feed.end()
        }
    }

    /// Nothing is added any more.
    func finish() {
        journal?.ledger.complete()
        feed.close()
    }

    /// Nothing more is handed out: where the list itself has ended its length is known.
    func halt() {
        if plan.mayGrow, state.withLock({ $0.hasEnded && $0.pending.isEmpty }) { journal?.ledger.complete() }
    }

    /// How many examples there are by now, those that were added included: `count` where all ranks have the list; nil where
    /// nothing was added.
    func length(of count: Int?) -> Int? {
        state.withLock { $0.addedCount == 0 ? nil : plan.listIsSent ? $0.givenCount : (count ?? 0) + $0.addedCount }
    }

    /// Takes over from the main thread, which is not asked for examples any more.
    func takeOver() { feed.takeOver() }

    /// Waits, after `takeOver`, until the loop needs examples; false where the job ends instead.
    func waitForDemand() -> Bool { feed.waitForDemand() }
}
