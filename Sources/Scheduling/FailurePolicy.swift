/// What becomes of examples that fail, and of those that were under work on a rank that died.
public struct FailurePolicy: Sendable, Hashable {
    /// Whether the job goes on after an example has failed for good.
    public var continues: Bool
    /// How often an example that failed is tried again.
    public var retries: Int
    /// An example counts as failed once this many ranks have died while it was under work on them.
    ///
    /// With 0 the loop cannot go on without any of its ranks.
    public var crashLimit: Int

    /// The largest number of retries or crashes that is of use.
    public static let limit = 4000

    /// A policy; what is not named ends the job at once.
    public init(continues: Bool = false, retries: Int = 0, crashLimit: Int = 0) {
        self.continues = continues
        self.retries = max(0, min(retries, Self.limit))
        self.crashLimit = max(0, min(crashLimit, Self.limit))
    }

    /// Whether the first example that fails ends the job.
    public var endsAtFirstFailure: Bool { !continues && retries == 0 }
}

/// What a schedule makes of an example that failed.
public enum FailureVerdict: Sendable, Hashable {
    /// It rests until `retry` brings it back; it has been tried `attempts` times.
    case retry(attempts: Int)
    /// It has failed for good after `attempts` times.
    case final(attempts: Int)
}

/// An example that failed for good because ranks died of it.
public struct CrashedExample: Sendable, Hashable {
    /// The example, from 0.
    public var example: Int
    /// On how many ranks that died it was under work.
    public var deaths: Int
}
