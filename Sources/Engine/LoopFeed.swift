public import Codec
import SystemSupport

/// Gives a loop the examples that are sent with its work, from any thread.
public struct LoopFeed: Sendable {
    let shared: RootShared
    let loop: UInt64

    /// What the list of examples goes on with.
    enum Part {
        /// These, one encoded value each.
        case examples([Bytes])
        /// So many that every rank has.
        case replicated(Int)
        /// So many that are done already.
        case done(Int)
        /// Nothing: so many of those that were given were added to a list that may grow.
        case added(Int)
        /// Nothing: the list has ended, and may only grow.
        case end
        /// Nothing: what the examples of the list cost, before any of them.
        case costs([Double])
    }

    /// Adds examples, one encoded value each.
    public func add(_ examples: [Bytes]) { shared.command(.feed(loop, .examples(examples))) }

    /// Adds `count` examples that every rank has.
    public func add(count: Int) { shared.command(.feed(loop, .replicated(count))) }

    /// Adds `count` examples that are done already.
    public func skip(_ count: Int) { shared.command(.feed(loop, .done(count))) }

    /// Passes on results of such examples.
    public func deliver(_ run: ResultRun) { shared.command(.deliver(loop, run)) }

    /// Says that so many of the examples were added to a list that may grow.
    public func note(added count: Int) { shared.command(.feed(loop, .added(count))) }

    /// Says that a list which may grow has ended: from now on it is told whenever all that there is of it is done.
    public func end() { shared.command(.feed(loop, .end)) }

    /// Says what the examples of the list cost, from the first one on, in any unit, before any is added: nothing is handed out
    /// before the list has ended, and then the longest first.
    public func order(by costs: [Double]) { shared.command(.feed(loop, .costs(costs))) }

    /// Says that there are no more examples than were added.
    public func close() { shared.command(.close(loop)) }

    /// Takes over from the main thread, which is not asked for examples any more.
    public func takeOver() {
        shared.inbox.update { $0.loops[loop, default: RootInbox.Loop()].isFedByThread = true }
    }

    /// Waits, after `takeOver`, until the loop needs examples.
    ///
    /// - Returns: false where the job ends instead.
    public func waitForDemand() -> Bool {
        shared.inbox.wait { inbox in
            if inbox.end != nil { return false }
            // Results that are there already pile up without being handed out first.
            guard !inbox.isPaused, inbox.loops[loop]?.demand.take() != nil else { return nil }
            return true
        }
    }
}
