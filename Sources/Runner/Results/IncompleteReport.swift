/// How far a job came that ended early, and how to go on.
struct IncompleteReport {
    /// How many examples are done or have failed for good.
    var done: Int
    /// How many of them have failed.
    var failures: Int
    /// How many examples there are, where that is known.
    var total: Int?
    /// What is missing because of the early end, as clauses.
    var consequences: [String] = []
    /// The word for the examples in the message.
    var examples = "examples"
    /// Whether `done` counts only rank 0: in mode `round-robin` the other ranks do not report.
    var isOfRootOnly = false
    var hasJournal = false
    /// How to go on, where the job has no journal.
    var remedy = "their results are lost, with a --journal the next start would go on"

    /// Returns one line for the user.
    ///
    /// It begins with `what` has happened, and whose wish it was where that is not clear.
    func text(_ what: String, as wish: String = "") -> String {
        let total = total.map { " of \($0)" } ?? ""
        let failed = failures > 0 ? ", \(failures) of which failed" : ""
        let place = isOfRootOnly ? " on rank 0 (in mode round-robin the others do not say)" : ""
        let goingOn =
            hasJournal
            ? "start again with the same --journal to go on"
            : remedy
        return (["\(what) after \(done)\(total) \(examples)\(failed)\(place)\(wish)"] + consequences + [goingOn])
            .joined(separator: "; ")
    }
}
