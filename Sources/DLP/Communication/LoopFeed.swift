/// Gives a loop the examples that are sent with its work, from any thread.
public struct LoopFeed: Sendable {
    let shared: RootShared
    let operation: UInt64

    /// Adds examples, one encoded value each.
    public func add(_ examples: [Bytes]) { shared.command(.feed(operation, examples)) }

    /// Says that there are no more examples than were added.
    public func close() { shared.command(.close(operation)) }

    /// Takes over from the main thread, which is not asked for examples any more.
    public func takeOver() {
        shared.inbox.update { $0.loops[operation, default: RootInbox.Loop()].isFedByThread = true }
    }

    /// Waits, after `takeOver`, until the loop needs examples.
    ///
    /// - Returns: false where the job ends instead.
    public func waitForDemand() -> Bool {
        shared.inbox.wait { inbox in
            if inbox.end != nil { return false }
            guard inbox.loops[operation]?.isHungry ?? false else { return nil }
            inbox.loops[operation]?.isHungry = false
            return true
        }
    }
}
