import Codec
import SystemSupport

/// What the root's service thread has for its main thread.
struct RootInbox {
    /// One loop's share of it: results first, since they are memory; then hunger, since others wait for it.
    struct Loop {
        var results = Queue<ResultRun>()
        /// Examples that have failed for good.
        var failures = Queue<Fault>()
        var work = Queue<LoopEvent>()
        /// How many more examples the loop needs, and whether another thread than the main one gives them.
        var demand: LoopDemand?
        var isFedByThread = false
        /// Set where all that there is of a list which may grow is done: how many examples of it were added.
        var workedOff: Int?
        /// What ends the loop for the root, once it does.
        var end: LoopEvent?

        /// What comes next, but for the end.
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
    /// Those of them that died in a loop which could do without them.
    var lostRanks: Set<Int> = []
    var departed = 0
    /// Where a rank waits for the root in a loop: the smallest number of collectives that come before such a one.
    ///
    /// The root, when it waits in a later collective, says so.
    var rootIsWantedAfter: UInt64?
    /// Whether some rank may still count on the root; false once its end has been found to leave nobody waiting.
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
        // Nothing comes any more, so nothing need be kept.
        loops.remove(at: place)
        return end
    }

    /// Forgets a loop with all that is there of it.
    mutating func drop(_ loop: UInt64) {
        guard var dropped = loops.removeValue(forKey: loop) else { return }
        while let run = dropped.results.popFirst() { backlog -= run.results.count }
    }
}
