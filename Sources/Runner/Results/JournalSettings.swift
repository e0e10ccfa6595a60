import DLP
import Journal

/// Which journal a job keeps, if any.
struct JournalSettings {
    var path: SystemString
    var policy: JournalPolicy

    /// - Throws: `UsageError` where the options do not go together.
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
        // What is only tried leaves the journal as it is; a sample is measured, so that the whole can be planned.
        guard options.only == nil else { return nil }
        self.path = path
        policy = keeps ? .keep : isFresh ? .fresh : .goOn
    }
}
