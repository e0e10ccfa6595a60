/// What the root's service thread has for its main thread.
struct RootInbox {
    /// One loop's share of it.
    struct Loop {
        var results = Queue<ResultRun>()
        /// Examples that have failed for good.
        var failures = Queue<Fault>()
        var work = Queue<LoopEvent>()
        /// Whether the loop needs more examples, and whether another thread than the main one gives them.
        var isHungry = false
        var isFedByThread = false
        /// What ends the loop for the root, once it does.
        var end: LoopEvent?
    }

    /// Collective messages by the rank that sent them.
    var collectives: [Queue<Message>]
    var loops: [UInt64: Loop] = [:]
    /// The ranks that have finished their script.
    var hasDeparted: [Bool]
    var departed = 0
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

    init(size: Int) {
        collectives = Array(repeating: Queue(), count: size)
        hasDeparted = Array(repeating: false, count: size)
    }

    /// The next event of a loop: results first, since they are memory; then hunger, since others wait for it.
    mutating func popEvent(of operation: UInt64) -> LoopEvent? {
        guard var loop = loops.removeValue(forKey: operation) else { return nil }
        // After the end nothing comes any more, so nothing need be kept.
        if loop.results.isEmpty, loop.failures.isEmpty, loop.work.isEmpty, let end = loop.end { return end }
        defer { loops[operation] = loop }
        if let run = loop.results.popFirst() {
            backlog -= run.results.count
            return .results(run)
        }
        if let fault = loop.failures.popFirst() { return .failed(fault) }
        if loop.isHungry, !loop.isFedByThread {
            loop.isHungry = false
            return .hungry
        }
        return loop.work.popFirst()
    }

    /// Forgets a loop with all that is there of it.
    mutating func drop(_ operation: UInt64) {
        guard var loop = loops.removeValue(forKey: operation) else { return }
        while let run = loop.results.popFirst() { backlog -= run.results.count }
    }
}
