import DLP
import Journal

/// The journal that a job keeps, if any.
struct JournalSettings {
    var path: SystemString
    var policy: JournalPolicy

    /// - Throws: `UsageError` where the options contradict each other.
    init?(_ options: JobOptions) throws(UsageError) {
        let (keeps, isFresh) = (options.keep == .yes, options.fresh == .yes)
        guard let path = options.journal else {
            guard !keeps, !isFresh else { throw UsageError("--keep and --fresh say what to do with a --journal") }
            guard options.track != .yes else {
                throw UsageError("--track says what a --journal is to note of each example: name one")
            }
            return nil
        }
        guard !keeps || !isFresh else {
            throw UsageError("--keep goes on with a journal and --fresh starts over: one of them only")
        }
        // A trial with --only leaves the journal as it is. A sample is noted, so that the whole job can be planned
        // from it.
        guard options.only == nil else { return nil }
        self.path = path
        policy = keeps ? .keep : isFresh ? .fresh : .goOn
    }
}
