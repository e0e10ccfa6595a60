public import Codec
import SystemSupport

/// Gives a loop the examples that are sent with its work.
///
/// Any thread may use it.
public struct LoopFeed: Sendable {
    let shared: RootShared
    let loop: UInt64

    /// The next part of the list of examples.
    enum Part {
        /// Examples, one encoded value each.
        case examples([Bytes])
        /// A number of examples that every rank has.
        case replicated(Int)
        /// A number of examples that are done already.
        case done(Int)
        /// No examples: this many of those given so far were added to a list that may grow.
        case added(Int)
        /// No examples: the list has ended, except that it may still grow.
        case end
        /// No examples: the costs of the examples of the list, sent before any of them.
        case costs([Double])
    }

    /// Adds examples, one encoded value each.
    public func add(_ examples: [Bytes]) { shared.command(.feed(loop, .examples(examples))) }

    /// Adds `count` examples that every rank has.
    public func add(count: Int) { shared.command(.feed(loop, .replicated(count))) }

    /// Adds `count` examples that are done already.
    public func skip(_ count: Int) { shared.command(.feed(loop, .done(count))) }

    /// Passes on results of examples that are done already.
    public func deliver(_ run: ResultRun) { shared.command(.deliver(loop, run)) }

    /// Says that `count` of the examples were added to a list that may grow.
    public func note(added count: Int) { shared.command(.feed(loop, .added(count))) }

    /// Says that a list which may grow has ended.
    ///
    /// From now on the event `workedOff` tells each time that all of it so far is done.
    public func end() { shared.command(.feed(loop, .end)) }

    /// Gives the costs of the examples of the list, from the first one on, in any unit; to be called before any is
    /// added.
    ///
    /// Nothing is handed out before the list has ended. Then the longest examples come first.
    public func order(by costs: [Double]) { shared.command(.feed(loop, .costs(costs))) }

    /// Says that no more examples will be added.
    public func close() { shared.command(.close(loop)) }

    /// Takes over from the main thread, which is no longer asked for examples.
    public func takeOver() {
        shared.inbox.update { $0.loops[loop, default: RootInbox.Loop()].isFedByThread = true }
    }

    /// Waits, after `takeOver`, until the loop needs examples.
    ///
    /// - Returns: false where the job ends instead.
    public func waitForDemand() -> Bool {
        shared.inbox.wait { inbox in
            if inbox.end != nil { return false }
            // Examples that are done already bring results without any hand-out, so a pause of the hand-out alone would
            // not stop results from piling up.
            guard !inbox.isPaused, inbox.loops[loop]?.demand.take() != nil else { return nil }
            return true
        }
    }
}
