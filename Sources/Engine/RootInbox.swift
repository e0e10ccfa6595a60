import Codec
import SystemSupport

/// What the root's service thread has for its main thread.
struct RootInbox {
    /// What is there for one loop.
    ///
    /// Results are taken first, since they hold memory; then the demand for examples, since other ranks wait for it.
    struct Loop {
        var results = Queue<ResultRun>()
        /// Examples that have failed for good.
        var failures = Queue<Fault>()
        var work = Queue<LoopEvent>()
        /// How many more examples the loop needs, and whether another thread than the main one gives them.
        var demand: LoopDemand?
        var isFedByThread = false
        /// Set when all of a list that may grow is done: how many of its examples were added.
        var workedOff: Int?
        /// The event that ends the loop for the root; nil before.
        var end: LoopEvent?

        /// Takes the next event, except for the end.
        mutating func popEvent() -> LoopEvent? {
            if let run = results.popFirst() { return .results(run) }
            if let fault = failures.popFirst() { return .failed(fault) }
            if let added = workedOff.take() { return .workedOff(added: added) }
            if !isFedByThread, end == nil, let demand = demand.take() { return .needsExamples(demand) }
            return work.popFirst()
        }
    }

    /// Collective messages by the rank that sent them.
    var collectives: [Queue<CollectiveMessage>]
    var loops = LoopTable<Loop>()
    /// The ranks that have finished their script, or died.
    var hasDeparted: [Bool]
    /// The ranks among them that died in a loop which could go on without them.
    var lostRanks: Set<Int> = []
    var departed = 0
    /// Set where ranks wait for the root in loops: the smallest number of collectives that come before such a loop.
    ///
    /// The root, when it waits in a later collective, then tells the service thread so.
    var rootIsWantedAfter: UInt64?
    /// Whether a rank may still need the root.
    ///
    /// False once the root has finished, and it is found that no rank waits for it.
    var isRootMissed = true
    /// Why the job ends early; the first reason stays.
    var end: JobEnd?
    /// Whether no more examples are to be begun.
    var isHalted = false
    /// Bytes of results that the main thread has not taken yet.
    var backlog = 0
    /// Whether hand-out waits for the main thread to take some of them.
    var isPaused = false

    /// How many bytes of results the main thread may leave before hand-out pauses: the memory that a slow `collect` may cost.
    static let backlogLimit = 256 << 20

    init(size: Int) {
        collectives = Array(repeating: Queue(), count: size)
        hasDeparted = Array(repeating: false, count: size)
    }

    /// The next event of a loop.
    mutating func popEvent(of loop: UInt64) -> LoopEvent? {
        guard let place = loops.index(forKey: loop) else { return nil }
        if let event = loops.values[place].popEvent() {
            if case .results(let run) = event { backlog -= run.results.count }
            return event
        }
        guard let end = loops.values[place].end else { return nil }
        // Nothing more comes, so the loop is forgotten.
        loops.remove(at: place)
        return end
    }

    /// Forgets a loop and all that is there for it.
    mutating func drop(_ loop: UInt64) {
        guard var dropped = loops.removeValue(forKey: loop) else { return }
        while let run = dropped.results.popFirst() { backlog -= run.results.count }
    }
}
